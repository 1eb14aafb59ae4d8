package ratelimit

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// secret keys the hash of buckets, so that nobody can choose addresses that meet
// in a set or are taken for another's.
type secret [3]uint64

func newSecret() secret {
	var octets [24]byte
	rand.Read(octets[:])
	var s secret
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(octets[8*i:])
	}
	return s
}

// key identifies a bucket; never 0, which marks an entry not yet used. The upper
// bits choose the set and the others tell its buckets apart: in a table of the
// default size one in 2^47 checks takes a bucket for another's. Nobody sees a
// key, so two rounds of multiplication will do, at a sixth of hash/maphash's cost.
func (s *secret) key(block address, class Class, hash uint64) uint64 {
	k := fold(block.high^s[0], block.low^s[1])
	return max(fold(k^hash, s[2]^uint64(class)), 1)
}

func fold(x, y uint64) uint64 {
	high, low := bits.Mul64(x, y)
	return high ^ low
}
