package zone

import (
	"cmp"
	"slices"

	"secondaryd/internal/wire"
)

// chains are what a signed zone proves with that something does not exist.
type chains struct {
	nsec       order // names with NSEC, if the zone is signed so
	nsec3      order // names with NSEC3 of the chain in use
	nsec3Param NSEC3Param
	hashed     bool // nsec3Param is set
}

// noChains is what all unsigned zones have, which spend nothing so.
var noChains chains

// chain lays out the order of the NSEC chain, or of the NSEC3 chain that the
// apex names.
func (z *Zone) chain() {
	z.chains = &noChains
	param, hashed := z.readNSEC3Param()
	if !hashed && !z.signedWithNSEC() {
		return
	}
	z.chains = &chains{nsec3Param: param, hashed: hashed}
	if z.signedWithNSEC() {
		z.nsec = z.makeOrder(z.owners(z.ownsNSEC))
	}
	if hashed {
		z.nsec3 = z.makeOrder(z.owners(z.ownsNSEC3))
	}
}

// signedWithNSEC reports whether the apex begins an NSEC chain.
func (z *Zone) signedWithNSEC() bool { return z.ownsNSEC(0) }

func (z *Zone) ownsNSEC(i uint32) bool {
	_, ok := Node{z, i}.Set(wire.TypeNSEC)
	return ok
}

// ownsNSEC3 reports whether node i belongs to the chain that the apex names.
func (z *Zone) ownsNSEC3(i uint32) bool {
	set, ok := Node{z, i}.Set(wire.TypeNSEC3)
	return ok && z.inChain(Node{z, i}, set)
}

// owners returns the nodes for which owns holds.
func (z *Zone) owners(owns func(i uint32) bool) []uint32 {
	var found []uint32
	for i := range uint32(z.nodes.len()) {
		if owns(i) {
			found = append(found, i)
		}
	}
	return found
}

// rechain brings the orders up to date with what was touched. Where a chain
// began or ended, or is hashed otherwise, everything changed anyway.
func (d *Delta) rechain() {
	z, base := d.zone, d.base
	param, hashed := z.readNSEC3Param()
	if hashed != base.hashed || !param.equal(base.nsec3Param) || z.signedWithNSEC() != base.signedWithNSEC() {
		z.chain()
		return
	}
	if z.chains == &noChains {
		return
	}
	z.chains = &chains{nsec3Param: param, hashed: hashed}
	if z.signedWithNSEC() {
		z.nsec = z.merge(&base.nsec, d.moves(base.ownsNSEC, z.ownsNSEC))
	}
	if hashed {
		z.nsec3 = z.merge(&base.nsec3, d.moves(base.ownsNSEC3, z.ownsNSEC3))
	}
}

// move is a node that comes into an order or leaves it.
type move struct {
	place
	comes bool
}

// moves returns the nodes for which owns holds now but did not hold before, and
// the other way round, in canonical order.
func (d *Delta) moves(before, now func(i uint32) bool) []move {
	var moves []move
	for _, i := range d.touched {
		if comes := now(i); comes != (d.was(i) && before(i)) {
			moves = append(moves, move{d.zone.place(i), comes})
		}
	}
	slices.SortFunc(moves, func(a, b move) int { return d.zone.comparePlaces(a.place, b.place) })
	return moves
}

// merge returns the order after the moves. It shares the pages of o that none
// of them concerns.
func (z *Zone) merge(o *order, moves []move) order {
	if len(moves) == 0 {
		return *o
	}
	next := order{firsts: make([]uint64, 0, len(o.firsts)+1), pages: make([]orderPage, 0, len(o.pages)+1)}
	for i := range max(len(o.pages), 1) {
		var page orderPage
		if i < len(o.pages) {
			page = o.pages[i]
		}
		n := len(moves)
		if i+1 < len(o.pages) {
			following := o.pages[i+1].place(0)
			n, _ = slices.BinarySearchFunc(moves, following, func(m move, p place) int { return z.comparePlaces(m.place, p) })
		}
		if n > 0 {
			page = z.mergePage(page, moves[:n])
			moves = moves[n:]
		}
		next.appendPage(page)
	}
	return next
}

// mergePage returns the page after the moves, of any size.
func (z *Zone) mergePage(page orderPage, moves []move) orderPage {
	size := len(page.nodes) + len(moves)
	merged := orderPage{make([]uint64, 0, size), make([]uint32, 0, size)}
	i := 0
	for _, m := range moves {
		for ; i < len(page.nodes) && z.comparePlaces(page.place(i), m.place) < 0; i++ {
			merged.append(page.place(i))
		}
		if m.comes {
			merged.append(m.place)
		} else {
			i++ // it is the place that leaves
		}
	}
	merged.keys = append(merged.keys, page.keys[i:]...)
	merged.nodes = append(merged.nodes, page.nodes[i:]...)
	return merged
}

// comparePlaces orders places canonically.
func (z *Zone) comparePlaces(a, b place) int {
	if c := cmp.Compare(a.key, b.key); c != 0 {
		return c // without a look at the names
	}
	return z.nodeName(a.node).Compare(z.nodeName(b.node))
}
