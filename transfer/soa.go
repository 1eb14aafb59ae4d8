package transfer

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// soaAnswer reads the answer to a SOA query, its signature verified already.
// truncated tells that the question must be asked again by TCP.
func soaAnswer(q *query, msg []byte) (soa zone.SOA, truncated bool, err error) {
	h, r, err := q.checkHeader(StepSOA, msg, true)
	if err != nil {
		return zone.SOA{}, false, err
	}
	if h.Flags&wire.FlagTC != 0 {
		return zone.SOA{}, true, nil
	}
	var other wire.Name
	for range h.AN {
		rr, err := r.RR()
		if err != nil {
			return zone.SOA{}, false, err
		}
		if rr.Type != wire.TypeSOA || rr.Class != wire.ClassIN {
			continue
		}
		if !rr.Owner.Equal(q.apex) {
			other = bytes.Clone(rr.Owner)
			continue
		}
		if h.Flags&wire.FlagAA == 0 {
			return zone.SOA{}, false, &Error{Step: StepSOA, Cause: CauseLame}
		}
		rdata, err := wire.AppendRdata(nil, msg, rr.Data, rr.Size, wire.TypeSOA)
		if err != nil {
			return zone.SOA{}, false, err
		}
		soa, err := zone.ParseSOA(rdata)
		return soa, false, err
	}
	if other != nil {
		return zone.SOA{}, false, fail(StepSOA, CauseWrongZone, "SOA of %s", other)
	}
	return zone.SOA{}, false, &Error{Step: StepSOA, Cause: CauseNoSOA}
}
