package zone

import "secondaryd/internal/wire"

// tally is what is known of all nodes from their own records.
type tally struct {
	records int
	plain   int // records that are not for DNSSEC
	suspect bool
}

// note keeps what follows from a node's own records, until settle.
func (t *tally) note(n *node, own owned) {
	t.records += own.records
	t.plain += own.plain
	t.suspect = t.suspect || own.suspect
	n.flags |= own.flags
	if own.visible {
		n.flags |= flagVisible
	}
}

// settle works out what queries need to know of each name and would otherwise
// work out again each time, but for what settleDownward does. All nodes were noted in
// the tally; wildcards are the nodes whose first label is "*".
func (z *Zone) settle(t tally, wildcards []uint32) {
	z.records, z.dead = t.records, 0
	z.suspect = z.suspect || t.suspect
	z.plain.Store(int64(t.plain))
	for i := z.nodes.len() - 1; i >= 0; i-- { // children before their parents
		z.settleUpward(uint32(i))
	}
	for _, i := range wildcards {
		if n := z.nodes.at(i); n.isName() && n.parent != none {
			z.nodes.at(n.parent).flags |= flagWildcard
		}
	}
}

// resettle works out every flag anew.
func (z *Zone) resettle() {
	var all tally
	var wildcards []uint32
	for i := range uint32(z.nodes.len()) {
		n := z.nodes.edit(i)
		n.flags = 0
		all.note(n, z.owned(i))
		if z.nameAt(n.name).IsWildcard() {
			wildcards = append(wildcards, i)
		}
	}
	z.settle(all, wildcards)
	z.settleDownward()
}

// settleUpward sets the flags that follow from what is below a node and, by
// flagVisible, from its own records, and counts the dead.
func (z *Zone) settleUpward(i uint32) {
	n := z.nodes.at(i)
	if n.flags&flagVisible == 0 && n.children() == 0 && i != 0 {
		n.flags |= flagHidden
	}
	n.flags &^= flagVisible
	if n.isDead() {
		z.dead++
	}
	if n.isName() && n.parent != none {
		z.nodes.at(n.parent).gain()
	}
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

	alias, other bool // there is a CNAME, or what may not be beside one
}

func (z *Zone) owned(i uint32) (own owned) {
	for sets := (Node{z, i}).cursor(); sets.left > 0; {
		set := sets.next()
		own.add(set.Type, set.Len(), set.Signatures(), i == 0)
	}
	return own
}

// add takes one more of the node's RRsets.
func (o *owned) add(t uint16, records, signatures int, apex bool) {
	o.records += records + signatures
	o.visible = o.visible || t != wire.TypeNSEC3
	if records == 0 {
		return
	}
	if !isForDNSSEC(t) {
		o.plain += records
	}
	o.other = o.other || !besideCNAME(t)
	switch t {
	case wire.TypeNS:
		if !apex {
			o.flags |= flagCut
		}
	case wire.TypeDNAME:
		o.flags |= flagDNAME
		o.suspect = true
	case wire.TypeCNAME:
		o.alias = true
		o.suspect = o.suspect || records > 1
	case wire.TypeDS:
		o.suspect = o.suspect || apex
	}
	o.suspect = o.suspect || o.alias && o.other
}
