package transfer

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// countedConn counts how often it is closed.
type countedConn struct {
	net.Conn
	closed atomic.Int32
}

func (c *countedConn) Close() error {
	c.closed.Add(1)
	return nil
}

func TestPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, there := way{addr: netip.MustParseAddrPort("192.0.2.1:53")}, way{addr: netip.MustParseAddrPort("192.0.2.2:53")}
		p := &pool{perPeer: 2}
		conns := make([]*countedConn, 5)
		for i := range conns {
			conns[i] = &countedConn{}
		}
		wantClosed := func(want ...int32) {
			t.Helper()
			for i, c := range conns {
				if got := c.closed.Load(); got != want[i] {
					t.Errorf("connection %d was closed %d times, want %d", i, got, want[i])
				}
			}
		}
		if p.take(here) != nil {
			t.Error("a connection out of nothing")
		}
		p.put(here, conns[0])
		p.put(here, conns[1])
		p.put(here, conns[2]) // one too many
		p.put(there, conns[3])
		wantClosed(0, 0, 1, 0, 0)
		if got := p.take(here); got != conns[1] {
			t.Errorf("got %v, want the one used last", got)
		}
		pass(idleFor + 1)
		wantClosed(1, 0, 1, 1, 0) // what was taken is its user's
		if p.count != 0 || len(p.idle) != 0 {
			t.Errorf("%d connections counted, %d peers known, want none", p.count, len(p.idle))
		}
		p.put(here, conns[1])
		p.close()
		p.put(here, conns[4])
		wantClosed(1, 1, 1, 1, 1)
	})
}
