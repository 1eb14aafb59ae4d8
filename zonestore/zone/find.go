package zone

import "secondaryd/internal/wire"

// Match says where a name falls in a zone.
type Match struct {
	// Node is the name itself if Exact, else its closest encloser: the deepest
	// of its ancestors that exists (RFC 4592 section 3.3.1).
	Node  Node
	Exact bool
	// Depth is the number of labels in front of Node's name; 0 if Exact.
	Depth int
	// Above is the topmost delegation at or above the name, or DNAME above it,
	// that takes the name out of the zone's own data; see Covered.
	Above   Node
	Covered bool
}

// Find looks up the name whose suffixes are given, computed with the zone's
// seed. The name must be the apex or lie below it.
func (z *Zone) Find(s *wire.Suffixes) Match {
	depth := 0
	last := s.Count() - int(z.labels)
	for ; depth < last; depth++ {
		if i, ok := z.lookup(s.Hash(depth), s.Name(depth)); ok && z.nodes.at(i).flags&flagHidden == 0 {
			return z.match(i, depth)
		}
	}
	return z.match(0, depth)
}

func (z *Zone) match(i uint32, depth int) Match {
	m := Match{Node: Node{z, i}, Exact: depth == 0, Depth: depth}
	m.Above, m.Covered = z.above(i, depth > 0)
	return m
}

// above returns the topmost cut at or above node i, or DNAME above the name
// that was looked for; below tells that this name is strictly below node i.
func (z *Zone) above(i uint32, below bool) (top Node, covered bool) {
	flags := z.nodes.at(i).flags
	if flags&flagCut != 0 || below && flags&flagDNAME != 0 {
		top, covered = Node{z, i}, true
	}
	for flags&(flagBelowCut|flagBelowName) != 0 {
		i = z.nodes.at(i).parent
		flags = z.nodes.at(i).flags
		if flags&(flagCut|flagDNAME) != 0 {
			top, covered = Node{z, i}, true
		}
	}
	return top, covered
}

// FindName looks up name, which must be folded and in the zone. It is for
// callers that look up one name of a kind, such as glue.
func (z *Zone) FindName(name wire.Name) (Node, bool) {
	i, ok := z.lookup(wire.HashName(name, z.seed), name)
	return Node{z, i}, ok && z.nodes.at(i).flags&flagHidden == 0
}

// Wildcard returns the "*" child of the closest encloser of m, the source of
// synthesis for names that do not exist (RFC 4592 section 3.3.2). The suffixes
// are those m was found with.
func (z *Zone) Wildcard(m Match, s *wire.Suffixes) (Node, bool) {
	if m.Node.data().flags&flagWildcard == 0 {
		return Node{}, false
	}
	var name [wire.MaxName + 2]byte
	child := append(append(name[:0], 1, '*'), s.Name(m.Depth)...)
	i, ok := z.lookup(wire.HashChild(s.Hash(m.Depth), child[:2]), child)
	return Node{z, i}, ok
}

// lookup finds the node of a folded name.
func (z *Zone) lookup(hash uint64, name wire.Name) (uint32, bool) {
	tag := tagOf(hash)
	for i := z.index.home(tag); ; i = z.index.after(i) {
		entry := *z.index.slot(i)
		if entry == 0 {
			return 0, false
		}
		if entry>>32 != tag {
			continue
		}
		number := uint32(entry) - 1
		if z.nameAt(z.nodes.at(number).name).Equal(name) {
			return number, true
		}
	}
}
