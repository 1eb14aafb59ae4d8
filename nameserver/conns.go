package nameserver

import (
	"container/list"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"secondaryd/metrics"
)

// connTable knows the open TCP connections and holds them to the limits. When
// it is full, the connection that has been idle for longest makes room.
type connTable struct {
	max, maxPerAddress int
	metrics            *metrics.DNS
	stopping           atomic.Bool

	mu        sync.Mutex // guards the fields below and the entries
	open      map[*tcpConn]struct{}
	addresses map[netip.Addr]int
	waiting   *list.List // idle connections, the one idle for longest first
}

// connEntry is what the table notes of a connection.
type connEntry struct {
	waiting *list.Element // its place among the idle ones; nil while it is busy
	gone    bool          // no longer counted
}

func newConnTable(limit, perAddress int, m *metrics.DNS) *connTable {
	return &connTable{
		max:           limit,
		maxPerAddress: perAddress,
		metrics:       m,
		open:          map[*tcpConn]struct{}{},
		addresses:     map[netip.Addr]int{},
		waiting:       list.New(),
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
	t.busyLocked(c)
	delete(t.open, c)
	addr := c.client.Addr()
	if t.addresses[addr]--; t.addresses[addr] == 0 {
		delete(t.addresses, addr)
	}
	t.metrics.ConnClosed()
}

// idle notes that c begins to wait for a query.
func (t *connTable) idle(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !c.entry.gone && c.entry.waiting == nil {
		c.entry.waiting = t.waiting.PushBack(c)
	}
}

// busy notes that c no longer waits.
func (t *connTable) busy(c *tcpConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busyLocked(c)
}

func (t *connTable) busyLocked(c *tcpConn) {
	if c.entry.waiting != nil {
		t.waiting.Remove(c.entry.waiting)
		c.entry.waiting = nil
	}
}

// evictIdle closes the connection that has been idle for longest, if any is.
func (t *connTable) evictIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.evictIdleLocked()
}

func (t *connTable) evictIdleLocked() bool {
	oldest := t.waiting.Front()
	if oldest == nil {
		return false
	}
	c := oldest.Value.(*tcpConn)
	t.removeLocked(c)
	t.metrics.ConnLimited(metrics.ConnLimitIdle)
	_ = c.conn.Close() // wakes its goroutine, which closes it again
	return true
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
