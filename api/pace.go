package api

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// paceSlots is how many buckets there are for all tokens.
const paceSlots = 1 << 14

// pace holds each token to a rate of requests, with bursts of what it may in a
// second. It takes 128 KiB, however many tokens there are: two that meet in a
// slot, which nobody can arrange, share one rate.
type pace struct {
	interval time.Duration // from one request to the next; 0: no limit
	seed     maphash.Seed
	slots    [paceSlots]atomic.Int64 // when the bucket is full again, in nanoseconds
}

func newPace(perSecond int) *pace {
	p := &pace{seed: maphash.MakeSeed()}
	if perSecond > 0 {
		p.interval = time.Second / time.Duration(perSecond)
	}
	return p
}

// take counts a request at a time, which is since any fixed moment. It returns 0,
// or how long to wait if the request is over the rate, which is not counted then.
func (p *pace) take(id string, at time.Duration) time.Duration {
	if p.interval == 0 {
		return 0
	}
	slot := &p.slots[maphash.String(p.seed, id)%paceSlots]
	for {
		before := slot.Load()
		full := max(time.Duration(before), at) + p.interval
		if wait := full - at - max(time.Second, p.interval); wait > 0 {
			return wait
		}
		if slot.CompareAndSwap(before, int64(full)) {
			return 0
		}
	}
}
