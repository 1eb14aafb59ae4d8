package transfer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
)

// How a SOA query by UDP is repeated before it is asked by TCP.
var udpTries = [...]time.Duration{1 * time.Second, 2 * time.Second}

// udpBuffer is the largest SOA answer by UDP that is looked at: more than is
// offered is a favour.
const udpBuffer = 4096

// udpBuffers are for answers by UDP: a new one for each poll would be most of
// what polling allocates.
var udpBuffers = sync.Pool{New: func() any { return new([udpBuffer]byte) }}

// poll asks a peer for the SOA of a zone: by UDP, and by TCP if UDP brings no
// answer or a truncated one; by nothing but TLS where that is configured.
func (c *client) poll(ctx context.Context, p peer, apex wire.Name) (polled, error) {
	if p.fact != nil {
		return polled{}, p.fact
	}
	got, err := c.pollOnce(ctx, p, apex)
	if c.mindsEDNS(p, err) {
		got, err = c.pollOnce(ctx, p, apex)
	}
	if errors.Is(err, tsig.ErrBadKey) {
		err = c.whichAlgorithm(ctx, p, apex, err, c.pollsTCP)
	}
	return got, err
}

// pollOnce asks once. Where the peer answers transfers alone, the first message
// of one tells its SOA too.
func (c *client) pollOnce(ctx context.Context, p peer, apex wire.Name) (polled, error) {
	if c.noSOA.has(p.addr, time.Now()) {
		return c.pollByTransfer(ctx, p, apex)
	}
	got, err := c.pollSOA(ctx, p, apex)
	if unsupported(err) {
		c.noSOA.add(p.addr, time.Now())
		return c.pollByTransfer(ctx, p, apex)
	}
	return got, err
}

func (c *client) pollSOA(ctx context.Context, p peer, apex wire.Name) (polled, error) {
	if p.tls != nil {
		return c.pollTCP(ctx, p, apex)
	}
	got, again, err := c.pollUDP(ctx, p, apex)
	if again {
		got, err = c.pollTCP(ctx, p, apex)
	}
	return got, err
}

// pollUDP asks by UDP; again tells that TCP should be tried.
func (c *client) pollUDP(ctx context.Context, p peer, apex wire.Name) (got polled, again bool, err error) {
	conn, err := c.open(ctx, "udp", p)
	if err != nil {
		return polled{}, false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for _, wait := range udpTries {
		q := c.query(p, question{apex: apex, qtype: wire.TypeSOA})
		got, again, err = c.tryUDP(conn, q, min(wait, c.limits.FirstMessage))
		if err == nil && !again {
			return got, false, nil
		}
		if !isTimeout(err) || ctx.Err() != nil {
			break
		}
	}
	if again || isTimeout(err) || connectionFault(err) {
		return polled{}, ctx.Err() == nil, err
	}
	return polled{}, false, classify(StepSOA, err)
}

// connectionFault tells whether err is about reaching the peer, not about what
// it said.
func connectionFault(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

// tryUDP sends the SOA query once and reads what answers it.
func (c *client) tryUDP(conn net.Conn, q *query, wait time.Duration) (got polled, again bool, err error) {
	err = askUDP(conn, q, wait, func(msg []byte) (err error) {
		got, again, err = soaAnswer(q, msg)
		return err
	})
	return got, again, err
}

// askUDP sends the query once and waits for what answers it, which take may read
// but not keep. Whatever else arrives is ignored (RFC 5452 section 9.1), be it
// unsigned where a signature is due: it may come from anyone.
func askUDP(conn net.Conn, q *query, wait time.Duration, take func(msg []byte) error) error {
	if err := within(conn, wait); err != nil {
		return err
	}
	if _, err := conn.Write(q.bytes); err != nil {
		return err
	}
	space := udpBuffers.Get().(*[udpBuffer]byte)
	defer udpBuffers.Put(space)
	buf := space[:]
	var dropped error
	for {
		n, err := conn.Read(buf)
		if isTimeout(err) && dropped != nil {
			return dropped
		}
		if err != nil {
			return err
		}
		if !q.matches(buf[:n]) {
			continue
		}
		msg, err := verified(q, buf[:n])
		if err != nil {
			dropped = err
			continue
		}
		return take(msg)
	}
}

// verified checks the signature of an answer of one message.
func verified(q *query, raw []byte) ([]byte, error) {
	v := q.verifier()
	msg, err := v.Next(raw, time.Now())
	if err != nil {
		return nil, signatureError(StepSOA, raw, err)
	}
	return msg, v.Finish()
}

func (c *client) pollTCP(ctx context.Context, p peer, apex wire.Name) (got polled, err error) {
	l := &line{client: c, peer: p}
	defer l.hangUp()
	err = l.ask(ctx, func(conn net.Conn) (err error) {
		got, err = c.askTCP(conn, c.query(p, question{apex: apex, qtype: wire.TypeSOA}))
		l.clean = err == nil
		return err
	})
	if err != nil {
		return polled{}, classify(StepSOA, err)
	}
	return got, nil
}

// pollByTransfer has a transfer begin, for its first record, and breaks it off.
func (c *client) pollByTransfer(ctx context.Context, p peer, apex wire.Name) (got polled, err error) {
	l := &line{client: c, peer: p}
	defer l.hangUp()
	err = l.ask(ctx, func(conn net.Conn) error {
		q := c.query(p, question{apex: apex, qtype: wire.TypeAXFR})
		msg, err := c.answer(conn, q)
		if err != nil {
			return err
		}
		g := &glimpse{apex: apex, step: StepAXFR}
		s := &stream{query: q, into: g, strict: c.limits.RequireAA}
		if _, err := s.message(msg); err != nil {
			return err
		}
		if g.records == 0 {
			return fail(StepAXFR, CauseStructure, "the first message has no record")
		}
		got = polled{soa: g.first, expire: s.expire}
		return nil
	})
	if err != nil {
		return polled{}, classify(StepAXFR, err)
	}
	return got, nil
}

// pollsTCP reports whether a peer answers the SOA query by TCP.
func (c *client) pollsTCP(ctx context.Context, p peer, apex wire.Name) error {
	_, err := c.pollTCP(ctx, p, apex)
	return err
}

// answer sends the query over a stream and returns the first message that comes
// back, its signature verified.
func (c *client) answer(conn net.Conn, q *query) ([]byte, error) {
	raw, err := c.exchange(conn, q)
	if err != nil {
		return nil, err
	}
	return verified(q, raw)
}

func (c *client) askTCP(conn net.Conn, q *query) (polled, error) {
	msg, err := c.answer(conn, q)
	if err != nil {
		return polled{}, err
	}
	got, truncated, err := soaAnswer(q, msg)
	if truncated {
		return polled{}, fail(StepSOA, CauseMalformed, "TC set in an answer by TCP")
	}
	return got, err
}
