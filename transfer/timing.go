package transfer

import (
	"math/rand/v2"
	"time"
)

// firstRetry is how long a zone that never had a copy waits after its first
// failure: it has no SOA RETRY to go by, and nothing to answer with.
const firstRetry = 2 * time.Second

// jitter is the share of a wait that is left to chance, so that zones made
// together do not stay in step.
const jitter = 0.1

// afterSuccess returns how long to wait after a confirmed check: the interval
// of the zone, but no more than half of what its copy has to live.
func afterSuccess(interval, lifetime time.Duration, r *rand.Rand) time.Duration {
	wait := min(interval, lifetime/2)
	return wait - time.Duration(jitter*r.Float64()*float64(wait))
}

// afterFailure returns how long to wait after the given number of failures in a
// row, beginning with retry and doubling up to the limit, or to the zone's
// interval if that is less. A copy that is about to expire is tried for
// earlier: left is what it has to live, negative without a copy.
func afterFailure(failures int, retry, interval, limit, left time.Duration, r *rand.Rand) time.Duration {
	wait := retry
	for range failures - 1 {
		if wait *= 2; wait >= limit {
			break
		}
	}
	wait = min(wait, max(limit, retry), max(interval, retry))
	if left > 0 {
		wait = max(min(wait, left/2), min(retry, left))
	}
	return wait - time.Duration(jitter*r.Float64()*float64(wait))
}
