package zone

import (
	"encoding/binary"
	"errors"
	"fmt"

	"secondaryd/internal/wire"
)

var (
	errReference = errors.New("reference outside the data")
	errOrder     = errors.New("names out of order")
	errIndex     = errors.New("index does not fit the names")
	errFlags     = errors.New("flags do not fit the tree")
)

// verify checks everything that look-ups take for granted of a decoded zone.
func (z *Zone) verify() error {
	count := uint32(z.nodes.len())
	used := 1
	for i := range count {
		octets, err := z.verifyNode(i)
		if err != nil {
			return fmt.Errorf("name %d: %w", i, err)
		}
		used += octets
	}
	z.waste = max(0, z.slab.span()-used)
	if z.index.used != int(count) || z.index.size <= uint64(count) {
		return errIndex
	}
	for _, page := range z.index.all {
		for _, entry := range page {
			if entry != 0 && uint32(entry)-1 >= count {
				return errIndex
			}
		}
	}
	return z.readSOA()
}

// readFlags checks the flags that searches follow, and counts dead nodes. Those
// of an old version are worked out anew.
func (z *Zone) readFlags(version uint32) error {
	if version == oldVersion {
		z.resettle()
		return nil
	}
	for i := range uint32(z.nodes.len()) {
		n := z.nodes.at(i)
		if n.isDead() {
			z.dead++
		}
		inherited := uint32(0)
		if i > 0 {
			inherited = bequest(z.nodes.at(n.parent).flags)
		}
		if n.flags&(flagBelowCut|flagBelowName) != inherited && (i == 0 || n.isName()) {
			return errFlags
		}
	}
	return nil
}

// verifyNode checks node i, those before it being right, and returns how many
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
	case i == 0 && (n.parent != none || !name.Equal(z.apex)):
		return 0, errOrder
	case i > 0 && n.parent >= i:
		return 0, errOrder
	case i > 0 && !name.Parent().Equal(z.nameAt(z.nodes.at(n.parent).name)):
		return 0, errOrder
	case n.sets == 0:
		return 1 + len(name), nil
	case !z.slab.has(n.sets, setsHeader):
		return 0, errReference
	}
	octets, err = verifySets(z.slab.at(n.sets))
	return 1 + len(name) + octets, err
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
