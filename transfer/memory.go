package transfer

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// remembered is for how long peers are.
const remembered = time.Hour

// rememberedAnyway is how many are kept before the first is forgotten.
const rememberedAnyway = 64

// memory remembers peers that can't do something, so that they are not asked for
// it again and again. There are at most about twice as many of them as peers had
// addresses in the last hour.
type memory struct {
	mu    sync.Mutex // guards the fields below
	until map[netip.AddrPort]time.Time
	full  int // peers from which on those that are due are forgotten
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
	if len(m.until) >= m.full {
		maps.DeleteFunc(m.until, func(_ netip.AddrPort, until time.Time) bool { return now.After(until) })
		m.full = 2*len(m.until) + rememberedAnyway
	}
	m.until[addr] = now.Add(remembered)
}
