package zone

import (
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

// verify checks everything that look-ups take for granted of a decoded zone,
// and makes the rest of it, as its version wants.
func (z *Zone) verify(version uint32) error {
	if err := z.verifyIndex(); err != nil {
		return err
	}
	used, err := z.countNodes(z.verifyNode)
	if err != nil {
		return err
	}
	z.waste = max(0, z.slab.span()-used-1)
	if _, err := z.countNodes(z.verifyPlace); err != nil {
		return err
	}
	z.apex = z.nodeName(0)
	if version == oldVersion {
		z.resettle() // its flags meant something else
		return z.readSOA()
	}
	if z.dead, err = z.countNodes(z.verifyFlags); err != nil {
		return err
	}
	return z.readSOA()
}

// countNodes adds up what count says of each node. Several nodes may be looked
// at together.
func (z *Zone) countNodes(count func(i uint32) (int, error)) (int, error) {
	var total atomic.Int64
	err := inRanges(z.nodes.len(), func(from, to int) error {
		sum := 0
		for i := from; i < to; i++ {
			n, err := count(uint32(i))
			if err != nil {
				return fmt.Errorf("name %d: %w", i, err)
			}
			sum += n
		}
		total.Add(int64(sum))
		return nil
	})
	return int(total.Load()), err
}

func (z *Zone) verifyIndex() error {
	count := z.nodes.len()
	if z.index.used != count || z.index.size <= uint64(count) {
		return errIndex
	}
	return inRanges(len(z.index.all), func(from, to int) error {
		for _, page := range z.index.all[from:to] {
			for _, entry := range page {
				if entry != 0 && int(uint32(entry))-1 >= count {
					return errIndex
				}
			}
		}
		return nil
	})
}

// verifyNode checks the name and the records of node i, and returns how many
// octets of the slab it uses.
func (z *Zone) verifyNode(i uint32) (octets int, err error) {
	n := z.nodes.at(i)
	if !z.slab.has(n.name, 1) || !z.slab.has(n.name, 1+int(z.slab.at(n.name)[0])) {
		return 0, errReference
	}
	name := z.nameAt(n.name)
	if end, err := wire.SkipName(name, 0); err != nil || end != len(name) {
		return 0, wire.ErrLabel
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

// verifyPlace checks that node i stands behind its parent, all names being right.
func (z *Zone) verifyPlace(i uint32) (int, error) {
	n := z.nodes.at(i)
	name := z.nameAt(n.name)
	switch {
	case i == 0 && (n.parent != none || !name.Equal(z.apex)):
		return 0, errOrder
	case i > 0 && n.parent >= i:
		return 0, errOrder
	case i > 0 && (len(name) == 1 || !name.Parent().Equal(z.nameAt(z.nodes.at(n.parent).name))):
		return 0, errOrder
	}
	return 0, nil
}

// verifyFlags checks the flags that searches follow, all places being right,
// and counts the node if it is dead.
func (z *Zone) verifyFlags(i uint32) (dead int, err error) {
	n := z.nodes.at(i)
	inherited := uint32(0)
	if i > 0 {
		inherited = bequest(z.nodes.at(n.parent).flags)
	}
	if n.flags&(flagBelowCut|flagBelowName) != inherited && (i == 0 || n.isName()) {
		return 0, errFlags
	}
	if n.isDead() {
		return 1, nil
	}
	return 0, nil
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
