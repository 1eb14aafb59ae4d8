package zone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// decoder takes a compiled zone apart, which lies in memory or is read by parts.
type decoder struct {
	memory []byte
	r      io.ReaderAt // if it is not in memory
	off    int64       // up to where it was taken apart
	size   int64       // of all
}

func (d *decoder) left() uint64 { return uint64(d.size - d.off) }

// part is a section that was not looked into yet.
type part struct {
	memory []byte      // with the checksum
	r      io.ReaderAt // if it is not in memory
	what   string
	off    int64
	size   int // octets, without the checksum that follows
}

// cut takes the next n octets and their checksum, which follows.
func (d *decoder) cut(n uint64, what string) (part, error) {
	if n > d.left() || d.left()-n < sumSize {
		return part{}, fmt.Errorf("%w: ends inside the %s", ErrDamaged, what)
	}
	p := part{r: d.r, what: what, off: d.off, size: int(n)}
	d.off += int64(n) + sumSize
	if d.memory != nil {
		p.memory = d.memory[p.off:d.off:d.off]
	}
	return p, nil
}

const (
	sumSize = 4
	// lotSize is how much of a part one goroutine reads, while others read on:
	// a huge page, so that each is touched first by one of them.
	lotSize = 2 << 20
	// pieceSize is how much is read at once: what the processor's cache holds
	// until it has been looked at. It is a whole number of nodes and of slots.
	pieceSize = 64 << 10
)

// fill copies the part to b, which is as large, and checks it.
func (p *part) fill(b []byte) error {
	if p.memory != nil {
		copy(b, p.memory)
		return p.check(crc32.Checksum(b, castagnoli))
	}
	return p.fillInLots(b)
}

// fillInLots takes a copy of the part, which goes to the heap: one in memory need not.
func (p part) fillInLots(b []byte) error {
	return p.inLots(func(from, to int) (sum uint32, err error) {
		for ; from < to && err == nil; from += pieceSize {
			piece := b[from:min(from+pieceSize, to)]
			err = p.readAt(piece, from)
			sum = crc32.Update(sum, castagnoli, piece)
		}
		return sum, err
	})
}

// each hands out the part piece by piece, each with its offset, and checks it.
// Several may be handed out at the same time.
func (p *part) each(use func(off int, piece []byte) error) error {
	if p.memory != nil {
		all := p.memory[:p.size]
		if err := p.check(crc32.Checksum(all, castagnoli)); err != nil {
			return err
		}
		return use(0, all)
	}
	return p.eachInLots(use)
}

// eachInLots takes a copy as fillInLots does.
func (p part) eachInLots(use func(off int, piece []byte) error) error {
	return p.inLots(func(from, to int) (sum uint32, err error) {
		b := make([]byte, min(to-from, pieceSize))
		for ; from < to && err == nil; from += pieceSize {
			piece := b[:min(pieceSize, to-from)]
			if err = p.readAt(piece, from); err == nil {
				sum = crc32.Update(sum, castagnoli, piece)
				err = use(from, piece)
			}
		}
		return sum, err
	})
}

// inLots has the part read by lots, and checks the sum of theirs.
func (p *part) inLots(read func(from, to int) (sum uint32, err error)) error {
	sums := make([]uint32, (p.size+lotSize-1)/lotSize)
	err := inRanges(p.size, lotSize, func(from, to int) (err error) {
		sums[from/lotSize], err = read(from, to)
		return err
	})
	if err != nil {
		return err
	}
	return p.check(joinSums(sums, lotSize, p.size))
}

// check compares the part's checksum with what it ought to be.
func (p *part) check(sum uint32) error {
	if p.memory != nil {
		return p.compare(p.memory[p.size:], sum)
	}
	stored := make([]byte, sumSize)
	if err := p.readAt(stored, p.size); err != nil {
		return err
	}
	return p.compare(stored, sum)
}

func (p *part) compare(stored []byte, sum uint32) error {
	if binary.LittleEndian.Uint32(stored) != sum {
		return fmt.Errorf("%w: wrong checksum of the %s", ErrDamaged, p.what)
	}
	return nil
}

// readAt fills b with what is at off in a part that is not in memory. If the
// octets are not there, that is damage; any other error is the system's.
func (p *part) readAt(b []byte, off int) error {
	n, err := p.r.ReadAt(b, p.off+int64(off))
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: ends inside the %s", ErrDamaged, p.what)
	}
	return fmt.Errorf("read the %s: %w", p.what, err)
}
