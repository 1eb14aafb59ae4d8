// Package transfer is everything that talks to a primary: it decides when each
// zone is checked, asks the peers for the SOA, transfers what is newer, checks
// it, and hands it to the zone store. It is the only package that dials out.
//
// The protocol (query.go, soa.go, stream.go, axfr.go, ixfr.go, timing.go) is
// bytes in, decisions out; poll.go and transfer.go do the I/O, over what dial.go
// and tls.go open; the Engine owns the schedule, one heap for all zones, and
// every goroutine. A transfer that fails anywhere leaves the served version as
// it was.
package transfer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"secondaryd/internal/background"
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// kind is how a version came.
type kind uint8

// The kinds.
const (
	kindNone kind = iota
	kindAXFR
	kindIXFR
)

// String names the kind as logs and metrics do.
func (k kind) String() string { return [...]string{"", "axfr", "ixfr"}[k] }

// received is what a transfer brought. Of one that failed it says only what was
// tried: kind and ixfr.
type received struct {
	kind    kind
	zone    *zone.Zone   // nil: the peer has nothing newer than the base
	changes []byte       // those that led to it from the base, nil if it came whole
	deleted int          // deletions among them
	faults  []zone.Fault // that they brought, the first
	expire  expiry
	octets  int64
	// ixfr is why an incremental transfer that was asked for first did not do,
	// nil if none was or it did.
	ixfr *Error
}

// want says which version a transfer is to bring.
type want struct {
	apex wire.Name
	// base is the version of which the differences are asked for, nil to have
	// the whole zone.
	base *zone.Zone
	// accept is asked with the SOA that the stream begins with and may refuse it.
	accept func(zone.SOA) error
	// work is what the transfer is part of; nil if it is not to stand back.
	work *background.Work
}

// transfer fetches a version of a zone from a peer. If the differences can't be
// had, whatever the reason, the same peer is asked for the whole zone at once
// (RFC 1995 section 4): nothing has left secondaries stale as often as not
// doing so. Nothing of a stream is returned unless all of it came, was verified
// and passed the guard.
func (c *client) transfer(ctx context.Context, p peer, w want) (received, error) {
	if p.fact != nil {
		return received{}, p.fact
	}
	ctx, cancel := context.WithTimeout(ctx, c.limits.Total)
	defer cancel()
	got, err := c.attempt(ctx, p, w)
	if err == nil {
		return got, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return got, fail(StepAXFR, CauseTooLong, "%s", c.limits.Total)
	}
	return got, c.explain(ctx, p, w.apex, classify(StepAXFR, err))
}

// attempt asks for what is wanted, and for the whole zone if that fails.
func (c *client) attempt(ctx context.Context, p peer, w want) (received, error) {
	l := &line{client: c, peer: p}
	defer l.hangUp()
	if w.base == nil {
		return c.whole(ctx, l, w)
	}
	got, err := c.ask(ctx, l, w)
	if err == nil || ctx.Err() != nil {
		return got, err
	}
	e := classify(StepIXFR, err)
	if !e.leavesAXFR() {
		return received{kind: kindIXFR}, e
	}
	w.base = nil
	got, err = c.whole(ctx, l, w)
	got.ixfr = e
	return got, err
}

// whole asks for the whole zone, without EDNS if the peer can't do with it.
func (c *client) whole(ctx context.Context, l *line, w want) (received, error) {
	got, err := c.ask(ctx, l, w)
	if c.mindsEDNS(l.peer, err) {
		got, err = c.ask(ctx, l, w)
	}
	got.kind = kindAXFR
	return got, err
}

// leavesAXFR reports whether an incremental transfer that failed so leaves a
// full one worth trying: not if the peer can't be reached, is not the right one,
// does not share our key, or has nothing newer.
func (e *Error) leavesAXFR() bool {
	switch e.Step {
	case StepConnect, StepTLS, StepTSIG:
		return false
	default:
		return e.Cause != CauseOlder && e.Cause != CauseRolledBack
	}
}

// smallIXFR is the octets that differences may always have. More than the zone
// itself they are not worth: it is asked for whole then.
const smallIXFR = 64 << 10

// ask sends one query for a transfer and takes the stream that answers it.
func (c *client) ask(ctx context.Context, l *line, w want) (got received, err error) {
	err = l.ask(ctx, func(conn net.Conn) (err error) {
		s, octets := c.stream(l.peer, w)
		m := &meter{limits: c.limits, step: s.query.step(), most: octets, budget: c.budget, intake: intake{conn: conn}}
		got, err = c.receive(ctx, s, m, w.work)
		// An answer that is nothing but an error code leaves the connection as it
		// was (RFC 9103 section 7.10.2).
		taken := m.end()
		l.clean = taken && (s.refused || err == nil && got.zone != nil)
		return err
	})
	return got, err
}

// stream makes the query for what is wanted, with what assembles the answer, and
// says how many octets that may have.
func (c *client) stream(p peer, w want) (s *stream, octets int64) {
	s = &stream{strict: c.limits.RequireAA}
	whole := &axfr{apex: w.apex, seed: c.seed, limits: c.limits.builder(), accept: w.accept}
	if w.base == nil {
		s.query, s.into = c.query(p, question{apex: w.apex, qtype: wire.TypeAXFR}), whole
		return s, c.limits.Bytes
	}
	s.query = c.query(p, question{apex: w.apex, qtype: wire.TypeIXFR, base: w.base})
	s.into = &ixfr{base: w.base, whole: *whole, limits: c.limits.builder(), differences: maxDifferences}
	return s, min(c.limits.Bytes, max(smallIXFR, int64(w.base.Octets())))
}

// receive asks the query of the stream and reads what comes.
func (c *client) receive(ctx context.Context, s *stream, m *meter, work *background.Work) (received, error) {
	if err := c.send(m.conn, s.query); err != nil {
		return received{}, err
	}
	n, err := await(m.conn)
	if err != nil {
		return received{}, err
	}
	if err := c.slots.take(ctx, m); err != nil {
		return received{}, err
	}
	defer c.slots.give(m)
	defer m.release()
	if err := c.read(s, m, n, &heavy{work: work, intake: &m.intake}); err != nil {
		return received{}, err
	}
	got, err := s.into.version()
	if err != nil {
		return received{}, err
	}
	got.expire, got.octets = s.expire, m.octets.Load()
	if got.zone == nil {
		return got, nil
	}
	return got, guard(got.zone)
}

// read reads the messages of a stream up to its end; n octets are those of the
// first.
func (c *client) read(s *stream, m *meter, n int, h *heavy) error {
	defer h.end()
	signatures := s.query.verifier()
	space := buffers.Get().(*[wire.MaxMessage]byte)
	defer buffers.Put(space)
	for done := false; !done; {
		msg, err := m.message(space[:n], s.messages)
		if err != nil {
			return err
		}
		h.received(m.octets.Load())
		body, err := signatures.Next(msg, time.Now())
		if err != nil {
			return signatureError(m.step, msg, err)
		}
		if done, err = s.message(body); err != nil {
			return err
		}
		if done {
			break
		}
		if n, err = await(m); err != nil {
			return m.cut(err, s.messages)
		}
	}
	return signatures.Finish()
}

// buffers are for the messages of transfers: with many at once, each with a new
// one, they would be most of what the heap holds.
var buffers = sync.Pool{New: func() any { return new([wire.MaxMessage]byte) }}
