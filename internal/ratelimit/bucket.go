package ratelimit

import (
	"sync/atomic"
	"time"
)

// instant is a time, or a length of time, in ticks. 56 bits of them are 18 years.
type instant uint64

const (
	tick   = 8 * time.Nanosecond
	second = instant(time.Second / tick)
)

func instantOf(d time.Duration) instant {
	return instant(max(d, 0) / tick)
}

// bucket is the state of one bucket in a word: when its credit will be full,
// whether it is limited, and how many limited answers ago one slipped. Credit
// and debt are the distance of the first from now, so nothing has to be added
// as time passes, and a smaller word has more credit.
type bucket uint64

const (
	slipBits    = 7
	slipMask    = 1<<slipBits - 1
	limitedMark = 1 << slipBits
	markBits    = slipBits + 1
	markMask    = 1<<markBits - 1
)

func (b bucket) full() instant { return instant(b >> markBits) }

// limit is how buckets of one class fill and are limited.
type limit struct {
	interval instant // for the credit of one answer; 0 limits nothing
	debt     instant // what limited answers can bring a bucket to, ahead of now
	slip     uint64
}

// newLimit returns the limit of rate answers a second. A bucket holds the credit
// of one second, as BIND's does.
func newLimit(rate int, window time.Duration, slip int) limit {
	if rate <= 0 {
		return limit{}
	}
	interval := second / instant(rate)
	return limit{interval: interval, debt: second + instantOf(window) - interval, slip: uint64(slip)}
}

// charge counts one answer in the bucket at word. A failed swap means that
// another worker's went through, so the loop is as long as they are many.
func (l *limit) charge(word *atomic.Uint64, now instant) Decision {
	for {
		old := word.Load()
		next, decision := l.next(bucket(old), now)
		if uint64(next) == old || word.CompareAndSwap(old, uint64(next)) {
			return decision
		}
	}
}

// next returns b after one more answer, and what to do with that.
func (l *limit) next(b bucket, now instant) (bucket, Decision) {
	full, marks := b.full(), b&markMask
	var d Decision
	if full <= now {
		d.Ended = marks&limitedMark != 0
		full, marks = now, 0
	}
	if full+l.interval <= now+second {
		return bucket(full+l.interval)<<markBits | marks, d
	}
	d.Limited, d.Started = true, marks&limitedMark == 0
	full = max(full, min(full+l.interval, now+l.debt))
	slips := uint64(marks & slipMask)
	d.Action, slips = l.slipOrDrop(slips)
	return bucket(full)<<markBits | limitedMark | bucket(slips), d
}

// slipOrDrop lets the first of every l.slip limited answers slip.
func (l *limit) slipOrDrop(count uint64) (Action, uint64) {
	if l.slip == 0 {
		return Drop, 0
	}
	action := Drop
	if count == 0 {
		action = Slip
	}
	if count++; count >= l.slip {
		count = 0
	}
	return action, count
}
