package zone

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"secondaryd/internal/wire"
)

// Decode makes a zone of its compiled form and keeps data, which the caller
// must not change afterwards. It checks whatever look-ups rely on, so that
// damaged data is refused here and never met by a query. A zone written with
// another seed gets a new index.
func Decode(data []byte, seed uint64) (*Zone, error) {
	d := decoder{rest: data}
	z, sizes, err := d.header()
	if err != nil {
		return nil, err
	}
	sections, err := d.sections(sizes)
	if err != nil {
		return nil, err
	}
	if err := z.readSections(&sections); err != nil {
		return nil, err
	}
	if err := z.verify(sizes.version); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := z.readChains(&sections); err != nil {
		return nil, err
	}
	if z.seed != seed {
		z.reseed(seed)
	}
	return z, nil
}

// decoder takes a compiled zone off rest.
type decoder struct{ rest []byte }

// part is a section that was not looked into yet.
type part struct {
	what   string
	octets []byte
	sum    uint32
}

// cut takes the next n octets and their checksum, which follows.
func (d *decoder) cut(n uint64, what string) (part, error) {
	if n > uint64(len(d.rest)) || uint64(len(d.rest))-n < 4 {
		return part{}, fmt.Errorf("%w: ends inside the %s", ErrDamaged, what)
	}
	p := part{what: what, octets: d.rest[:n:n], sum: binary.LittleEndian.Uint32(d.rest[n:])}
	d.rest = d.rest[n+4:]
	return p, nil
}

func (p *part) check() error {
	if crc32.Checksum(p.octets, castagnoli) != p.sum {
		return fmt.Errorf("%w: wrong checksum of the %s", ErrDamaged, p.what)
	}
	return nil
}

// sizes are how much of everything the header announces.
type sizes struct {
	version                         uint32
	slab, nodes, slots, nsec, nsec3 uint64
}

func (d *decoder) header() (*Zone, sizes, error) {
	if len(d.rest) < headerSize || string(d.rest[:4]) != formMagic {
		return nil, sizes{}, fmt.Errorf("%w: no zone header", ErrDamaged)
	}
	version := binary.LittleEndian.Uint32(d.rest[4:])
	if version != formVersion && version != oldVersion {
		return nil, sizes{}, fmt.Errorf("%w: version %d, this one reads %d and %d", ErrVersion, version, oldVersion, formVersion)
	}
	p, err := d.cut(headerSize+uint64(d.rest[headerSize-1]), "header")
	if err != nil {
		return nil, sizes{}, err
	}
	if err := p.check(); err != nil {
		return nil, sizes{}, err
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(p.octets[8+8*i:]) }
	apex := wire.Name(p.octets[headerSize:])
	if end, err := wire.SkipName(apex, 0); err != nil || end != len(apex) {
		return nil, sizes{}, fmt.Errorf("%w: bad apex", ErrDamaged)
	}
	z := &Zone{apex: apex, labels: apex.Labels(), seed: number(0), records: int(number(1)), chains: &noChains}
	return z, sizes{version, number(2), number(3), number(4), number(5), number(6)}, nil
}

// sections are what follows the header.
type sections struct{ slab, nodes, index, nsec, nsec3 part }

func (d *decoder) sections(s sizes) (all sections, err error) {
	for _, section := range []struct {
		part         *part
		count, width uint64
		least        uint64
		what         string
	}{
		{&all.slab, s.slab, 1, 0, "names and records"},
		{&all.nodes, s.nodes, nodeSize, 1, "tree"},
		{&all.index, s.slots, slotSize, 1, "index"},
		{&all.nsec, s.nsec, 4, 0, "NSEC chain"},
		{&all.nsec3, s.nsec3, 4, 0, "NSEC3 chain"},
	} {
		if section.count < section.least || section.count > uint64(len(d.rest))/section.width {
			return sections{}, fmt.Errorf("%w: impossible size of the %s", ErrDamaged, section.what)
		}
		if *section.part, err = d.cut(section.count*section.width, section.what); err != nil {
			return sections{}, err
		}
	}
	if len(d.rest) != 0 {
		return sections{}, fmt.Errorf("%w: %d octets too many", ErrDamaged, len(d.rest))
	}
	return all, nil
}

// readSections checks all sections and takes the slab, the nodes and the index,
// at the same time if they are large.
func (z *Zone) readSections(s *sections) error {
	together := len(s.slab.octets) > manyOctets
	return inParallel(together,
		func() error {
			z.slab = readSlab(s.slab.octets)
			return s.slab.check()
		},
		func() error {
			z.nodes = readNodes(s.nodes.octets)
			return s.nodes.check()
		},
		func() error {
			z.index = readIndex(s.index.octets)
			return errors.Join(s.index.check(), s.nsec.check(), s.nsec3.check())
		})
}

func readSlab(b []byte) slab {
	if len(b) < chunkSize/16 {
		b = bytes.Clone(b) // or little data would hold on to what it was read with
	}
	var s slab
	for off := 0; off < len(b) || off == 0; off += chunkSize {
		s.chunks = append(s.chunks, b[off:])
	}
	s.closed = (len(s.chunks) - 1) * chunkSize
	return s
}

func readNodes(b []byte) nodes {
	var n nodes
	for len(b) > 0 {
		page := make([]node, min(nodePageSize, len(b)/nodeSize))
		for i := range page {
			page[i] = node{
				name:   binary.LittleEndian.Uint32(b),
				parent: binary.LittleEndian.Uint32(b[4:]),
				sets:   binary.LittleEndian.Uint32(b[8:]),
				flags:  binary.LittleEndian.Uint32(b[12:]),
			}
			b = b[nodeSize:]
		}
		n.all = append(n.all, page)
	}
	return n
}

func readIndex(b []byte) index {
	x := index{size: uint64(len(b) / slotSize)}
	for len(b) > 0 {
		page := make([]uint64, min(slotPageSize, len(b)/slotSize))
		for i := range page {
			page[i] = binary.LittleEndian.Uint64(b)
			b = b[slotSize:]
			if page[i] != 0 {
				x.used++
			}
		}
		x.all = append(x.all, page)
	}
	return x
}

// readChains makes the chains of the nodes in them.
func (z *Zone) readChains(s *sections) (err error) {
	param, hashed := z.readNSEC3Param()
	if !hashed && len(s.nsec.octets)+len(s.nsec3.octets) == 0 {
		return nil
	}
	z.chains = &chains{nsec3Param: param, hashed: hashed}
	if z.nsec, err = z.readOrder(&s.nsec); err != nil {
		return err
	}
	z.nsec3, err = z.readOrder(&s.nsec3)
	return err
}

// readOrder makes an order of nodes that must be sorted already.
func (z *Zone) readOrder(p *part) (order, error) {
	var o order
	var last wire.Name
	var lastKey uint64
	for b := p.octets; len(b) > 0; b = b[4:] {
		n := binary.LittleEndian.Uint32(b)
		if n >= uint32(z.nodes.len()) {
			return order{}, fmt.Errorf("%w: chain: %w", ErrDamaged, errReference)
		}
		name := z.nodeName(n)
		key := sortKey(name, z.labels)
		if last != nil && (key < lastKey || key == lastKey && name.Compare(last) <= 0) {
			return order{}, fmt.Errorf("%w: chain: %w", ErrDamaged, errOrder)
		}
		o.append(place{key, n})
		last, lastKey = name, key
	}
	o.trim()
	return o, nil
}

// reseed lays the index out for hashes with another seed.
func (z *Zone) reseed(seed uint64) {
	z.seed = seed
	z.index = makeIndex(z.nodes.len())
	var folded [wire.MaxName]byte
	for i := range uint32(z.nodes.len()) {
		name := wire.AppendFolded(folded[:0], z.nameAt(z.nodes.at(i).name))
		z.index.insert(wire.HashName(name, seed), i, 0)
	}
}
