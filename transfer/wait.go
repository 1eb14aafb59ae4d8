package transfer

import (
	"context"
	"sync"
	"sync/atomic"

	"secondaryd/zonestore"
)

// maxWaiters bounds who waits for zones at once.
const maxWaiters = 1000

// waiters are those who wait for what is served of zones to change. A zone for
// which nobody waits takes nothing. It is safe for concurrent use.
type waiters struct {
	count atomic.Int32 // of those who wait, so that a change need not lock for nobody

	mu    sync.Mutex // guards zones
	zones map[string]*turn
}

// turn is the next change of a zone.
type turn struct {
	come    chan struct{} // closed then
	waiting int
}

// enter takes a place for one who waits, if there is one.
func (w *waiters) enter() bool {
	if w.count.Add(1) > maxWaiters {
		w.count.Add(-1)
		return false
	}
	return true
}

func (w *waiters) leave() { w.count.Add(-1) }

// next returns the next change of a zone; give must follow, be it there or not.
func (w *waiters) next(zone string) *turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.zones[zone]
	if !ok {
		t = &turn{come: make(chan struct{})}
		if w.zones == nil {
			w.zones = map[string]*turn{}
		}
		w.zones[zone] = t
	}
	t.waiting++
	return t
}

func (w *waiters) give(zone string, t *turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.waiting--; t.waiting == 0 && w.zones[zone] == t {
		delete(w.zones, zone)
	}
}

// tell wakes those who wait for a zone: what is served of it has changed.
func (w *waiters) tell(zone string) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.zones[zone]; ok {
		close(t.come)
		delete(w.zones, zone)
	}
}

// WaitSerial returns when a zone is served with that serial or a newer one in
// the sense of RFC 1982; with nil, when what is served of it has changed. It
// fails with the error of ctx when that ends before, with ErrUnknownZone when
// the zone is not configured, or no longer, and with ErrBusy when too many wait.
func (e *Engine) WaitSerial(ctx context.Context, zoneID string, serial *uint32) error {
	if !e.waiters.enter() {
		return ErrBusy
	}
	defer e.waiters.leave()
	first := e.view(zoneID)
	for {
		if done, err := e.waitTurn(ctx, zoneID, func(now *zonestore.View) bool { return reached(first, now, serial) }); done || err != nil {
			return err
		}
	}
}

// waitTurn waits for the next change of a zone, unless it is done before.
func (e *Engine) waitTurn(ctx context.Context, zoneID string, done func(*zonestore.View) bool) (bool, error) {
	t := e.waiters.next(zoneID)
	defer e.waiters.give(zoneID, t)
	if _, ok := e.registry.Zone(zoneID); !ok {
		return false, ErrUnknownZone
	}
	if done(e.view(zoneID)) { // looked at after the turn was taken, so no change is missed
		return true, nil
	}
	select {
	case <-t.come:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// view is what is served of a zone, an empty one of a zone so new that the store
// does not have it.
func (e *Engine) view(zoneID string) *zonestore.View {
	if served, ok := e.store.Get(zoneID); ok {
		return served.View()
	}
	return &zonestore.View{}
}

// reached reports whether the view now is what was waited for since first.
func reached(first, now *zonestore.View, serial *uint32) bool {
	if serial == nil {
		return now.Zone != first.Zone || now.State != first.State
	}
	return now.State == zonestore.StateServing && (now.Serial == *serial || newer(now.Serial, *serial))
}
