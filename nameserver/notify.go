package nameserver

import (
	"net/netip"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// Notifier takes the NOTIFY messages that arrive for the zones; the transfer
// engine is one. Both methods return at once.
type Notifier interface {
	// NotifyKey returns the key with that folded name that a peer of the zone
	// may sign with, nil if there is none.
	NotifyKey(zoneID string, from netip.Addr, name wire.Name) *tsig.Key
	// Notify hands on a NOTIFY. It returns why its sender may not send one, as
	// one of a few fixed phrases, or nil. The key is the one whose signature was
	// verified, nil if it was not signed. The serial, if there is one, is what
	// the sender says it has: a hint.
	Notify(zoneID string, from netip.Addr, key *tsig.Key, serial uint32, hasSerial bool) error
}

// notifyDesk is what all responders share to receive NOTIFY.
type notifyDesk struct {
	notifier  Notifier
	strangers *sourceLimiter
	log       *zap.Logger
	lines     *rate.Limiter // of the log
	metrics   *metrics.DNS
}

// refusedNotify says why a NOTIFY was not accepted.
type refusedNotify struct {
	result string // for the metric
	zone   wire.Name
	cause  string // a fixed phrase
	err    error  // in detail, or nil
}

// answerNotify answers a message of opcode NOTIFY (RFC 1996). Any refusal costs
// its sender one of the messages that are answered a second; what is accepted is
// a mark on the zone, and costs nothing.
func (r *responder) answerNotify(msg []byte) []byte {
	if !r.parse(msg) {
		return r.refuseNotify(refusedNotify{result: metrics.NotifyMalformed, cause: "malformed message"})
	}
	name := r.query.name
	served := r.zoneNamed(name)
	switch {
	case served == nil:
		r.rcode = rcodeNotAuth
		return r.refuseNotify(refusedNotify{result: metrics.NotifyUnknownZone, zone: name, cause: "unknown zone"})
	case r.query.qtype != wire.TypeSOA:
		// RFC 9859: a NOTIFY about other types is not one about the SOA.
		r.rcode = rcodeNotImp
		return r.refuseNotify(refusedNotify{result: metrics.NotifyUnsupported, zone: name, cause: "type is not SOA"})
	}
	return r.receiveNotify(msg, served)
}

// receiveNotify verifies the signature, if there is one, and hands on.
func (r *responder) receiveNotify(msg []byte, served *zonestore.Served) []byte {
	from, now := r.client.Addr(), r.at
	lookup := func(name wire.Name) *tsig.Key { return r.notifies.notifier.NotifyKey(served.ID(), from, name) }
	request, bad := tsig.Verify(msg, lookup, now)
	if bad != nil {
		r.rcode = bad.Rcode
		answer := r.refuseNotify(refusedNotify{metrics.NotifyBadTSIG, served.Apex(), "bad signature", bad})
		if answer == nil {
			return nil
		}
		return bad.Append(answer, now)
	}
	serial, ok := serialHint(request.Body, served.Apex())
	if err := r.notifies.notifier.Notify(served.ID(), from, request.Key, serial, ok); err != nil {
		r.rcode = rcodeRefused
		answer := r.refuseNotify(refusedNotify{result: metrics.NotifyRefused, zone: served.Apex(), cause: err.Error()})
		return signed(answer, request, now)
	}
	r.notifies.metrics.Notify(metrics.NotifyAccepted)
	r.aa = true // RFC 1996 section 4.7
	return signed(r.finish(), request, now)
}

// signed returns answer with a signature if the request had one.
func signed(answer []byte, request tsig.Request, now time.Time) []byte {
	if answer == nil || request.Key == nil {
		return answer
	}
	answer, _ = request.Key.Sign(answer, request.MAC, now)
	return answer
}

// refuseNotify answers with the response code already set, or with silence if
// the sender is refused too often; and it reports, at a bounded rate.
func (r *responder) refuseNotify(why refusedNotify) []byte {
	desk := r.notifies
	if !desk.strangers.allow(r.client.Addr(), r.at) {
		desk.metrics.Notify(metrics.NotifyDropped)
		return nil
	}
	desk.metrics.Notify(why.result)
	if desk.lines.Allow() {
		fields := []zap.Field{zap.Stringer("peer", r.client), zap.String("cause", why.cause)}
		if why.zone != nil {
			fields = append(fields, zap.String("zone", why.zone.String()))
		}
		if why.err != nil {
			fields = append(fields, zap.Error(why.err))
		}
		desk.log.Warn("notify refused", fields...)
	}
	return r.finish()
}

// zoneNamed returns the configured zone of exactly that name and class IN.
func (r *responder) zoneNamed(name wire.Name) *zonestore.Served {
	if r.query.class != wire.ClassIN {
		return nil
	}
	r.lookFor(name)
	if served, depth := r.zones.Find(r.names, 0); served != nil && depth == 0 {
		return served
	}
	return nil
}

// serialHint returns the serial of the SOA in the answer section of a NOTIFY
// (RFC 1996 section 3.7). Anything else there says nothing.
func serialHint(msg []byte, apex wire.Name) (serial uint32, ok bool) {
	header, ok := wire.ParseHeader(msg)
	if !ok || header.AN == 0 {
		return 0, false
	}
	var reader wire.Reader
	reader.Reset(msg)
	if _, err := reader.Question(); err != nil {
		return 0, false
	}
	rr, err := reader.RR()
	if err != nil || rr.Type != wire.TypeSOA || rr.Class != wire.ClassIN || !rr.Owner.Equal(apex) {
		return 0, false
	}
	rdata, err := wire.AppendRdata(nil, msg, rr.Data, rr.Size, wire.TypeSOA)
	if err != nil {
		return 0, false
	}
	soa, err := zone.ParseSOA(rdata)
	return soa.Serial, err == nil
}

// refuseSigned answers a query with a signature: no key is known for queries,
// so it can't be verified (RFC 8945 section 5.2.1).
func (r *responder) refuseSigned(msg []byte) []byte {
	_, bad := tsig.Verify(msg, func(wire.Name) *tsig.Key { return nil }, r.at)
	if bad == nil {
		return r.fail(rcodeFormErr, extendedError{code: noExtendedError})
	}
	return bad.Append(r.fail(bad.Rcode, extendedError{code: noExtendedError}), r.at)
}
