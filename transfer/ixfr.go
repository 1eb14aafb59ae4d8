package transfer

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// ixfr makes a new version of a zone of the records of an incremental transfer
// (RFC 1995 section 4). An answer has one of these forms, with n for the newest
// serial and o for ours:
//
//	SOA n                                  n is not newer than o: nothing to do
//	SOA n, records, SOA n                  the whole zone, see axfr
//	SOA n, differences, SOA n              each of them: SOA from, deletions,
//	                                       SOA to, additions
//
// The first difference must begin with o, each other where the one before
// ended, and the last must end with n. It sees records only: no connection, no
// clock.
type ixfr struct {
	base        *zone.Zone
	whole       axfr // takes over when the answer is the whole zone
	limits      zone.Limits
	differences int // at most

	phase   phase
	first   kept   // the SOA that the answer begins with
	newest  uint32 // its serial
	delta   *zone.Delta
	reached uint32 // serial that the differences so far lead to
	count   int    // of the differences so far
}

// maxDifferences bounds how many versions behind the differences may begin: a
// chain longer than that costs more than the whole zone.
const maxDifferences = 10_000

// phase is where in an answer to an IXFR query the next record stands.
type phase uint8

const (
	phaseFirst     phase = iota // nothing has come
	phaseSecond                 // the first SOA has come
	phaseWhole                  // the answer is a whole zone
	phaseDeletions              // behind the first SOA of a difference
	phaseAdditions              // behind its second SOA
	phaseComplete               // the answer has ended
	phaseCurrent                // it said that there is nothing newer
)

// kept is a record that is needed longer than its message.
type kept struct {
	rr    wire.RR
	rdata []byte
}

// record implements assembler.
func (x *ixfr) record(rr *wire.RR, rdata []byte) error {
	switch x.phase {
	case phaseFirst:
		return x.begin(rr, rdata)
	case phaseSecond:
		return x.decide(rr, rdata)
	case phaseWhole:
		return x.whole.record(rr, rdata)
	case phaseDeletions:
		if x.delimits(rr) {
			return x.turn(rr, rdata)
		}
		return x.delta.Delete(rr.Owner, rr.Type, rdata)
	case phaseAdditions:
		if x.delimits(rr) {
			return x.proceed(rr, rdata)
		}
		return x.delta.Add(rr.Owner, rr.Type, rr.TTL, rdata)
	case phaseCurrent:
		return nil // some send the whole zone all the same
	default:
		return fail(StepIXFR, CauseStructure, "record of %s after the final SOA", rr.Owner)
	}
}

// delimits reports whether rr parts differences: a SOA of another owner does
// not, it makes the zone bad.
func (x *ixfr) delimits(rr *wire.RR) bool {
	return rr.Type == wire.TypeSOA && rr.Owner.Equal(x.whole.apex)
}

// begin takes the first record.
func (x *ixfr) begin(rr *wire.RR, rdata []byte) error {
	soa, err := firstSOA(StepIXFR, x.whole.apex, rr, rdata)
	if err != nil {
		return err
	}
	if soa.Serial == x.base.Serial() {
		x.phase = phaseCurrent
		return nil
	}
	if err := x.whole.accept(soa); err != nil {
		return err
	}
	x.first, x.newest, x.phase = kept{*rr, bytes.Clone(rdata)}, soa.Serial, phaseSecond
	x.first.rr.Owner = bytes.Clone(rr.Owner)
	return nil
}

// decide tells by the second record which form the answer has.
func (x *ixfr) decide(rr *wire.RR, rdata []byte) error {
	if x.delimits(rr) && wire.CompareRdata(wire.TypeSOA, rdata, x.first.rdata) != 0 {
		x.delta, x.reached = zone.NewDelta(x.base, x.limits), x.base.Serial()
		return x.difference(rr, rdata)
	}
	x.phase = phaseWhole
	if err := x.whole.record(&x.first.rr, x.first.rdata); err != nil {
		return err
	}
	return x.whole.record(rr, rdata)
}

// difference takes the SOA that a difference begins with: it is deleted.
func (x *ixfr) difference(rr *wire.RR, rdata []byte) error {
	soa, err := zone.ParseSOA(rdata)
	if err != nil {
		return err
	}
	if soa.Serial != x.reached {
		return fail(StepIXFR, CauseChain, "a difference begins with serial %d, not %d", soa.Serial, x.reached)
	}
	if x.count++; x.count > x.differences {
		return tooMany(StepIXFR, differencesOfTransfer, x.differences)
	}
	x.phase = phaseDeletions
	return x.delta.Delete(rr.Owner, rr.Type, rdata)
}

// turn takes the SOA between deletions and additions: it is added.
func (x *ixfr) turn(rr *wire.RR, rdata []byte) error {
	soa, err := zone.ParseSOA(rdata)
	if err != nil {
		return err
	}
	if !newer(soa.Serial, x.reached) {
		return fail(StepIXFR, CauseChain, "a difference leads from serial %d to %d", x.reached, soa.Serial)
	}
	if soa.Serial == x.newest && wire.CompareRdata(wire.TypeSOA, rdata, x.first.rdata) != 0 {
		return fail(StepIXFR, CauseStructure, "the SOA that is added last differs from the first")
	}
	x.reached, x.phase = soa.Serial, phaseAdditions
	return x.delta.Add(rr.Owner, rr.Type, rr.TTL, rdata)
}

// proceed takes the SOA behind additions: it begins the next difference, or
// ends the answer.
func (x *ixfr) proceed(rr *wire.RR, rdata []byte) error {
	if x.reached != x.newest {
		return x.difference(rr, rdata)
	}
	if wire.CompareRdata(wire.TypeSOA, rdata, x.first.rdata) != 0 {
		return fail(StepIXFR, CauseStructure, "the final SOA differs from the first")
	}
	x.phase = phaseComplete
	return nil
}

// complete implements assembler.
func (x *ixfr) complete() bool {
	return x.phase == phaseComplete || x.phase == phaseCurrent || x.phase == phaseWhole && x.whole.complete()
}

// version implements assembler.
func (x *ixfr) version() (received, error) {
	switch x.phase {
	case phaseCurrent:
		return received{kind: kindIXFR}, nil
	case phaseWhole:
		return x.whole.version()
	default:
		got := received{kind: kindIXFR, changes: x.delta.Changes(), deleted: x.delta.Deletions()}
		var err error
		if got.zone, err = x.delta.Finish(); err != nil {
			return received{}, err
		}
		got.faults = fresh(x.delta.Faults())
		return got, nil
	}
}
