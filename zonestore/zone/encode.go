package zone

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"secondaryd/internal/wire"
)

// The compiled form of a zone, as docs/format.md describes it: a header, then
// five sections, each followed by its checksum. All numbers are little-endian.
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
	if len(b) < largePiece {
		s.sum = crc32.Update(s.sum, castagnoli, b)
		return s.w.Write(b)
	}
	var sum sync.WaitGroup
	sum.Go(func() { s.sum = crc32.Update(s.sum, castagnoli, b) })
	n, err := s.w.Write(b)
	sum.Wait()
	return n, err
}

// largePiece is from how many octets on it takes less time to sum them up while
// they are written.
const largePiece = 256 << 10

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
	b := make([]byte, 0, min(n.len(), nodePageSize)*nodeSize) // small zones come by the thousand
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
	b := make([]byte, 0, min(int(x.size), slotPageSize)*slotSize)
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
	b := make([]byte, 0, min(o.count, orderPageSize)*4)
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
