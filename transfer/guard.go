package transfer

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/dnssec"
	"secondaryd/zonestore/zone"
)

// guard checks a whole version before it may be published: without these no
// version can be served.
func guard(z *zone.Zone) error {
	if _, ok := z.Top().Set(wire.TypeNS); !ok {
		return &Error{Step: StepCheck, Cause: CauseNoNS}
	}
	if p, ok := z.NSEC3(); ok && p.Iterations > zone.MaxNSEC3Iterations {
		return fail(StepCheck, CauseIterations, "%d, at most %d are served", p.Iterations, zone.MaxNSEC3Iterations)
	}
	return nil
}

// Reaction is what is done about a version that is not as it should be.
type Reaction uint8

// The reactions. A version that is held is kept back, while the one before goes
// on being served, until a person has looked at it.
const (
	Ignore Reaction = iota
	Warn
	Hold
)

// Guard says what is done about new versions that can be served, but are likely
// not what was meant.
type Guard struct {
	// ShrinkPercent is the share of its records that a zone may lose from one
	// version to the next, those for DNSSEC not counted, before it is held; 100
	// lets it lose all.
	ShrinkPercent int
	// ShrinkFrom is how many records a zone must have had for that.
	ShrinkFrom int
	// Faults is for records that must not be together. A fault that the served
	// version has too is no reason to hold a new one.
	Faults Reaction
	// ZONEMD is for a zone that is not what its ZONEMD records say.
	ZONEMD Reaction
	// DNSSEC is for a signed zone that a validator would not accept.
	DNSSEC Reaction
	// Anchors are what zones must be signed for, by their folded names.
	Anchors map[string][]dnssec.Anchor
}

// verdict is what the guard says of a new version.
type verdict struct {
	hold     *Error // nil: it may be served
	warnings []*Error
}

// add notes a finding.
func (v *verdict) add(r Reaction, e *Error) {
	switch {
	case e == nil || r == Ignore:
	case r == Hold && v.hold == nil:
		v.hold = e
	default:
		v.warnings = append(v.warnings, e)
	}
}

// judge looks at a version that follows old, which is nil where nothing is
// served: there is nothing to lose then, and no fault is held. It fails only if
// ctx ends.
func (g Guard) judge(ctx context.Context, old *zone.Zone, got received, now time.Time) (v verdict, err error) {
	faults := g.Faults
	if old == nil {
		faults = min(faults, Warn)
	} else {
		v.add(Hold, g.shrinks(old, got))
	}
	if faults != Ignore {
		v.add(faults, newFaults(old, got))
	}
	if g.ZONEMD != Ignore {
		e, err := zonemd(ctx, got.zone)
		if err != nil {
			return v, err
		}
		v.add(g.ZONEMD, e)
	}
	if g.DNSSEC != Ignore {
		e, err := g.validate(ctx, got.zone, now)
		if err != nil {
			return v, err
		}
		v.add(g.DNSSEC, e)
	}
	return v, nil
}

// validate tells why a validator would not accept the zone (RFC 4035 section 5);
// nil if it would, or if the zone is not signed.
func (g Guard) validate(ctx context.Context, z *zone.Zone, now time.Time) (*Error, error) {
	anchors := g.Anchors[string(z.Apex().Fold())]
	report, err := dnssec.Validate(ctx, z, dnssec.Options{Anchors: anchors, Now: now, Problems: mostFaults})
	if err != nil || report.State != dnssec.Bogus {
		return nil, err
	}
	return fail(StepCheck, CauseDNSSEC, "%s", texts(report.Problems)), nil
}

// texts joins what findings tell.
func texts[T fmt.Stringer](findings []T) string {
	all := make([]string, len(findings))
	for i, f := range findings {
		all[i] = f.String()
	}
	return strings.Join(all, "; ")
}

// shrinks tells why a version that follows old is to be held for what it lacks;
// nil if it is not. Versions that differ by little are not counted.
func (g Guard) shrinks(old *zone.Zone, got received) *Error {
	if got.changes != nil && got.deleted*100 <= g.ShrinkPercent*g.ShrinkFrom {
		return nil
	}
	had := old.PlainRecords()
	if had < g.ShrinkFrom {
		return nil
	}
	has := got.zone.PlainRecords()
	if (had-has)*100 <= had*g.ShrinkPercent {
		return nil
	}
	return fail(StepCheck, CauseShrink, "%d records, the version before has %d, those for DNSSEC not counted", has, had)
}

// newFaults tells of the faults of a version that the one before does not have.
func newFaults(old *zone.Zone, got received) *Error {
	faults := got.faults
	if got.changes == nil {
		faults = fresh(got.zone.Faults(old))
	}
	if len(faults) == 0 {
		return nil
	}
	return fail(StepCheck, CauseFaults, "%s", texts(faults))
}

// mostFaults is how many faults are told.
const mostFaults = 4

// fresh returns the first faults that are new.
func fresh(faults iter.Seq[zone.Fault]) (first []zone.Fault) {
	for f := range faults {
		if f.Old {
			continue
		}
		if first = append(first, f); len(first) == mostFaults {
			break
		}
	}
	return first
}

// zonemd tells why the zone is not what its publisher digested (RFC 8976 section
// 4); nil if it is, or if there is nothing to tell it by.
func zonemd(ctx context.Context, z *zone.Zone) (*Error, error) {
	check, err := z.VerifyZONEMD(ctx)
	if err != nil || check.State != zone.DigestFailed {
		return nil, err
	}
	return fail(StepCheck, CauseZONEMD, "%s", check.Reason), nil
}
