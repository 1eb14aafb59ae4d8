package zone

import "secondaryd/internal/wire"

// HasNSEC reports whether the zone proves what does not exist with NSEC records.
func (z *Zone) HasNSEC() bool { return len(z.nsec.pages) > 0 }

// NSECBefore returns the last name at or before name in canonical order that
// owns an NSEC record: it matches the name, or covers it (RFC 4034 section 4).
// Before the first of them comes the last. The name must be folded and in the
// zone, which must have NSEC.
func (z *Zone) NSECBefore(name wire.Name) Node {
	i, ok := z.before(&z.nsec, name)
	if !ok {
		i = z.nsec.last()
	}
	return Node{z, i}
}

// owners returns the nodes that own a record of type t which fits.
func (z *Zone) owners(t uint16, fits func(n Node, set RRset) bool) []uint32 {
	var found []uint32
	for i := range uint32(z.nodes.len()) {
		n := Node{z, i}
		if set, ok := n.Set(t); ok && fits(n, set) {
			found = append(found, i)
		}
	}
	return found
}

// chain lays out the order of the NSEC chain, or of the NSEC3 chain that the
// apex names. Zones without either spend nothing.
func (z *Zone) chain() {
	if _, ok := z.Top().Set(wire.TypeNSEC); ok {
		z.nsec = z.makeOrder(z.owners(wire.TypeNSEC, func(Node, RRset) bool { return true }))
	}
	if z.readNSEC3Param(); z.hashed {
		z.nsec3 = z.makeOrder(z.owners(wire.TypeNSEC3, z.inChain))
	}
}
