package transfer

import (
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

	mu     sync.Mutex                     // guards the fields below
	idle   map[netip.AddrPort][]*idleConn // the last one used last
	count  int
	closed bool
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

// take returns a connection to the peer, nil if none is kept. The peer may have
// closed it.
func (p *pool) take(addr netip.AddrPort) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[addr]
	if len(kept) == 0 {
		return nil
	}
	c := kept[len(kept)-1]
	p.removeLocked(addr, c)
	c.expiry.Stop()
	return c.Conn
}

// put keeps a connection on which nothing is left unread, or closes it.
func (p *pool) put(addr netip.AddrPort, conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.count >= maxIdle || len(p.idle[addr]) >= p.perPeer {
		_ = conn.Close() // nothing was left to write
		return
	}
	c := &idleConn{Conn: conn}
	c.expiry = time.AfterFunc(idleFor, func() { p.expire(addr, c) })
	if p.idle == nil {
		p.idle = map[netip.AddrPort][]*idleConn{}
	}
	p.idle[addr] = append(p.idle[addr], c)
	p.count++
}

func (p *pool) expire(addr netip.AddrPort, c *idleConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.removeLocked(addr, c) {
		_ = c.Close()
	}
}

// removeLocked takes c out, unless it was taken already.
func (p *pool) removeLocked(addr netip.AddrPort, c *idleConn) bool {
	kept := p.idle[addr]
	i := slices.Index(kept, c)
	if i < 0 {
		return false
	}
	p.count--
	if len(kept) == 1 {
		delete(p.idle, addr)
		return true
	}
	p.idle[addr] = slices.Delete(kept, i, i+1)
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
