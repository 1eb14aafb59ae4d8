package transfer

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// guard checks a whole version before it may be published.
func guard(z *zone.Zone) error {
	if _, ok := z.Top().Set(wire.TypeNS); !ok {
		return &Error{Step: StepCheck, Cause: CauseNoNS}
	}
	if p, ok := z.NSEC3(); ok && p.Iterations > maxIterations {
		return fail(StepCheck, CauseIterations, "%d, at most %d are served", p.Iterations, maxIterations)
	}
	return nil
}

// maxIterations bounds the work of an NSEC3 proof (RFC 9276 section 3.2 lets a
// server refuse more than it wants to do).
const maxIterations = 500
