package transfer

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// polled is what a peer answers to a SOA query.
type polled struct {
	soa    zone.SOA
	expire expiry
}

// soaAnswer reads the answer to a SOA query, its signature verified already.
// truncated tells that the question must be asked again by TCP.
func soaAnswer(q *query, msg []byte) (p polled, truncated bool, err error) {
	h, r, err := q.checkHeader(StepSOA, msg, true)
	if err != nil {
		return polled{}, false, err
	}
	if h.Flags&wire.FlagTC != 0 {
		return polled{}, true, nil
	}
	var rdata []byte    // of the zone's SOA
	var other wire.Name // the owner of another one
	for range h.AN {
		rr, err := r.RR()
		if err != nil {
			return polled{}, false, err
		}
		switch {
		case rr.Type != wire.TypeSOA || rr.Class != wire.ClassIN:
		case !rr.Owner.Equal(q.apex):
			other = bytes.Clone(rr.Owner)
		case rdata == nil:
			if rdata, err = wire.AppendRdata(nil, msg, rr.Data, rr.Size, wire.TypeSOA); err != nil {
				return polled{}, false, err
			}
		}
	}
	if p.expire, err = skipRest(StepSOA, msg, r, int(h.NS)+int(h.AR)); err != nil {
		return polled{}, false, err
	}
	switch {
	case rdata == nil && other != nil:
		return polled{}, false, fail(StepSOA, CauseWrongZone, "SOA of %s", other)
	case rdata == nil:
		return polled{}, false, &Error{Step: StepSOA, Cause: CauseNoSOA}
	case h.Flags&wire.FlagAA == 0:
		return polled{}, false, &Error{Step: StepSOA, Cause: CauseLame}
	}
	p.soa, err = zone.ParseSOA(rdata)
	return p, false, err
}
