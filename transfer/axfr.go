package transfer

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// axfr takes the messages of a full zone transfer and makes a zone of them, as
// strictly as RFC 5936 section 2.2 asks: the SOA of the zone first, the same
// SOA last, none in between, nothing after it, nothing that is not the zone's.
// It sees bytes only: no connection, no clock. Signatures are verified before.
type axfr struct {
	query  *query
	seed   uint64
	limits zone.Limits
	accept func(zone.SOA) error // asked with the first SOA, before anything is kept

	messages int
	builder  *zone.Builder
	soa      []byte // RDATA of the first record; nil before it
	done     bool
	rdata    []byte // scratch
}

// message takes the next message of the stream and reports whether it was the
// last.
func (a *axfr) message(msg []byte) (done bool, err error) {
	h, r, err := a.query.checkHeader(StepAXFR, msg, a.messages == 0)
	if err != nil {
		return false, err
	}
	if h.Flags&wire.FlagTC != 0 {
		return false, fail(StepAXFR, CauseMalformed, "TC set in a transfer")
	}
	a.messages++
	for range h.AN {
		rr, err := r.RR()
		if err != nil {
			return false, err
		}
		if err := a.record(msg, rr); err != nil {
			return false, err
		}
	}
	if err := skipRest(StepAXFR, r, int(h.NS)+int(h.AR)); err != nil {
		return false, err
	}
	return a.done, nil
}

// record takes the next record of the stream.
func (a *axfr) record(msg []byte, rr wire.RR) (err error) {
	if a.done {
		return fail(StepAXFR, CauseStructure, "record of %s after the final SOA", rr.Owner)
	}
	if rr.Class != wire.ClassIN {
		return fail(StepAXFR, CauseForeign, "record of %s in class %d", rr.Owner, rr.Class)
	}
	a.rdata, err = wire.AppendRdata(a.rdata[:0], msg, rr.Data, rr.Size, rr.Type)
	if err != nil {
		return fail(StepAXFR, CauseMalformed, "%s type %d: %w", rr.Owner, rr.Type, err)
	}
	switch {
	case a.soa == nil:
		return a.first(rr)
	case rr.Type == wire.TypeSOA && rr.Owner.Equal(a.query.apex):
		if wire.CompareRdata(wire.TypeSOA, a.rdata, a.soa) != 0 {
			return fail(StepAXFR, CauseStructure, "a second SOA differs from the first")
		}
		a.done = true
		return nil
	default:
		return a.builder.Add(rr.Owner, rr.Type, rr.TTL, a.rdata)
	}
}

// first takes the record that must be the zone's SOA.
func (a *axfr) first(rr wire.RR) error {
	if rr.Type != wire.TypeSOA {
		return fail(StepAXFR, CauseStructure, "first record is type %d of %s, not the SOA", rr.Type, rr.Owner)
	}
	if !rr.Owner.Equal(a.query.apex) {
		return fail(StepAXFR, CauseWrongZone, "SOA of %s", rr.Owner)
	}
	soa, err := zone.ParseSOA(a.rdata)
	if err != nil {
		return err
	}
	if err := a.accept(soa); err != nil {
		return err
	}
	a.soa = bytes.Clone(a.rdata)
	// The owner's case is the primary's, not that of the configuration.
	if a.builder, err = zone.NewBuilder(rr.Owner, a.seed, a.limits); err != nil {
		return err
	}
	return a.builder.Add(rr.Owner, rr.Type, rr.TTL, a.rdata)
}
