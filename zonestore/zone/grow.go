package zone

import (
	"fmt"

	"secondaryd/internal/wire"
)

// A grower adds names to a zone that is being made.
type grower struct {
	zone   *Zone
	born   uint32 // flags of a new node
	growth int    // of the index

	wildcards []uint32 // nodes of a zone made anew whose first label is "*"

	*workspace
}

// nodeOf returns the node of owner, made if need be with all its ancestors.
func (g *grower) nodeOf(owner wire.Name) (uint32, error) {
	parent, depth, err := g.nearest(owner)
	if err != nil {
		return 0, err
	}
	for depth--; depth >= 0; depth-- {
		i, err := g.addNode(owner[len(owner)-len(g.suffixes.Name(depth)):], g.suffixes.Hash(depth), parent)
		if err != nil {
			return 0, err
		}
		parent = i
	}
	return parent, nil
}

// nearest returns the deepest node at or above owner, and how many labels
// deeper owner lies.
func (g *grower) nearest(owner wire.Name) (i uint32, depth int, err error) {
	if !owner.In(g.zone.apex) {
		return 0, 0, fmt.Errorf("%s: %w", owner, ErrOutOfZone)
	}
	s := &g.suffixes
	s.Set(wire.AppendFolded(g.folded[:0], owner), g.zone.seed)
	last := s.Count() - int(g.zone.labels)
	for ; depth < last; depth++ {
		if i, ok := g.zone.lookup(s.Hash(depth), s.Name(depth)); ok {
			return i, depth, nil
		}
	}
	return 0, depth, nil
}

// addNode makes the node of name.
func (g *grower) addNode(name wire.Name, hash uint64, parent uint32) (uint32, error) {
	ref, err := g.zone.putName(name)
	if err != nil {
		return 0, err
	}
	i := g.zone.nodes.append(node{name: ref, parent: parent, flags: g.born})
	g.zone.index.insert(hash, i, g.growth)
	if g.born&flagHidden == 0 && name.IsWildcard() { // a Delta tells the parents itself
		g.wildcards = append(g.wildcards, i)
	}
	return i, nil
}

// putName copies a name into the slab.
func (z *Zone) putName(name wire.Name) (uint32, error) {
	ref, space, err := z.slab.alloc(1 + len(name))
	if err != nil {
		return 0, err
	}
	space[0] = byte(len(name))
	copy(space[1:], name)
	return ref, nil
}

// checkRecord refuses what can't be a record of a zone, wherever it stands.
func checkRecord(owner wire.Name, t uint16, rdata []byte) error {
	if !wire.IsData(t) {
		return fmt.Errorf("%s type %d: %w", owner, t, ErrMetaType)
	}
	if t == wire.TypeRRSIG && len(rdata) < 18 {
		return fmt.Errorf("%s RRSIG: %w", owner, wire.ErrRdata)
	}
	if len(rdata) > wire.MaxMessage {
		return fmt.Errorf("%s type %d: %w", owner, t, wire.ErrRdataLong)
	}
	return nil
}

// plainTTL returns the TTL that ttl stands for: one with the top bit set is
// zero (RFC 2181 section 8).
func plainTTL(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return ttl
}
