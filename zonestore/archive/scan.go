package archive

import (
	"hash/crc32"
	"iter"

	"secondaryd/internal/window"
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
		w := window.New(s.file, size)
		for off := int64(segmentHead); off < size; {
			f := s.record(w, off)
			if !yield(f) {
				return
			}
			if f.known && f.place.size > 0 {
				off += int64(f.place.size)
				continue
			}
			off = w.Find(off+1, s.mark[:])
		}
	}
}

// record reads what lies at off.
func (s *segment) record(w *window.Window, off int64) (f found) {
	b, err := w.At(off, int64(headSize))
	if err != nil {
		return found{}
	}
	if f.head, err = decodeHead(b, s.mark); err != nil {
		return found{}
	}
	f.known = true
	b, err = w.At(off, f.size())
	if err != nil {
		return f
	}
	f.place = place{segment: s.number, offset: uint32(off), size: uint32(len(b))}
	if crc32.Checksum(b[headSize:], castagnoli) == f.sum {
		f.whole, f.octets = true, b
	}
	return f
}
