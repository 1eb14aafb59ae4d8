package zone

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"sync/atomic"

	"secondaryd/internal/hugepage"
	"secondaryd/internal/wire"
)

// Decode makes a zone of its compiled form and keeps nothing of data. It checks
// whatever look-ups rely on, so that damaged data is refused here, with
// ErrDamaged, and never met by a query. A zone written with another seed gets a
// new index.
func Decode(data []byte, seed uint64) (*Zone, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: no zone header", ErrDamaged)
	}
	d := decoder{memory: data, size: int64(len(data))}
	return d.zone(seed)
}

// Read is Decode for the first size octets of r. It reads them by parts, several
// at the same time if there are many, to where they stay.
func Read(r io.ReaderAt, size int64, seed uint64) (*Zone, error) {
	d := decoder{r: r, size: size}
	return d.zone(seed)
}

func (d *decoder) zone(seed uint64) (*Zone, error) {
	z, sizes, err := d.header()
	if err != nil {
		return nil, err
	}
	sections, err := d.sections(sizes)
	if err != nil {
		return nil, err
	}
	nsec, nsec3, err := z.readSections(&sections)
	if err != nil {
		return nil, err
	}
	if err := z.verify(sizes.version); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := z.enchain(nsec, nsec3); err != nil {
		return nil, err
	}
	if z.seed != seed {
		z.reseed(seed)
	}
	return z, nil
}

// beginning returns at most the first n octets.
func (d *decoder) beginning(n int64) ([]byte, error) {
	n = min(n, d.size)
	if d.memory != nil {
		return d.memory[:n], nil
	}
	b := make([]byte, n)
	return b, (&part{r: d.r, what: "header"}).readAt(b, 0)
}

// sizes are how much of everything the header announces.
type sizes struct {
	version                         uint32
	slab, nodes, slots, nsec, nsec3 uint64
}

func (d *decoder) header() (*Zone, sizes, error) {
	b, err := d.beginning(headerSize + wire.MaxName)
	if err != nil {
		return nil, sizes{}, err
	}
	if len(b) < headerSize || string(b[:4]) != formMagic {
		return nil, sizes{}, fmt.Errorf("%w: no zone header", ErrDamaged)
	}
	version := binary.LittleEndian.Uint32(b[4:])
	if version != formVersion && version != oldVersion {
		return nil, sizes{}, fmt.Errorf("%w: version %d, this one reads %d and %d", ErrVersion, version, oldVersion, formVersion)
	}
	p, err := d.cut(headerSize+uint64(b[headerSize-1]), "header")
	if err != nil {
		return nil, sizes{}, err
	}
	b = b[:p.size]
	if err := p.check(crc32.Checksum(b, castagnoli)); err != nil {
		return nil, sizes{}, err
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8+8*i:]) }
	apex := wire.Name(b[headerSize:])
	if end, err := wire.SkipName(apex, 0); err != nil || end != len(apex) {
		return nil, sizes{}, fmt.Errorf("%w: bad apex", ErrDamaged)
	}
	z := &Zone{apex: apex, labels: uint8(apex.Labels()), seed: number(0), records: int(number(1)), chains: &noChains, suspect: true}
	return z, sizes{version, number(2), number(3), number(4), number(5), number(6)}, nil
}

// sections are what follows the header.
type sections struct{ slab, nodes, index, nsec, nsec3 part }

func (d *decoder) sections(s sizes) (all sections, err error) {
	// Beside what an error quotes they would all go to the heap.
	parts := [...]*part{&all.slab, &all.nodes, &all.index, &all.nsec, &all.nsec3}
	for i, section := range [...]struct {
		count, width uint64
		least        uint64
		what         string
	}{
		{s.slab, 1, 0, "names and records"},
		{s.nodes, nodeSize, 1, "tree"},
		{s.slots, slotSize, 1, "index"},
		{s.nsec, 4, 0, "NSEC chain"},
		{s.nsec3, 4, 0, "NSEC3 chain"},
	} {
		if section.count < section.least || section.count > math.MaxUint32 || section.count > d.left()/section.width {
			return sections{}, fmt.Errorf("%w: impossible size of the %s", ErrDamaged, section.what)
		}
		if *parts[i], err = d.cut(section.count*section.width, section.what); err != nil {
			return sections{}, err
		}
	}
	if d.left() != 0 {
		return sections{}, fmt.Errorf("%w: %d octets too many", ErrDamaged, d.left())
	}
	return all, nil
}

// readSections takes the slab, the nodes and the index, and returns the nodes of
// both chains.
func (z *Zone) readSections(s *sections) (nsec, nsec3 []uint32, err error) {
	block := hugepage.New(s.nodes.size + s.index.size + s.slab.size)
	defer block.Filled()
	if z.index, err = readIndex(&s.index, &block, s.nodes.size/nodeSize); err != nil {
		return nil, nil, err
	}
	if z.nodes, err = readNodes(&s.nodes, &block); err != nil {
		return nil, nil, err
	}
	if z.slab, err = readSlab(&s.slab, &block); err != nil {
		return nil, nil, err
	}
	if nsec, err = readNumbers(&s.nsec); err != nil {
		return nil, nil, err
	}
	nsec3, err = readNumbers(&s.nsec3)
	return nsec, nsec3, err
}

func readSlab(p *part, block *hugepage.Block) (slab, error) {
	b := hugepage.Take[byte](block, p.size)
	if err := p.fill(b); err != nil {
		return slab{}, err
	}
	return slabOf(b), nil
}

// slabOf lays a slab over b.
func slabOf(b []byte) slab {
	var s slab
	for off := 0; off < len(b) || off == 0; off += chunkSize {
		s.chunks = append(s.chunks, b[off:])
	}
	s.closed = (len(s.chunks) - 1) * chunkSize
	return s
}

func readNodes(p *part, block *hugepage.Block) (nodes, error) {
	all := hugepage.Take[node](block, p.size/nodeSize)
	err := p.each(func(off int, b []byte) error {
		for i := range all[off/nodeSize:][:len(b)/nodeSize] {
			all[off/nodeSize+i] = node{
				name:   binary.LittleEndian.Uint32(b),
				parent: binary.LittleEndian.Uint32(b[4:]),
				sets:   binary.LittleEndian.Uint32(b[8:]),
				flags:  binary.LittleEndian.Uint32(b[12:]),
			}
			b = b[nodeSize:]
		}
		return nil
	})
	return nodes{paged(all, nodePageSize)}, err
}

// readIndex reads the index of a zone of that many nodes.
func readIndex(p *part, block *hugepage.Block, nodes int) (index, error) {
	all := hugepage.Take[uint64](block, p.size/slotSize)
	var used atomic.Int64
	err := p.each(func(off int, b []byte) error {
		n := 0
		for i := range all[off/slotSize:][:len(b)/slotSize] {
			entry := binary.LittleEndian.Uint64(b)
			b = b[slotSize:]
			if entry == 0 {
				continue
			}
			if uint32(entry)-1 >= uint32(nodes) {
				return fmt.Errorf("%w: %w", ErrDamaged, errIndex)
			}
			all[off/slotSize+i] = entry
			n++
		}
		used.Add(int64(n))
		return nil
	})
	return index{pages: paged(all, slotPageSize), size: uint64(len(all)), used: int(used.Load())}, err
}

// readNumbers reads the nodes of a chain.
func readNumbers(p *part) ([]uint32, error) {
	if p.size == 0 {
		return nil, p.check(0)
	}
	all := make([]uint32, p.size/4)
	err := p.each(func(off int, b []byte) error {
		for i := range all[off/4:][:len(b)/4] {
			all[off/4+i] = binary.LittleEndian.Uint32(b[4*i:])
		}
		return nil
	})
	return all, err
}

// enchain makes the chains of the nodes in them.
func (z *Zone) enchain(nsec, nsec3 []uint32) (err error) {
	param, hashed := z.readNSEC3Param()
	if !hashed && len(nsec)+len(nsec3) == 0 {
		return nil
	}
	z.chains = &chains{nsec3Param: param, hashed: hashed}
	if z.nsec, err = z.orderOf(nsec); err != nil {
		return err
	}
	z.nsec3, err = z.orderOf(nsec3)
	return err
}

// orderOf makes an order of nodes that must be sorted already.
func (z *Zone) orderOf(nodes []uint32) (order, error) {
	count := (len(nodes) + orderPageSize - 1) / orderPageSize
	o := order{firsts: make([]uint64, count), pages: make([]orderPage, count), count: len(nodes)}
	err := inRanges(len(nodes), orderPageSize, func(from, to int) error {
		page, err := z.pageOf(nodes[from:to], nodes[max(0, from-1):from])
		if err != nil {
			return fmt.Errorf("%w: chain: %w", ErrDamaged, err)
		}
		o.firsts[from/orderPageSize], o.pages[from/orderPageSize] = page.keys[0], page
		return nil
	})
	return o, err
}

// pageOf makes a page of an order. The nodes must come behind the one before the
// page, which there is one of at most.
func (z *Zone) pageOf(nodes, before []uint32) (orderPage, error) {
	page := orderPage{make([]uint64, 0, len(nodes)), make([]uint32, 0, len(nodes))}
	var last place
	for i, n := range slices.Concat(before, nodes) {
		if n >= uint32(z.nodes.len()) {
			return orderPage{}, errReference
		}
		p := z.place(n)
		if i > 0 && z.comparePlaces(last, p) >= 0 {
			return orderPage{}, errOrder
		}
		if i >= len(before) {
			page.append(p)
		}
		last = p
	}
	return page, nil
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
