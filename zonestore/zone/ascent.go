package zone

import (
	"fmt"

	"secondaryd/internal/wire"
)

// An ascent makes nodes for owners that come in canonical order (RFC 4034 section
// 6.1), as most primaries send them. Of an owner behind all others, nothing can be
// there yet but what is above the one before it too. So no name is looked up, and
// the index is laid out once, when its size is known; and all records of a name are
// there before the names below it, which know from the start what follows for them.
type ascent struct {
	unordered bool // an owner came out of order
	labels    int  // of the current name; in hashes are its hash and those of the names above, by their labels
}

// sortedGrowth is by how much, in halves, the index grows when owners cease to come in
// order: often there are few to come, such as those of NSEC3 records.
const sortedGrowth = 2

// reach returns the node of an owner that is not the current one.
func (b *Builder) reach(owner wire.Name) (uint32, error) {
	if b.unordered {
		return b.nodeOf(owner)
	}
	order, labels := owner.Meet(b.zone.nodeName(b.current))
	if labels < int(b.zone.labels) {
		return 0, fmt.Errorf("%s: %w", owner, ErrOutOfZone)
	}
	if order < 0 {
		b.unordered = true
		b.zone.index.grow(sortedGrowth)
		return b.nodeOf(owner)
	}
	return b.ascend(owner, labels)
}

// ascend makes the node of an owner in order, with those between it and its
// deepest ancestor that is there, which has so many labels.
func (b *Builder) ascend(owner wire.Name, labels int) (uint32, error) {
	var starts [wire.MaxLabels]uint8
	count := owner.LabelStarts(&starts)
	i := b.above(labels)
	for ; labels < count; labels++ {
		name := owner[starts[count-labels-1]:]
		hash := b.hashChild(b.hashes[labels], name)
		b.hashes[labels+1] = hash
		next, err := b.addNode(name, hash, i)
		if err != nil {
			return 0, err
		}
		b.zone.inherit(next)
		i = next
	}
	b.labels = count
	return i, nil
}

// above returns the node of so many labels that is the current one or above it.
func (b *Builder) above(labels int) uint32 {
	i := b.current
	for n := b.labels; n > labels; n-- {
		i = b.zone.nodes.at(i).parent
	}
	return i
}

// hashChild returns the hash of a name in any case, from that of its parent.
func (b *Builder) hashChild(parent uint64, name wire.Name) uint64 {
	label := name[:1+int(name[0])]
	return wire.HashChild(parent, wire.AppendFolded(b.folded[:0], label))
}
