package transfer

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// remembered is for how long peers are.
const remembered = time.Hour

// memory remembers peers that can't do something, so that they are not asked for
// it again and again. There are no more of them than addresses that peers had in the
// last hour.
type memory struct {
	mu    sync.Mutex // guards until
	until map[netip.AddrPort]time.Time
}

func (m *memory) has(addr netip.AddrPort, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[addr]
	if ok && now.After(until) {
		delete(m.until, addr)
		return false
	}
	return ok
}

func (m *memory) add(addr netip.AddrPort, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until == nil {
		m.until = map[netip.AddrPort]time.Time{}
	}
	maps.DeleteFunc(m.until, func(_ netip.AddrPort, until time.Time) bool { return now.After(until) })
	m.until[addr] = now.Add(remembered)
}
