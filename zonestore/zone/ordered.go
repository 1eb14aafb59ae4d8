package zone

import "iter"

// A stretch is a row of nodes whose names stand in canonical order as they are.
// Primaries send names in that order, some with the NSEC3 records apart, so a
// zone has few of them; a Delta adds names at the end.
type stretch struct {
	key  uint64 // sortKey of the node at at
	at   uint32 // the next node
	last uint32 // the last one
}

// Ordered yields every node in the canonical order of their names (RFC 4034
// section 6.1). It merges stretches of nodes that are in order already: what it
// needs beyond the zone follows their number, at worst eight octets a node.
func (z *Zone) Ordered() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		heads := z.stretches()
		for i := len(heads)/2 - 1; i >= 0; i-- {
			z.sink(heads, i)
		}
		for len(heads) > 0 {
			if !yield(Node{z, heads[0].at}) {
				return
			}
			if !z.advance(&heads[0]) {
				last := len(heads) - 1
				heads[0] = heads[last]
				heads = heads[:last]
			}
			z.sink(heads, 0)
		}
	}
}

// stretches cuts the nodes into rows that are in order.
func (z *Zone) stretches() []stretch {
	var all []stretch
	var before place
	for i := range uint32(z.nodes.len()) {
		if z.nodes.at(i).isDead() {
			continue
		}
		p := z.place(i)
		if len(all) == 0 || z.comparePlaces(before, p) > 0 {
			all = append(all, stretch{key: p.key, at: i})
		}
		all[len(all)-1].last = i
		before = p
	}
	return all
}

// advance moves to the next node of the stretch; false at its end.
func (z *Zone) advance(s *stretch) bool {
	for s.at < s.last {
		s.at++
		if !z.nodes.at(s.at).isDead() {
			s.key = sortKey(z.nodeName(s.at), int(z.labels))
			return true
		}
	}
	return false
}

// sink moves heads[i] down to where it belongs in the heap, whose first element
// is the least.
func (z *Zone) sink(heads []stretch, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heads); child++ {
			if z.comparePlaces(heads[child].place(), heads[least].place()) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heads[i], heads[least] = heads[least], heads[i]
		i = least
	}
}

func (s *stretch) place() place { return place{s.key, s.at} }
