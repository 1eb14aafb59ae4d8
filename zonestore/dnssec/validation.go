package dnssec

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// validation is one run of Validate. Its goroutines share it.
type validation struct {
	zone  *zone.Zone
	now   time.Time
	keys  keyring
	limit int // of problems
	end   func()
	ended atomic.Bool

	verified atomic.Int64
	failed   atomic.Int64

	mu       sync.Mutex // guards the fields below
	problems []Problem
	expires  time.Time
}

// maxFailures bounds the work that signatures which do not verify can cause: an
// honest zone has a handful, where keys share a tag (CVE-2023-50387).
const maxFailures = 4096

// problem notes a problem, and ends the validation if that makes enough.
func (v *validation) problem(owner wire.Name, t uint16, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.problems) == v.limit {
		return
	}
	v.problems = append(v.problems, Problem{owner, t, fmt.Sprintf(format, args...)})
	if len(v.problems) == v.limit {
		v.stop()
	}
}

func (v *validation) stop() {
	v.ended.Store(true)
	v.end()
}

// fail counts a signature that does not verify; false if there were too many.
func (v *validation) fail() bool {
	switch n := v.failed.Add(1); {
	case n < maxFailures:
		return true
	case n == maxFailures:
		v.problem(v.zone.Apex(), wire.TypeRRSIG, "gave up after %d signatures that do not verify", n)
		v.stop()
	}
	return false
}

// lasts notes how long an RRset has a valid signature.
func (v *validation) lasts(until time.Time) {
	v.verified.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.expires.IsZero() || until.Before(v.expires) {
		v.expires = until
	}
}

// life returns for how many seconds from now on a time of an RRSIG lies ahead, by
// serial arithmetic (RFC 4034 section 3.1.5).
func (v *validation) life(at uint32) int32 {
	return int32(at - uint32(v.now.Unix()&math.MaxUint32))
}

// report sums up.
func (v *validation) report(state State) Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	slices.SortStableFunc(v.problems, func(a, b Problem) int {
		return cmp.Or(a.Owner.Compare(b.Owner), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Reason, b.Reason))
	})
	if len(v.problems) > 0 {
		state = Bogus
	}
	return Report{
		State:      state,
		Problems:   v.problems,
		Ended:      v.ended.Load(),
		Signatures: int(v.verified.Load()),
		Expires:    v.expires,
	}
}
