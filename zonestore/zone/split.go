package zone

import (
	"encoding/binary"
	"fmt"
)

// A name whose records do not come together is kept in pieces and put together
// once at the end, so that a primary that interleaves names costs n log n and
// not n squared. While a node has flagSplit, its sets refer to a link:
//
//	u32 the link before it (0: none)
//	u32 a piece: sets, as in rrset.go
const linkSize = 8

// flush writes the pending records of the current name to the slab.
func (b *Builder) flush() error {
	if len(b.pending.records) == 0 {
		return nil
	}
	b.pending.tidy()
	ref, err := b.pending.write(&b.zone.slab, b.limits)
	if err != nil {
		return b.at(b.current, err)
	}
	n := b.zone.nodes.at(b.current)
	b.all.note(n, b.pending.owned(b.current == 0))
	b.pending.reset()
	b.look = 0
	if n.sets == 0 {
		n.sets = ref
		return nil
	}
	if n.flags&flagSplit == 0 {
		if n.sets, err = b.link(0, n.sets); err != nil {
			return err
		}
		n.flags |= flagSplit
		b.split = true
	}
	n.sets, err = b.link(n.sets, ref)
	return err
}

func (b *Builder) at(node uint32, err error) error {
	return fmt.Errorf("%s: %w", b.zone.nameAt(b.zone.nodes.at(node).name), err)
}

func (b *Builder) link(before, piece uint32) (uint32, error) {
	ref, space, err := b.zone.slab.alloc(linkSize)
	if err != nil {
		return 0, err
	}
	binary.BigEndian.PutUint32(space, before)
	binary.BigEndian.PutUint32(space[4:], piece)
	return ref, nil
}

// joinSplit puts together every name that is still in pieces.
func (b *Builder) joinSplit() error {
	if !b.split {
		return nil
	}
	for i := range uint32(b.zone.nodes.len()) {
		n := b.zone.nodes.at(i)
		if n.flags&flagSplit == 0 {
			continue
		}
		if err := b.join(i, n); err != nil {
			return b.at(i, err)
		}
	}
	return nil
}

func (b *Builder) join(i uint32, n *node) error {
	b.pending.reset()
	for link := n.sets; link != 0; {
		space := b.zone.slab.at(link)
		n.sets = binary.BigEndian.Uint32(space[4:])
		for set := range (Node{b.zone, i}).Sets() {
			b.pending.addSet(set)
		}
		link = binary.BigEndian.Uint32(space)
	}
	b.pending.tidy()
	ref, err := b.pending.write(&b.zone.slab, b.limits)
	if err != nil {
		return err
	}
	b.pending.reset()
	n.sets = ref
	n.flags &^= flagSplit
	return b.memory()
}

// compact copies what is in use into a new slab if names came in pieces, which
// are of no more use.
func (b *Builder) compact() error {
	if !b.split {
		b.zone.slab.trim()
		return nil
	}
	var packed slab
	for i := range uint32(b.zone.nodes.len()) {
		n := b.zone.nodes.at(i)
		sets := Node{b.zone, i}.octets()
		var err error
		if n.name, err = packed.copy(b.zone.slab.at(n.name)[:1+len(b.zone.nameAt(n.name))]); err != nil {
			return err
		}
		if n.sets == 0 {
			continue
		}
		if n.sets, err = packed.copy(sets); err != nil {
			return err
		}
	}
	packed.trim()
	b.zone.slab = packed
	return nil
}

// octets returns the node's sets as they lie in the slab.
func (n Node) octets() []byte {
	ref := n.data().sets
	if ref == 0 {
		return nil
	}
	sets := n.cursor()
	for sets.left > 0 {
		sets.skip()
	}
	whole := n.zone.slab.at(ref)
	return whole[:len(whole)-len(sets.data)]
}

func (s *slab) copy(b []byte) (uint32, error) {
	ref, space, err := s.alloc(len(b))
	copy(space, b)
	return ref, err
}
