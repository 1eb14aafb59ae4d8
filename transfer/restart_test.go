package transfer

import (
	"context"
	"testing"
	"time"

	"secondaryd/zonestore"
)

// flush has the store write to disk what it writes within seconds otherwise.
func (w *world) flush() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	cancel()
	if err := w.store.Run(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// TestRestartAfterCheck: a check that confirmed nothing is repeated at once after a
// restart, one that did in its time.
func TestRestartAfterCheck(t *testing.T) {
	for name, c := range map[string]struct {
		host fakeHost
		want []string
	}{
		"confirmed": {host: fakeHost{serial: 1}},
		"failed":    {host: fakeHost{err: errDead}, want: []string{"SOA 192.0.2.1"}},
		"no newer":  {host: fakeHost{serial: 2, broken: errDead}, want: []string{"SOA 192.0.2.1", "AXFR 192.0.2.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
				pass(interval + transferIn)
				w.peers.set("192.0.2.1", c.host)
				w.notify(id, host1, 2)
				pass(3 * transferIn)
				w.flush()
				pass(time.Second)
				w.peers.take()
				w.restarted(func(w *world) {
					w.want(id, zonestore.StateServing, 1)
					pass(3 * transferIn)
					w.wantAsked(c.want...)
				})
			})
		})
	}
}
