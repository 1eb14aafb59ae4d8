package archive

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"iter"
)

// found is what lies at one place of a segment.
type found struct {
	head          // if known
	place  place  // if known
	known  bool   // the head is right
	whole  bool   // and so is the payload
	octets []byte // the record, if whole; valid until the next step
}

// scan yields what lies between the segment's head and size, in the order of
// the file. Where octets are no record it goes on at the next mark, and yields
// one item that is not known for all between. Memory and work are bounded by
// size, whatever the lengths in the file say.
func (s *segment) scan(size int64) iter.Seq[found] {
	return func(yield func(found) bool) {
		w := window{file: s.file, size: size}
		for off := int64(segmentHead); off < size; {
			f := w.record(off, s)
			if !yield(f) {
				return
			}
			if f.known && f.place.size > 0 {
				off += int64(f.place.size)
				continue
			}
			off = w.find(off+1, s.mark)
		}
	}
}

// window reads a file forward through a buffer.
type window struct {
	file io.ReaderAt
	size int64
	off  int64 // where buf lies in the file
	buf  []byte
}

const windowSize = 256 << 10

var errEnd = errors.New("end of the file")

// at returns n octets from off on, valid until the next call.
func (w *window) at(off int64, n int64) ([]byte, error) {
	if n > w.size-off {
		return nil, errEnd
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		if err := w.fill(off, min(max(n, windowSize), w.size-off)); err != nil {
			return nil, err
		}
	}
	return w.buf[off-w.off:][:n:n], nil
}

func (w *window) fill(off, n int64) error {
	if int64(cap(w.buf)) < n {
		w.buf = make([]byte, n)
	}
	w.off, w.buf = off, w.buf[:n]
	if n, err := w.file.ReadAt(w.buf, off); n < len(w.buf) {
		w.buf = w.buf[:0]
		return err
	}
	return nil
}

// record reads what lies at off.
func (w *window) record(off int64, s *segment) (f found) {
	b, err := w.at(off, int64(headSize))
	if err != nil {
		return found{}
	}
	if f.head, err = decodeHead(b, s.mark); err != nil {
		return found{}
	}
	f.known = true
	b, err = w.at(off, f.size())
	if err != nil {
		return f
	}
	f.place = place{segment: s.number, offset: uint32(off), size: uint32(len(b))}
	if crc32.Checksum(b[headSize:], castagnoli) == f.sum {
		f.whole, f.octets = true, b
	}
	return f
}

// find returns where the next mark lies at or behind off, or the end.
func (w *window) find(off int64, m mark) int64 {
	for {
		if _, err := w.at(off, int64(len(m))); err != nil {
			return w.size
		}
		ahead := w.buf[off-w.off:]
		if i := bytes.Index(ahead, m[:]); i >= 0 {
			return off + int64(i)
		}
		off += int64(len(ahead) - len(m) + 1)
	}
}
