package zone

import "secondaryd/internal/wire"

// settle works out what queries need to know of each name and would otherwise
// work out again each time.
func (z *Zone) settle() {
	z.records = 0
	for i := z.nodes.len() - 1; i >= 0; i-- { // children before their parents
		z.settleUpward(uint32(i))
	}
	for i := range uint32(z.nodes.len()) { // parents before their children
		z.settleDownward(i)
	}
}

// settleUpward sets the flags that follow from the node's own records and from
// what is below it.
func (z *Zone) settleUpward(i uint32) {
	n := z.nodes.at(i)
	flags, visible := z.ownFlags(i)
	n.flags = n.flags&(flagWildcard|flagAncestor) | flags
	if !visible && n.flags&flagAncestor == 0 && i != 0 {
		n.flags |= flagHidden
	}
	if n.flags&flagHidden != 0 || n.parent == none {
		return
	}
	above := z.nodes.at(n.parent)
	above.flags |= flagAncestor
	if z.nameAt(n.name).IsWildcard() {
		above.flags |= flagWildcard
	}
}

// settleDownward sets the flags that follow from what is above the node.
func (z *Zone) settleDownward(i uint32) {
	n := z.nodes.at(i)
	if n.parent == none {
		return
	}
	above := z.nodes.at(n.parent).flags
	if above&(flagCut|flagBelowCut) != 0 {
		n.flags |= flagBelowCut
	}
	if above&(flagDNAME|flagBelowName) != 0 {
		n.flags |= flagBelowName
	}
}

// ownFlags returns the flags that follow from the node's own records, and counts
// these. visible tells whether they make it a name of the zone.
func (z *Zone) ownFlags(i uint32) (flags uint32, visible bool) {
	for sets := (Node{z, i}).cursor(); sets.left > 0; {
		set := sets.next()
		z.records += set.Len() + set.Signatures()
		visible = visible || set.Type != wire.TypeNSEC3
		switch {
		case set.Len() == 0:
		case set.Type == wire.TypeNS && i != 0:
			flags |= flagCut
		case set.Type == wire.TypeDNAME:
			flags |= flagDNAME
		}
	}
	return flags, visible
}
