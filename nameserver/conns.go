package nameserver

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"secondaryd/metrics"
)

// connTable knows the open TCP connections and holds them to the limits. When
// it is full, the connection that has been idle for longest makes room.
//
// That a connection becomes idle or busy happens for every query, and so it is
// noted with the connection. Which one has been idle for longest is worked out
// when the table is full, for several at a time.
type connTable struct {
	max, maxPerAddress int
	metrics            *metrics.DNS
	stopping           atomic.Bool
	started            time.Time // what idleSince counts from

	mu        sync.Mutex // guards the fields below and gone of the entries
	open      map[*tcpConn]struct{}
	addresses map[netip.Addr]int
	oldest    []idleConn // the next to make room, the one idle for longest last
}

// connEntry is what the table notes of a connection.
type connEntry struct {
	idleSince atomic.Int64 // nanoseconds; 0 while it is busy
	gone      bool         // no longer counted
}

// idleConn is a connection that was idle, and since when.
type idleConn struct {
	conn  *tcpConn
	since int64
}

// evictionShare is the part of all connections, one in so many, whose order is
// worked out at a time.
const evictionShare = 64

func newConnTable(limit, perAddress int, m *metrics.DNS) *connTable {
	return &connTable{
		max:           limit,
		maxPerAddress: perAddress,
		metrics:       m,
		started:       time.Now().Add(-1), // idle since 0 would be busy
		open:          map[*tcpConn]struct{}{},
		addresses:     map[netip.Addr]int{},
	}
}

// add counts c in; false means that a limit forbids it.
func (t *connTable) add(c *tcpConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := c.client.Addr()
	if t.addresses[addr] >= t.maxPerAddress {
		t.metrics.ConnLimited(metrics.ConnLimitAddress)
		return false
	}
	if len(t.open) >= t.max && !t.evictIdleLocked() {
		t.metrics.ConnLimited(metrics.ConnLimitTotal)
		return false
	}
	t.open[c] = struct{}{}
	t.addresses[addr]++
	t.metrics.ConnOpened()
	return true
}

// remove counts c out, if it still counts.
func (t *connTable) remove(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(c)
}

func (t *connTable) removeLocked(c *tcpConn) {
	if c.entry.gone {
		return
	}
	c.entry.gone = true
	delete(t.open, c)
	addr := c.client.Addr()
	if t.addresses[addr]--; t.addresses[addr] == 0 {
		delete(t.addresses, addr)
	}
	t.metrics.ConnClosed()
}

// idle notes that c begins to wait for a query at a time.
func (t *connTable) idle(c *tcpConn, since time.Time) {
	c.entry.idleSince.Store(int64(since.Sub(t.started)))
}

// busy notes that c no longer waits.
func (t *connTable) busy(c *tcpConn) { c.entry.idleSince.Store(0) }

// evictIdle closes the connection that has been idle for longest, if any is.
func (t *connTable) evictIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.evictIdleLocked()
}

func (t *connTable) evictIdleLocked() bool {
	for {
		if len(t.oldest) == 0 {
			t.oldest = t.longestIdle()
		}
		last := len(t.oldest) - 1
		if last < 0 {
			return false
		}
		next := t.oldest[last]
		t.oldest[last] = idleConn{}
		t.oldest = t.oldest[:last]
		if c := next.conn; !c.entry.gone && c.entry.idleSince.Load() == next.since {
			t.removeLocked(c)
			t.metrics.ConnLimited(metrics.ConnLimitIdle)
			_ = c.conn.Close() // wakes its goroutine, which closes it again
			return true
		}
	}
}

// longestIdle returns the connections that have been idle for longest, that one
// last. Whatever becomes idle later is no older than they are.
func (t *connTable) longestIdle() []idleConn {
	var all []idleConn
	for c := range t.open {
		if since := c.entry.idleSince.Load(); since != 0 {
			all = append(all, idleConn{c, since})
		}
	}
	slices.SortFunc(all, func(a, b idleConn) int { return cmp.Compare(b.since, a.since) })
	return slices.Clone(all[len(all)-(len(all)+evictionShare-1)/evictionShare:])
}

// stop lets no more queries be read: connections answer what they have read and
// end.
func (t *connTable) stop() {
	t.stopping.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.open {
		_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // fails only on one that is closed
	}
}

// closeAll ends every connection at once.
func (t *connTable) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.open {
		_ = c.conn.Close() // wakes its goroutine, which closes it again
	}
}
