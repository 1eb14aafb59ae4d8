package wire

import (
	"encoding/binary"
	"math/bits"
)

// Suffixes holds, for one name, where each of its labels starts and a hash of
// each suffix: entry 0 is the whole name, entry Count() the root. Tables keyed
// by names (the zones of a daemon, the names of a zone) share these hashes, so
// that one pass over a query name serves every look-up made for it.
//
// It is a scratch value: keep one per worker and Set it anew for each name.
type Suffixes struct {
	name  Name
	count int
	start [MaxLabels + 1]uint8
	hash  [MaxLabels + 1]uint64
}

// Odd constants with well-mixed bits (the fractional parts of irrational numbers).
const (
	mul1 = 0x9E3779B97F4A7C15
	mul2 = 0xC2B2AE3D27D4EB4F
)

// Set computes the suffixes of name, which must be folded and stay unchanged
// while s is in use. The seed keeps strangers from choosing names that collide.
func (s *Suffixes) Set(name Name, seed uint64) {
	s.name = name
	n := 0
	for i := 0; i < len(name) && name[i] != 0 && n < MaxLabels; i += int(name[i]) + 1 {
		s.start[n] = uint8(i)
		n++
	}
	s.count = n
	s.start[n] = uint8(len(name) - 1)
	h := mix(seed^mul2, mul1)
	s.hash[n] = h
	end := len(name) - 1
	for i := n - 1; i >= 0; i-- {
		h = hashLabel(h, name[s.start[i]:end])
		s.hash[i] = h
		end = int(s.start[i])
	}
}

// Count returns the number of labels, the root not counted.
func (s *Suffixes) Count() int { return s.count }

// Name returns the suffix that begins with label i. It shares the set name's memory.
func (s *Suffixes) Name(i int) Name { return s.name[s.start[i]:] }

// Hash returns the hash of the suffix that begins with label i.
func (s *Suffixes) Hash(i int) uint64 { return s.hash[i] }

// HashName returns the hash Suffixes gives for the whole of name, which must be folded.
func HashName(name Name, seed uint64) uint64 {
	var s Suffixes
	s.Set(name, seed)
	return s.hash[0]
}

// HashChild returns the hash of the name made of label (length octet first,
// folded) in front of a name whose hash is parent.
func HashChild(parent uint64, label []byte) uint64 { return hashLabel(parent, label) }

// hashLabel multiplies by a number as secret as the seed. By a constant, labels
// that differ by certain amounts would lie close together under every seed.
func hashLabel(h uint64, label []byte) uint64 {
	by := bits.RotateLeft64(h, 32) | 1
	last := lastWord(label)
	for len(label) >= 8 {
		h = mix(h^binary.LittleEndian.Uint64(label), by)
		label = label[8:]
	}
	return mix(h^last^uint64(len(label))<<56, by)
}

// lastWord returns the octets of label after its last whole group of eight, the first
// of them lowest. It reads several at once, some of them twice.
func lastWord(label []byte) uint64 {
	size := uint(len(label)) % 8
	switch {
	case len(label) >= 8:
		return binary.LittleEndian.Uint64(label[len(label)-8:]) >> (64 - 8*size)
	case size >= 4:
		return uint64(binary.LittleEndian.Uint32(label)) | uint64(binary.LittleEndian.Uint32(label[size-4:]))<<(8*size-32)
	case size >= 2:
		return uint64(binary.LittleEndian.Uint16(label)) | uint64(binary.LittleEndian.Uint16(label[size-2:]))<<(8*size-16)
	case size == 1:
		return uint64(label[0])
	}
	return 0
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
