// Package dnssec validates a version of a zone as a whole: every signature of
// its own data, and the NSEC or NSEC3 chain that denies what does not exist. So a
// broken signing run is found before resolvers find it.
//
// It reads the zone and is told the time: no I/O, no clock, no log. What a zone
// can make it do is bounded: the keys tried for a signature, the signatures tried
// for an RRset, and the ones that fail in all. Algorithms it does not know make a
// zone count as unsigned, not as bad (RFC 4035 section 5.2).
package dnssec

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// State is the outcome of a validation.
type State uint8

// The states.
const (
	Unsigned    State = iota // no DNSKEY record, and no trust anchor that wants one
	Unsupported              // signed with nothing that is known here: it counts as unsigned
	Secure                   // all is as it must be
	Bogus                    // it has problems
)

// String names the state as logs and metrics do.
func (s State) String() string {
	switch s {
	case Unsupported:
		return "unsupported"
	case Secure:
		return "secure"
	case Bogus:
		return "bogus"
	default:
		return "unsigned"
	}
}

// Problem is something for which a validator would refuse an answer.
type Problem struct {
	Owner  wire.Name // in the zone's memory
	Type   uint16    // the RRset it is about
	Reason string    // for people
}

func (p Problem) String() string {
	return fmt.Sprintf("%s %s: %s", p.Owner, dns.Type(p.Type), p.Reason)
}

// Options say how to validate.
type Options struct {
	// Anchors are what the zone's keys are trusted for. Without any, its DNSKEY
	// RRset is trusted if it is signed with one of its own keys: that shows
	// mistakes, but not who made the zone.
	Anchors []Anchor
	// Now is the time at which signatures must be valid.
	Now time.Time
	// Problems is how many are told at most, 0 for 10. With so many the
	// validation ends.
	Problems int
}

const defaultProblems = 10

// Report is what a validation found.
type Report struct {
	State    State
	Problems []Problem // in canonical order of their owners
	// Ended tells that there were as many problems as were wanted, or too many
	// signatures that fail, so that not all was looked at.
	Ended bool
	// Signatures counts those that were verified.
	Signatures int
	// Expires is when the first of the RRsets that were looked at has no valid
	// signature any more; zero if none has one.
	Expires time.Time
}

// Validate validates a zone. It uses as many goroutines as GOMAXPROCS says and
// has waited for all of them when it returns. The error is that of ctx, if it
// ended first. A version that a zone.Delta made is validated as a whole too: a
// change may break the chain far from the names it touches, and signatures expire
// without any.
func Validate(ctx context.Context, z *zone.Zone, o Options) (Report, error) {
	if o.Problems <= 0 {
		o.Problems = defaultProblems
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &validation{zone: z, now: o.Now, limit: o.Problems, end: cancel}
	keys, state := v.trust(o.Anchors)
	if state != Secure {
		return v.report(state), nil
	}
	v.keys = keys
	err := v.walk(ctx)
	if v.ended.Load() {
		err = nil
	}
	if err != nil {
		return Report{}, err
	}
	return v.report(Secure), nil
}
