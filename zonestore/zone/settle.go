package zone

import "secondaryd/internal/wire"

// settle works out what queries need to know of each name and would otherwise
// work out again each time.
func (z *Zone) settle() {
	z.records, z.dead = 0, 0
	plain := 0
	for i := z.nodes.len() - 1; i >= 0; i-- { // children before their parents
		plain += z.settleUpward(uint32(i))
	}
	z.plain.Store(int64(plain))
	z.settleDownward()
}

// settleUpward sets the flags that follow from the node's own records and from
// what is below it, and counts its plain records.
func (z *Zone) settleUpward(i uint32) (plain int) {
	n := z.nodes.at(i)
	own := z.owned(i)
	z.records += own.records
	z.suspect = z.suspect || own.suspect
	n.flags |= own.flags
	if !own.visible && n.children() == 0 && i != 0 {
		n.flags |= flagHidden
	}
	if n.isDead() {
		z.dead++
	}
	if n.isName() && n.parent != none {
		above := z.nodes.at(n.parent)
		above.gain()
		if z.nameAt(n.name).IsWildcard() {
			above.flags |= flagWildcard
		}
	}
	return own.plain
}

// settleDownward sets the flags that follow from what is above a node, parents
// before their children.
func (z *Zone) settleDownward() {
	for i := range uint32(z.nodes.len()) {
		z.inherit(i)
	}
}

// inherit sets the flags that follow from what is above node i, whose parent
// has them right.
func (z *Zone) inherit(i uint32) {
	n := z.nodes.at(i)
	if n.parent == none {
		return
	}
	flags := n.flags&^(flagBelowCut|flagBelowName) | bequest(z.nodes.at(n.parent).flags)
	if flags != n.flags {
		z.nodes.edit(i).flags = flags
	}
}

// bequest returns the flags of a child that follow from those of its parent.
func bequest(parent uint32) (flags uint32) {
	if parent&(flagCut|flagBelowCut) != 0 {
		flags |= flagBelowCut
	}
	if parent&(flagDNAME|flagBelowName) != 0 {
		flags |= flagBelowName
	}
	return flags
}

// owned is what follows from a node's own records.
type owned struct {
	flags   uint32
	visible bool // they make it a name of the zone
	suspect bool // they may break a rule
	records int
	plain   int // records that are not for DNSSEC
}

func (z *Zone) owned(i uint32) (own owned) {
	alias, other := false, false
	for sets := (Node{z, i}).cursor(); sets.left > 0; {
		set := sets.next()
		own.records += set.Len() + set.Signatures()
		if !isForDNSSEC(set.Type) {
			own.plain += set.Len()
		}
		own.visible = own.visible || set.Type != wire.TypeNSEC3
		switch {
		case set.Len() == 0:
		case set.Type == wire.TypeNS && i != 0:
			own.flags |= flagCut
		case set.Type == wire.TypeDNAME:
			own.flags |= flagDNAME
			own.suspect = true
		case set.Type == wire.TypeCNAME:
			alias = true
			own.suspect = own.suspect || set.Len() > 1
		case set.Type == wire.TypeDS:
			own.suspect = own.suspect || i == 0
		}
		other = other || set.Len() > 0 && !besideCNAME(set.Type)
	}
	own.suspect = own.suspect || alias && other
	return own
}
