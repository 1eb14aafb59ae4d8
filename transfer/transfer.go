// Package transfer is everything that talks to a primary: it decides when each
// zone is checked, asks the peers for the SOA, transfers what is newer, checks
// it, and hands it to the zone store. It is the only package that dials out.
//
// The protocol (query.go, soa.go, axfr.go, timing.go) is bytes in, decisions
// out; poll.go and transfer.go do the I/O; the Engine owns the schedule, one
// heap for all zones, and every goroutine. A transfer that fails anywhere
// leaves the served version as it was.
package transfer

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// received is a zone as a transfer brought it.
type received struct {
	zone   *zone.Zone
	octets int64
}

// axfr transfers a whole zone from a peer. accept is asked with the SOA the
// stream begins with and may refuse it. Nothing of a stream is returned unless
// all of it came, was verified and passed the guard.
func (c *client) axfr(ctx context.Context, p peer, apex wire.Name, accept func(zone.SOA) error) (received, error) {
	if p.fact != nil {
		return received{}, p.fact
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return received{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, c.limits.Total)
	defer cancel()
	got, err := c.stream(ctx, p, apex, accept)
	if err == nil {
		return got, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return received{}, fail(StepAXFR, CauseTooLong, "%s", c.limits.Total)
	}
	return received{}, c.explain(ctx, p, apex, classify(StepAXFR, err))
}

func (c *client) stream(ctx context.Context, p peer, apex wire.Name, accept func(zone.SOA) error) (received, error) {
	conn, closed, err := c.open(ctx, "tcp", p.addr)
	if err != nil {
		return received{}, err
	}
	defer closed()
	q := newQuery(c.id(), apex, wire.TypeAXFR, p.key, time.Now())
	if err := c.send(conn, q); err != nil {
		return received{}, err
	}
	m := &meter{limits: c.limits, budget: c.budget, start: time.Now()}
	defer m.release()
	var h heavy
	defer h.end()
	stream := &axfr{query: q, seed: c.seed, limits: c.limits.builder(), accept: accept}
	signatures := q.verifier()
	space := buffers.Get().(*[wire.MaxMessage]byte)
	defer buffers.Put(space)
	buf := space[:]
	for done := false; !done; {
		n, err := conn.Read(buf)
		if err != nil {
			return received{}, cut(err, stream.messages)
		}
		if err := m.count(n); err != nil {
			return received{}, err
		}
		h.received(m.octets)
		msg, err := signatures.Next(buf[:n], time.Now())
		if err != nil {
			return received{}, signatureError(StepAXFR, buf[:n], err)
		}
		if done, err = stream.message(msg); err != nil {
			return received{}, err
		}
		if err := within(conn, c.limits.Message); err != nil {
			return received{}, err
		}
	}
	if err := signatures.Finish(); err != nil {
		return received{}, err
	}
	z, err := stream.builder.Finish()
	if err != nil {
		return received{}, err
	}
	return received{zone: z, octets: m.octets}, guard(z)
}

// buffers are for the messages of transfers: with many at once, each with a new
// one, they would be most of what the heap holds.
var buffers = sync.Pool{New: func() any { return new([wire.MaxMessage]byte) }}

// cut says of a failed read what it means in a stream of which some messages
// have come (RFC 5936 section 4.1.1: what was received is worthless).
func cut(err error, messages int) error {
	switch {
	case messages == 0:
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail(StepAXFR, CauseCut, "after %d messages: %w", messages, err)
	case isTimeout(err):
		return fail(StepAXFR, CauseStalled, "after %d messages: %w", messages, err)
	default:
		return err
	}
}

// meter holds one transfer to its limits of octets and time.
type meter struct {
	limits *Limits
	budget *budget
	start  time.Time
	octets int64
}

// count adds a message of n octets.
func (m *meter) count(n int) error {
	if !m.budget.take(int64(n)) {
		return fail(StepAXFR, CauseBudget, "%d octets", m.limits.BytesRunning)
	}
	m.octets += int64(n)
	if m.octets > m.limits.Bytes {
		return fail(StepAXFR, CauseLimit, "more than %d octets", m.limits.Bytes)
	}
	took := time.Since(m.start)
	if took > rateGrace && m.octets < int64(took.Seconds()*float64(m.limits.MinRate)) {
		return fail(StepAXFR, CauseSlow, "%d octets in %s", m.octets, took.Round(time.Second))
	}
	return nil
}

func (m *meter) release() { m.budget.give(m.octets) }
