package ratelimit

import "sync/atomic"

// ways is the number of buckets that a key may be in: a cache line of 64 octets.
const ways = 4

// EntrySize is what a bucket takes of memory, in octets.
const EntrySize = 16

type set struct {
	keys    [ways]atomic.Uint64
	buckets [ways]atomic.Uint64
}

// admit takes the fullest bucket of the set for key, which starts with full
// credit: whose bucket is not known is never limited. Of workers that want the
// same entry at once one gets it, and the others' answers are not counted.
func (s *set) admit(key uint64, l *limit, now instant) Decision {
	fullest, at := s.buckets[0].Load(), 0
	for i := 1; i < ways; i++ {
		if b := s.buckets[i].Load(); b < fullest {
			fullest, at = b, i
		}
	}
	fresh, decision := l.next(0, now)
	// The credit comes first, so that the newcomer can't inherit a debt.
	if s.buckets[at].CompareAndSwap(fullest, uint64(fresh)) {
		s.keys[at].Store(key)
	}
	return decision
}
