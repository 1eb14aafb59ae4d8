package transfer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/registry"
)

// Dialer opens a connection; network is "udp" or "tcp".
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// client asks peers. It is the one place that dials out.
type client struct {
	dial   Dialer
	limits *Limits
	budget *budget
	slots  chan struct{} // one for each running transfer
	seed   uint64
	id     func() uint16 // random message ids
	plain  plainPeers
}

func newClient(dial Dialer, limits *Limits, seed uint64) *client {
	return &client{
		dial:   dial,
		limits: limits,
		budget: &budget{limit: limits.BytesRunning},
		slots:  make(chan struct{}, limits.Running),
		seed:   seed,
		id:     dns.Id,
	}
}

// query makes a query to a peer.
func (c *client) query(p peer, ask question) *query {
	now := time.Now()
	ask.key, ask.edns = p.key, !c.plain.has(p.addr, now)
	return newQuery(c.id(), ask, now)
}

// mindsEDNS reports whether a peer that failed with err is one to ask again
// without EDNS (RFC 5936 section 2.1.5, RFC 6891 section 7). It is asked without
// for a while then.
func (c *client) mindsEDNS(p peer, err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Cause != CauseFormErr || c.plain.has(p.addr, time.Now()) {
		return false
	}
	c.plain.add(p.addr, time.Now())
	return true
}

// open connects to a peer and makes the connection end with ctx: closed is to
// be called on every path.
func (c *client) open(ctx context.Context, network string, addr netip.AddrPort) (conn *dns.Conn, closed func(), err error) {
	if err := registry.CheckPeerAddr(addr.Addr(), c.limits.ForbidPrivate); err != nil {
		return nil, nil, &Error{Step: StepConnect, Cause: CauseForbidden, Err: err}
	}
	dialing, cancel := context.WithTimeout(ctx, c.limits.Connect)
	defer cancel()
	raw, err := c.dial(dialing, network, addr.String())
	if err != nil {
		return nil, nil, classify(StepConnect, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	return &dns.Conn{Conn: raw}, func() {
		stop()
		_ = raw.Close() // nothing was left to write
	}, nil
}

// send puts the query on its way; the answer must begin in time.
func (c *client) send(conn net.Conn, q *query) error {
	if err := within(conn, c.limits.FirstMessage); err != nil {
		return err
	}
	_, err := conn.Write(q.bytes)
	return err
}

// exchange sends the query over a stream and returns the first message that
// comes back, its signature not verified.
func (c *client) exchange(conn net.Conn, q *query) ([]byte, error) {
	if err := c.send(conn, q); err != nil {
		return nil, err
	}
	buf := make([]byte, wire.MaxMessage)
	n, err := conn.Read(buf)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// within sets the deadline of what comes next.
func within(conn net.Conn, d time.Duration) error {
	return conn.SetDeadline(time.Now().Add(d))
}
