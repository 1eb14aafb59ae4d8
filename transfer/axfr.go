package transfer

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// axfr makes a zone of the records of a full transfer, as strictly as RFC 5936
// section 2.2 asks: the SOA of the zone first, the same SOA last, none in
// between, nothing after it, nothing that is not the zone's. It sees records
// only: no connection, no clock.
type axfr struct {
	apex   wire.Name
	seed   uint64
	limits zone.Limits
	accept func(zone.SOA) error // asked with the first SOA, before anything is kept

	builder *zone.Builder
	soa     []byte // RDATA of the first record; nil before it
	done    bool
}

// record implements assembler.
func (a *axfr) record(rr *wire.RR, rdata []byte) error {
	switch {
	case a.done:
		return fail(StepAXFR, CauseStructure, "record of %s after the final SOA", rr.Owner)
	case a.soa == nil:
		return a.first(rr, rdata)
	case rr.Type == wire.TypeSOA && rr.Owner.Equal(a.apex):
		if wire.CompareRdata(wire.TypeSOA, rdata, a.soa) != 0 {
			return fail(StepAXFR, CauseStructure, "a second SOA differs from the first")
		}
		a.done = true
		return nil
	default:
		return a.builder.Add(rr.Owner, rr.Type, rr.TTL, rdata)
	}
}

// first takes the record that must be the zone's SOA.
func (a *axfr) first(rr *wire.RR, rdata []byte) error {
	soa, err := firstSOA(StepAXFR, a.apex, rr, rdata)
	if err != nil {
		return err
	}
	if err := a.accept(soa); err != nil {
		return err
	}
	a.soa = bytes.Clone(rdata)
	// The owner's case is the primary's, not that of the configuration.
	if a.builder, err = zone.NewBuilder(rr.Owner, a.seed, a.limits); err != nil {
		return err
	}
	return a.builder.Add(rr.Owner, rr.Type, rr.TTL, rdata)
}

// firstSOA reads the record that a transfer must begin with.
func firstSOA(step Step, apex wire.Name, rr *wire.RR, rdata []byte) (zone.SOA, error) {
	if rr.Type != wire.TypeSOA {
		return zone.SOA{}, fail(step, CauseStructure, "first record is type %d of %s, not the SOA", rr.Type, rr.Owner)
	}
	if !rr.Owner.Equal(apex) {
		return zone.SOA{}, fail(step, CauseWrongZone, "SOA of %s", rr.Owner)
	}
	return zone.ParseSOA(rdata)
}

// complete implements assembler.
func (a *axfr) complete() bool { return a.done }

// version implements assembler.
func (a *axfr) version() (received, error) {
	z, err := a.builder.Finish()
	return received{kind: kindAXFR, zone: z}, err
}
