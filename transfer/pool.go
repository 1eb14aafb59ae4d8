package transfer

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// pool keeps connections to peers open for a moment after they were used, so
// that many zones of one peer need few of them (RFC 7766 section 6.2.1).
type pool struct {
	perPeer int // at most

	mu     sync.Mutex          // guards the fields below
	idle   map[way][]*idleConn // the last one used last
	count  int
	closed bool
}

// way is how a connection to a peer was made. Only who would make the same may
// have it: another peer at that address may be asked in clear, or known by
// something else.
type way struct {
	addr   netip.AddrPort
	source netip.Addr
	tls    *tls.Config
}

type idleConn struct {
	net.Conn
	expiry *time.Timer
}

const (
	// idleFor is less than what any primary grants.
	idleFor = 3 * time.Second
	maxIdle = 256
)

// take returns a connection that goes this way, nil if none is kept. The peer may have
// closed it.
func (p *pool) take(to way) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[to]
	if len(kept) == 0 {
		return nil
	}
	c := kept[len(kept)-1]
	p.removeLocked(to, c)
	c.expiry.Stop()
	return c.Conn
}

// put keeps a connection on which nothing is left unread, or closes it.
func (p *pool) put(to way, conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.count >= maxIdle || len(p.idle[to]) >= p.perPeer {
		_ = conn.Close() // nothing was left to write
		return
	}
	c := &idleConn{Conn: conn}
	c.expiry = time.AfterFunc(idleFor, func() { p.expire(to, c) })
	if p.idle == nil {
		p.idle = map[way][]*idleConn{}
	}
	p.idle[to] = append(p.idle[to], c)
	p.count++
}

func (p *pool) expire(to way, c *idleConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.removeLocked(to, c) {
		_ = c.Close()
	}
}

// removeLocked takes c out, unless it was taken already.
func (p *pool) removeLocked(to way, c *idleConn) bool {
	kept := p.idle[to]
	i := slices.Index(kept, c)
	if i < 0 {
		return false
	}
	p.count--
	if len(kept) == 1 {
		delete(p.idle, to)
		return true
	}
	p.idle[to] = slices.Delete(kept, i, i+1)
	return true
}

// close closes all that is kept; nothing is from now on.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, kept := range p.idle {
		for _, c := range kept {
			c.expiry.Stop()
			_ = c.Close()
		}
	}
	p.idle, p.count = nil, 0
}
