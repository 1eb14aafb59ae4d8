package zone

import (
	"errors"
	"slices"
)

// A slab is a space of octets addressed by 32-bit references and kept in
// chunks, so that it grows without being copied. An object lies in one piece;
// one larger than a chunk takes several chunk numbers that share one piece of
// memory. Reference 0 is never an object.
type slab struct {
	chunks [][]byte
	closed int // octets of memory in all chunks but the last
}

const (
	chunkBits = 20
	chunkSize = 1 << chunkBits
	maxChunks = 1 << (32 - chunkBits)
	// firstChunk is what a small zone starts with.
	firstChunk = 512
	// maxOctets is what a slab can address.
	maxOctets = 1<<32 - 1
)

var errSlabFull = errors.New("zone needs more than 4 GiB")

// at returns the octets from ref to the end of its chunk.
func (s *slab) at(ref uint32) []byte {
	return s.chunks[ref>>chunkBits][ref&(chunkSize-1):]
}

// has reports whether n octets from ref on lie inside the slab.
func (s *slab) has(ref uint32, n int) bool {
	i := int(ref >> chunkBits)
	return ref != 0 && i < len(s.chunks) && int(ref&(chunkSize-1))+n <= len(s.chunks[i])
}

// fork returns a slab that shares every chunk with s. It may write behind their
// end only if the memory there is its alone.
func (s *slab) fork(extend bool) slab {
	next := slab{chunks: slices.Clone(s.chunks), closed: s.closed}
	if last := len(next.chunks) - 1; last >= 0 && !extend {
		next.chunks[last] = slices.Clip(next.chunks[last])
	}
	return next
}

// alloc returns n zeroed octets and their reference.
func (s *slab) alloc(n int) (uint32, []byte, error) {
	if len(s.chunks) == 0 {
		s.chunks = append(s.chunks, make([]byte, 1, max(firstChunk, 1)))
	}
	last := len(s.chunks) - 1
	used := len(s.chunks[last])
	if used+n > chunkSize {
		if err := s.open(n); err != nil {
			return 0, nil, err
		}
		last, used = s.lastOpen(n), 0
	}
	chunk := &s.chunks[last]
	if used+n <= cap(*chunk) {
		*chunk = (*chunk)[:used+n]
	} else {
		*chunk = grown(*chunk, n)
	}
	return uint32(last)<<chunkBits | uint32(used), (*chunk)[used:], nil
}

// open appends a chunk that has room for n octets, or for a larger object as
// many chunk numbers as it needs.
func (s *slab) open(n int) error {
	spans := max(1, (n+chunkSize-1)/chunkSize)
	if len(s.chunks)+spans > maxChunks {
		return errSlabFull
	}
	if len(s.chunks) > 0 {
		s.closed = s.octets()
	}
	if spans == 1 {
		s.chunks = append(s.chunks, make([]byte, 0, chunkSize))
		return nil
	}
	big := make([]byte, n)
	s.chunks = append(s.chunks, big[:0])
	for i := 1; i < spans; i++ {
		s.chunks = append(s.chunks, big[i*chunkSize:])
	}
	s.closed += (spans - 1) * chunkSize
	return nil
}

// lastOpen returns the number of the first chunk that open made for n octets.
func (s *slab) lastOpen(n int) int {
	return len(s.chunks) - max(1, (n+chunkSize-1)/chunkSize)
}

// grown returns b longer by n octets, in memory that is doubled up to a chunk.
func grown(b []byte, n int) []byte {
	longer := make([]byte, len(b)+n, min(chunkSize, max(2*cap(b), len(b)+n)))
	copy(longer, b)
	return longer
}

// trim gives back what the last chunk has to spare, if that is much.
func (s *slab) trim() {
	if len(s.chunks) == 0 {
		return
	}
	last := &s.chunks[len(s.chunks)-1]
	if cap(*last)-len(*last) > cap(*last)/8 {
		*last = append(make([]byte, 0, len(*last)), *last...)
	}
}

// octets returns how much memory the slab takes.
func (s *slab) octets() int {
	if len(s.chunks) == 0 {
		return 0
	}
	return s.closed + cap(s.chunks[len(s.chunks)-1])
}
