package nameserver

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// sourceLimiter bounds how many messages a second of a rare kind are answered
// for one source address. Its memory is constant: addresses share counters by
// hash, so that many sources at once may be limited together.
type sourceLimiter struct {
	perSecond uint32
	seed      maphash.Seed

	mu       sync.Mutex // guards counters
	counters [4096]sourceCounter
}

type sourceCounter struct {
	second int64
	count  uint32
}

func newSourceLimiter(perSecond int) *sourceLimiter {
	return &sourceLimiter{perSecond: uint32(max(perSecond, 0)), seed: maphash.MakeSeed()}
}

// allow counts a message from addr and reports whether it is within the rate.
func (l *sourceLimiter) allow(addr netip.Addr, now time.Time) bool {
	second := now.Unix()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.counters[l.place(addr)]
	if c.second != second {
		*c = sourceCounter{second: second}
	}
	if c.count >= l.perSecond {
		return false
	}
	c.count++
	return true
}

// place returns the number of the counter of addr.
func (l *sourceLimiter) place(addr netip.Addr) int {
	bytes := addr.As16()
	return int(maphash.Bytes(l.seed, bytes[:]) % uint64(len(l.counters)))
}
