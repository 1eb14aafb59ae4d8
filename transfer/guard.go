package transfer

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// guard checks a whole version before it may be published: without these no
// version can be served.
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

// Guard says which new versions are held: kept back, while the one before goes
// on being served, until a person has looked at them.
type Guard struct {
	// ShrinkPercent is the share of its records that a zone may lose from one
	// version to the next, those for DNSSEC not counted; 100 lets it lose all.
	ShrinkPercent int
	// ShrinkFrom is how many records a zone must have had for that.
	ShrinkFrom int
}

// shrinks tells why a version that follows old is to be held for what it lacks;
// nil if it is not. deleted is how many deletions led to it, -1 if that is not
// known. Versions that differ by little are not counted.
func (g Guard) shrinks(old, z *zone.Zone, deleted int) *Error {
	if deleted >= 0 && deleted*100 <= g.ShrinkPercent*g.ShrinkFrom {
		return nil
	}
	had := old.PlainRecords()
	if had < g.ShrinkFrom {
		return nil
	}
	has := z.PlainRecords()
	if (had-has)*100 <= had*g.ShrinkPercent {
		return nil
	}
	return fail(StepCheck, CauseShrink, "%d records, the version before has %d, those for DNSSEC not counted", has, had)
}
