package transfer

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
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

// open connects to a peer and makes the connection end with ctx: closed is to
// be called on every path.
func (c *client) open(ctx context.Context, network string, addr netip.AddrPort) (conn *dns.Conn, closed func(), err error) {
	if c.limits.ForbidPrivate && isPrivate(addr.Addr()) {
		return nil, nil, &Error{Step: StepConnect, Cause: CauseForbidden}
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

func isPrivate(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() }

// within sets the deadline of what comes next.
func within(conn net.Conn, d time.Duration) error {
	return conn.SetDeadline(time.Now().Add(d))
}
