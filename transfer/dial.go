package transfer

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"secondaryd/zonestore/registry"
)

// Dialer opens a connection; network is "udp" or "tcp", on which TLS is built.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// client asks peers. It is the one place that dials out.
type client struct {
	dial   Dialer
	limits *Limits
	budget *budget
	slots  slots
	pool   pool
	seed   uint64
	id     func() uint16 // random message ids
	plain  memory        // peers that answer a query with EDNS by FORMERR, as those do that have never heard of it (RFC 6891 section 7)
	noSOA  memory        // peers that do not answer SOA queries where transfers are asked for
}

func newClient(dial Dialer, limits *Limits, seed uint64) *client {
	return &client{
		dial:   dial,
		limits: limits,
		budget: &budget{limit: limits.BytesRunning},
		slots:  slots{free: limits.Running},
		pool:   pool{perPeer: limits.RunningPerPeer},
		seed:   seed,
		id:     dns.Id,
	}
}

// dialFrom opens connections from these addresses of ours, by family; the zero one
// leaves it to the system.
func dialFrom(v4, v6 netip.Addr) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		source := v6
		if to.Addr().Is4() {
			source = v4
		}
		d := net.Dialer{}
		switch from := netip.AddrPortFrom(source, 0); {
		case !source.IsValid():
		case network == "udp":
			d.LocalAddr = net.UDPAddrFromAddrPort(from)
		default:
			d.LocalAddr = net.TCPAddrFromAddrPort(from)
		}
		return d.DialContext(ctx, network, address)
	}
}

// query makes a query to a peer.
func (c *client) query(p peer, ask question) *query {
	now := time.Now()
	ask.key, ask.edns, ask.padded = p.key, !c.plain.has(p.addr, now), p.tls != nil
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

// open connects to a peer. To a peer with TLS nothing goes in clear, whatever
// fails: neither a transfer nor a SOA query (RFC 9103 section 11).
func (c *client) open(ctx context.Context, network string, p peer) (net.Conn, error) {
	if err := registry.CheckPeerAddr(p.addr.Addr(), c.limits.ForbidPrivate); err != nil {
		return nil, &Error{Step: StepConnect, Cause: CauseForbidden, Err: err}
	}
	if p.tls != nil && network != "tcp" {
		return nil, fail(StepTLS, CauseInternal, "a peer with TLS was to be asked by %s", network)
	}
	dialing, cancel := context.WithTimeout(ctx, c.limits.Connect)
	defer cancel()
	dial := c.dial
	if p.source.IsValid() {
		dial = dialFrom(p.source, p.source)
	}
	conn, err := dial(dialing, network, p.addr.String())
	if err != nil {
		return nil, classify(StepConnect, err)
	}
	if p.tls == nil {
		return conn, nil
	}
	if conn, err = secure(dialing, conn, p.tls); err != nil {
		return nil, classify(StepTLS, err)
	}
	return conn, nil
}

// send puts the query on its way over a stream; the answer must begin in time.
func (c *client) send(conn net.Conn, q *query) error {
	if err := within(conn, c.limits.FirstMessage); err != nil {
		return err
	}
	_, err := (&dns.Conn{Conn: conn}).Write(q.bytes)
	return err
}

// exchange sends the query over a stream and returns the first message that
// comes back, its signature not verified.
func (c *client) exchange(conn net.Conn, q *query) ([]byte, error) {
	if err := c.send(conn, q); err != nil {
		return nil, err
	}
	n, err := await(conn)
	if err != nil {
		return nil, err
	}
	msg := make([]byte, n)
	_, err = io.ReadFull(conn, msg)
	return msg, err
}

// await waits for the next message of a stream and returns its octets' number
// (RFC 1035 section 4.2.2). The message is still to be read: who waits needs no
// buffer.
func await(conn io.Reader) (int, error) {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(size[:])), nil
}

// within sets the deadline of what comes next.
func within(conn net.Conn, d time.Duration) error {
	return conn.SetDeadline(time.Now().Add(d))
}
