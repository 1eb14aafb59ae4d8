package zone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"secondaryd/internal/wire"
)

// The compiled form of a zone, as docs/format.md describes it: a header, then
// three sections, each followed by its checksum. All numbers are little-endian.
const (
	formMagic   = "SDZF"
	formVersion = 2
	oldVersion  = 1 // flags mean something else
	headerSize  = 4 + 4 + 8 + 8*6 + 1
	nodeSize    = 16
	slotSize    = 8
)

// ErrDamaged means that octets claiming to be a compiled zone are not one.
var ErrDamaged = errors.New("damaged zone data")

// ErrVersion means that the compiled form is one this release does not read.
var ErrVersion = errors.New("zone data in a format of another release")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// section writes octets and sums them up.
type section struct {
	w   io.Writer
	sum uint32
}

func (s *section) Write(b []byte) (int, error) {
	s.sum = crc32.Update(s.sum, castagnoli, b)
	return s.w.Write(b)
}

func (s *section) end() error {
	_, err := s.w.Write(binary.LittleEndian.AppendUint32(nil, s.sum))
	s.sum = 0
	return err
}

// Encode writes the compiled form of the zone, which Decode reads.
func (z *Zone) Encode(w io.Writer) error {
	s := &section{w: w}
	for _, part := range []func(io.Writer) error{z.writeHeader, z.slab.write, z.nodes.write, z.index.write, z.nsec.write, z.nsec3.write} {
		if err := part(s); err != nil {
			return err
		}
		if err := s.end(); err != nil {
			return err
		}
	}
	return nil
}

func (z *Zone) writeHeader(w io.Writer) error {
	b := append(make([]byte, 0, headerSize+wire.MaxName), formMagic...)
	b = binary.LittleEndian.AppendUint32(b, formVersion)
	b = binary.LittleEndian.AppendUint64(b, z.seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(z.records))
	b = binary.LittleEndian.AppendUint64(b, uint64(z.slab.span()))
	b = binary.LittleEndian.AppendUint64(b, uint64(z.nodes.len()))
	b = binary.LittleEndian.AppendUint64(b, z.index.size)
	b = binary.LittleEndian.AppendUint64(b, uint64(z.nsec.len()))
	b = binary.LittleEndian.AppendUint64(b, uint64(z.nsec3.len()))
	b = append(b, byte(len(z.apex)))
	_, err := w.Write(append(b, z.apex...))
	return err
}

// span returns the length of the slab's address space in use.
func (s *slab) span() int {
	last := len(s.chunks) - 1
	return last<<chunkBits + len(s.chunks[last])
}

// write puts out the address space: a chunk that is not full is filled up with
// zeros, so that the references stay right.
func (s *slab) write(w io.Writer) error {
	for i, c := range s.chunks {
		c = c[:min(len(c), chunkSize)]
		if _, err := w.Write(c); err != nil {
			return err
		}
		if i == len(s.chunks)-1 {
			break
		}
		if _, err := w.Write(make([]byte, chunkSize-len(c))); err != nil {
			return err
		}
	}
	return nil
}

func (n *nodes) write(w io.Writer) error {
	b := make([]byte, 0, nodePageSize*nodeSize)
	for _, page := range n.all {
		b = b[:0]
		for _, x := range page {
			b = binary.LittleEndian.AppendUint32(b, x.name)
			b = binary.LittleEndian.AppendUint32(b, x.parent)
			b = binary.LittleEndian.AppendUint32(b, x.sets)
			b = binary.LittleEndian.AppendUint32(b, x.flags)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (x *index) write(w io.Writer) error {
	b := make([]byte, 0, slotPageSize*slotSize)
	for _, page := range x.all {
		b = b[:0]
		for _, entry := range page {
			b = binary.LittleEndian.AppendUint64(b, entry)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (o *order) write(w io.Writer) error {
	b := make([]byte, 0, orderPageSize*4)
	for _, page := range o.pages {
		b = b[:0]
		for _, n := range page.nodes {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

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
	if z.slab, err = d.slab(sizes.slab); err != nil {
		return nil, err
	}
	if z.nodes, err = d.nodes(sizes.nodes); err != nil {
		return nil, err
	}
	if z.index, err = d.index(sizes.slots); err != nil {
		return nil, err
	}
	var orders [2][]uint32
	for i, n := range []uint64{sizes.nsec, sizes.nsec3} {
		if orders[i], err = d.numbers(n); err != nil {
			return nil, err
		}
	}
	if len(d.rest) != 0 {
		return nil, fmt.Errorf("%w: %d octets too many", ErrDamaged, len(d.rest))
	}
	if err := z.verify(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := z.readFlags(sizes.version); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := z.readChains(orders); err != nil {
		return nil, err
	}
	if z.seed != seed {
		z.reseed(seed)
	}
	return z, nil
}

// decoder takes the sections of a compiled zone off rest.
type decoder struct{ rest []byte }

// take returns the next n octets if their checksum, which follows, is right.
func (d *decoder) take(n uint64, what string) ([]byte, error) {
	if n > uint64(len(d.rest)) || uint64(len(d.rest))-n < 4 {
		return nil, fmt.Errorf("%w: ends inside the %s", ErrDamaged, what)
	}
	b, rest := d.rest[:n:n], d.rest[n:]
	if crc32.Checksum(b, castagnoli) != binary.LittleEndian.Uint32(rest) {
		return nil, fmt.Errorf("%w: wrong checksum of the %s", ErrDamaged, what)
	}
	d.rest = rest[4:]
	return b, nil
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
	b, err := d.take(headerSize+uint64(d.rest[headerSize-1]), "header")
	if err != nil {
		return nil, sizes{}, err
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8+8*i:]) }
	apex := wire.Name(b[headerSize:])
	if end, err := wire.SkipName(apex, 0); err != nil || end != len(apex) {
		return nil, sizes{}, fmt.Errorf("%w: bad apex", ErrDamaged)
	}
	z := &Zone{apex: apex, labels: apex.Labels(), seed: number(0), records: int(number(1)), chains: &noChains}
	return z, sizes{version, number(2), number(3), number(4), number(5), number(6)}, nil
}

func (d *decoder) slab(size uint64) (slab, error) {
	b, err := d.take(size, "names and records")
	if err != nil {
		return slab{}, err
	}
	var s slab
	for off := 0; off < len(b) || off == 0; off += chunkSize {
		s.chunks = append(s.chunks, b[off:])
	}
	s.closed = (len(s.chunks) - 1) * chunkSize
	return s, nil
}

func (d *decoder) nodes(count uint64) (nodes, error) {
	if count == 0 || count > uint64(len(d.rest)/nodeSize) {
		return nodes{}, fmt.Errorf("%w: impossible number of names", ErrDamaged)
	}
	b, err := d.take(count*nodeSize, "tree")
	if err != nil {
		return nodes{}, err
	}
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
	return n, nil
}

func (d *decoder) index(slots uint64) (index, error) {
	if slots == 0 || slots > uint64(len(d.rest)/slotSize) {
		return index{}, fmt.Errorf("%w: impossible size of the index", ErrDamaged)
	}
	b, err := d.take(slots*slotSize, "index")
	if err != nil {
		return index{}, err
	}
	x := index{size: slots}
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
	return x, nil
}

// numbers reads the nodes of a chain.
func (d *decoder) numbers(count uint64) ([]uint32, error) {
	if count > uint64(len(d.rest)/4) {
		return nil, fmt.Errorf("%w: impossible size of a chain", ErrDamaged)
	}
	b, err := d.take(count*4, "chain")
	if err != nil {
		return nil, err
	}
	nodes := make([]uint32, count)
	for i := range nodes {
		nodes[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return nodes, nil
}

// readChains makes the chains of the nodes in them.
func (z *Zone) readChains(orders [2][]uint32) (err error) {
	param, hashed := z.readNSEC3Param()
	if !hashed && len(orders[0])+len(orders[1]) == 0 {
		return nil
	}
	z.chains = &chains{nsec3Param: param, hashed: hashed}
	if z.nsec, err = z.readOrder(orders[0]); err != nil {
		return err
	}
	z.nsec3, err = z.readOrder(orders[1])
	return err
}

// readOrder makes an order of nodes that must be sorted already.
func (z *Zone) readOrder(nodes []uint32) (order, error) {
	var o order
	var last wire.Name
	var lastKey uint64
	for _, n := range nodes {
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
		z.index.insert(wire.HashName(name, seed), i)
	}
}
