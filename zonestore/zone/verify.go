package zone

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"secondaryd/internal/wire"
)

var (
	errReference = errors.New("reference outside the data")
	errOrder     = errors.New("names out of order")
	errIndex     = errors.New("index does not fit the names")
	errFlags     = errors.New("flags do not fit the tree")
)

// nodesAtOnce is how many nodes one goroutine checks while others check others:
// fewer are done before a goroutine has begun.
const nodesAtOnce = 1 << 14

// verify checks everything that look-ups take for granted of a decoded zone,
// and makes the rest of it, as its version wants.
func (z *Zone) verify(version uint32) error {
	if z.index.used != z.nodes.len() || z.index.size <= uint64(z.index.used) {
		return errIndex
	}
	var all counts
	err := inRanges(z.nodes.len(), nodesAtOnce, func(from, to int) error {
		return z.verifyNodes(uint32(from), uint32(to), version, &all)
	})
	if err != nil {
		return err
	}
	z.waste, z.dead = max(0, z.slab.span()-int(all.octets.Load())-1), uint32(all.dead.Load())
	z.apex = z.nodeName(0)
	if version == oldVersion {
		z.resettle() // its flags meant something else
	}
	return z.readSOA()
}

// counts adds up the octets of the slab that nodes use, and how many are dead.
type counts struct{ octets, dead atomic.Int64 }

// verifyNodes checks the nodes of a range, and counts. Others are looked at meanwhile: what it
// reads of a parent is safe to read, and right if all nodes are.
func (z *Zone) verifyNodes(from, to, version uint32, all *counts) error {
	var used, unused int
	for i := from; i < to; i++ {
		n, err := z.verifyNode(i)
		if err == nil && version != oldVersion {
			err = z.verifyFlags(i)
		}
		if err != nil {
			return fmt.Errorf("name %d: %w", i, err)
		}
		used += n
		if z.nodes.at(i).isDead() {
			unused++
		}
	}
	all.octets.Add(int64(used))
	all.dead.Add(int64(unused))
	return nil
}

// verifyNode checks node i without its flags, and returns how many octets of the
// slab it uses.
func (z *Zone) verifyNode(i uint32) (octets int, err error) {
	n := z.nodes.at(i)
	name, ok := z.nameIn(n.name)
	if !ok {
		return 0, errReference
	}
	if end, err := wire.SkipName(name, 0); err != nil || end != len(name) {
		return 0, wire.ErrLabel
	}
	if err := z.verifyPlace(i, name); err != nil {
		return 0, err
	}
	switch {
	case n.sets == 0:
		return 1 + len(name), nil
	case !z.slab.has(n.sets, setsHeader):
		return 0, errReference
	}
	octets, err = verifySets(z.slab.at(n.sets))
	return 1 + len(name) + octets, err
}

// nameIn is nameAt for a reference that may lead anywhere.
func (z *Zone) nameIn(ref uint32) (name wire.Name, ok bool) {
	if !z.slab.has(ref, 1) || !z.slab.has(ref, 1+int(z.slab.at(ref)[0])) {
		return nil, false
	}
	return z.nameAt(ref), true
}

// verifyPlace checks that node i, of that name, stands behind its parent.
func (z *Zone) verifyPlace(i uint32, name wire.Name) error {
	parent := z.nodes.at(i).parent
	if i == 0 {
		if parent != none || !name.Equal(z.apex) {
			return errOrder
		}
		return nil
	}
	if parent >= i || len(name) == 1 {
		return errOrder
	}
	above, ok := z.nameIn(z.nodes.at(parent).name)
	if rest := name.Parent(); !ok || !bytes.Equal(rest, above) && !rest.Equal(above) {
		return errOrder
	}
	return nil
}

// verifyFlags checks the flags of node i that searches follow.
func (z *Zone) verifyFlags(i uint32) error {
	n := z.nodes.at(i)
	inherited := uint32(0)
	if i > 0 {
		inherited = bequest(z.nodes.at(n.parent).flags)
	}
	if n.flags&(flagBelowCut|flagBelowName) != inherited && (i == 0 || n.isName()) {
		return errFlags
	}
	return nil
}

// verifySets checks the RRsets that b begins with and returns their octets.
func verifySets(b []byte) (octets int, err error) {
	whole := len(b)
	left := int(binary.BigEndian.Uint16(b))
	b = b[setsHeader:]
	for ; left > 0; left-- {
		if len(b) < setHeader {
			return 0, errReference
		}
		size := uint64(binary.BigEndian.Uint32(b[10:]))
		if size > uint64(len(b)-setHeader) {
			return 0, errReference
		}
		set, rest := b[:setHeader], b[setHeader:]
		if err := verifySet(set, rest[:size]); err != nil {
			return 0, err
		}
		b = rest[size:]
	}
	return whole - len(b), nil
}

// verifySet checks one RRset of which data is the records and signatures.
func verifySet(header, data []byte) error {
	t := binary.BigEndian.Uint16(header)
	records := int(binary.BigEndian.Uint16(header[2:]))
	total := records + int(binary.BigEndian.Uint16(header[4:]))
	for i := range total {
		if i == records {
			t = wire.TypeRRSIG
		}
		if i >= records {
			if len(data) < 4 {
				return errReference
			}
			data = data[4:]
		}
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return errReference
		}
		size := int(binary.BigEndian.Uint16(data))
		if err := wire.CheckRdata(t, data[2:2+size]); err != nil {
			return err
		}
		data = data[2+size:]
	}
	if len(data) != 0 {
		return errReference
	}
	return nil
}
