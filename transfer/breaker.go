package transfer

import (
	"math/rand/v2"
	"time"
)

// breaker keeps a peer that does not answer from costing a refresh of each zone
// that names it. After some failures in a row the peer is left out for a while,
// which doubles with each further one; then a single refresh finds out whether
// it is back. Any answer, be it a refusal, closes the breaker. It has no clock
// and no lock of its own.
type breaker struct {
	failures int
	cause    Cause     // of the last failure
	answered time.Time // last
	until    time.Time // the peer is left out before; zero: it is not left out
	probing  bool      // a refresh finds out
}

const (
	breakerFailures = 5
	// breakerQuiet is how long nothing must have come from a peer: one that
	// answers for other zones is not dead.
	breakerQuiet = 30 * time.Second
	breakerFirst = 5 * time.Second
	breakerMost  = 5 * time.Minute
)

// blocks reports until when the peer is left out.
func (b *breaker) blocks(now time.Time) (until time.Time, blocked bool) {
	switch {
	case b.until.IsZero():
		return time.Time{}, false
	case b.probing:
		return now.Add(breakerFirst), true
	default:
		return b.until, now.Before(b.until)
	}
}

// probe notes that a refresh asks the peer: if it was left out, no other does
// until that has ended.
func (b *breaker) probe() { b.probing = !b.until.IsZero() }

// answer notes that the peer has answered, and reports whether it had been left
// out.
func (b *breaker) answer(now time.Time) (back bool) {
	back = !b.until.IsZero()
	*b = breaker{answered: now}
	return back
}

// fail notes that the peer did not answer, and reports whether it is left out
// from now on.
func (b *breaker) fail(now time.Time, cause Cause, r *rand.Rand) (opened bool) {
	b.probing, b.cause = false, cause
	b.failures++
	if b.failures < breakerFailures || now.Sub(b.answered) < breakerQuiet {
		return false
	}
	opened = b.until.IsZero()
	wait := breakerFirst
	for range b.failures - breakerFailures {
		if wait *= 2; wait >= breakerMost {
			wait = breakerMost
			break
		}
	}
	b.until = now.Add(wait - time.Duration(jitter*r.Float64()*float64(wait)))
	return opened
}

// silent reports whether the failure says that nobody is there, or nobody who
// answers.
func (e *Error) silent() bool {
	switch e.Cause {
	case CauseConnRefused, CauseUnreachable, CauseConnectTimeout, CauseNoAnswer:
		return true
	default:
		return false
	}
}
