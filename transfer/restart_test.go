package transfer

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
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

// TestRestartHeld: what is held is fetched at once after kill -9, and held again since when
// it was; what is held no longer is not.
func TestRestartHeld(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *world, id string) error
		want   []string // questions
		held   uint32
		again  bool // since when it was before
	}{
		"held":      {func(*world, string) error { return nil }, []string{"SOA 192.0.2.1", "AXFR 192.0.2.1"}, 2, true},
		"forced":    {func(w *world, id string) error { return w.ForceTransfer(id) }, []string{"SOA 192.0.2.1", "AXFR 192.0.2.1"}, 2, true},
		"released":  {func(w *world, id string) error { return w.Release(id, 2) }, nil, 0, false},
		"discarded": {func(w *world, id string) error { return w.Discard(id, 2) }, nil, 0, false},
		"another": {func(w *world, id string) error {
			w.peers.set("192.0.2.1", fakeHost{serial: 3, owners: 2})
			return nil
		}, []string{"SOA 192.0.2.1", "AXFR 192.0.2.1"}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			holding(t, false, func(w *world, id string) {
				before, _ := w.Status(id)
				pass(time.Minute)
				if err := c.before(w, id); err != nil {
					t.Error(err)
				}
				pass(3 * transferIn)
				if name != "held" {
					w.flush()
				}
				w.peers.take()
				w.restarted(func(w *world) {
					pass(3 * transferIn)
					w.wantHeld(id, c.held)
					w.wantAsked(c.want...)
					if s, _ := w.Status(id); s.Held != nil && s.Held.Since.Equal(before.Held.Since.Truncate(time.Microsecond)) != c.again {
						t.Errorf("held since %s, before the restart %s", s.Held.Since, before.Held.Since)
					}
				})
			})
		})
	}
}

// TestRestartHeldFirst: a version that was held for longer than it may live has been
// fetched anew since, and lives from then.
func TestRestartHeldFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, digest: true}))
		pass(2 * soaExpire * time.Second)
		before, _ := w.Status(id)
		w.restarted(func(w *world) {
			pass(3 * transferIn)
			if s, _ := w.Status(id); s.Held == nil || time.Since(s.Held.Since) < 2*soaExpire*time.Second-time.Minute {
				t.Errorf("held %+v, before the restart %+v", s.Held, before.Held)
			}
			if err := w.Release(id, 1); err != nil {
				t.Error(err)
			}
			pass(time.Minute)
			w.want(id, zonestore.StateServing, 1)
		})
	})
}

// TestRestartSchedule: after a restart the zones that are overdue are checked at once, no
// more of them in a second than may be polled, and the others in their own time.
func TestRestartSchedule(t *testing.T) {
	const half = 500
	inWorld(t, func(w *world) {
		peer := w.addPeer(1, fakeHost{serial: 1})
		w.addZones("first", half, peer)
		pass(interval / 2)
		w.addZones("other", half, peer)
		pass(2 * time.Second)
		w.flush() // and no more, so that the files are those of a daemon that ended now
		others := time.Now()
		pass(interval * 5 / 8)

		// What is asked at the new address is asked by the engine that was restarted.
		w.peers.set("192.0.2.2", fakeHost{serial: 1})
		move := func(reg *registry.Registry) { readdress(t, reg, peer, "192.0.2.2") }
		w.restartedAfter(move, func(w *world) {
			began := time.Now()
			overdue := time.Duration(half) * time.Second / time.Duration(w.limits.PollsPerSecond)
			pass(overdue + together)
			asked := w.askedAt("192.0.2.2")
			w.wantEach(asked, "first", half)
			w.wantRate(asked)

			early := others.Add(interval*9/10 - 3*time.Second)
			pass(time.Until(early))
			if asked := w.askedAt("192.0.2.2"); len(asked) > 0 {
				t.Errorf("%d checks after %s, before any other zone is due", len(asked), asked[0].at.Sub(began))
			}
			pass(time.Until(others.Add(interval + together)))
			asked = w.askedAt("192.0.2.2")
			w.wantEach(asked, "other", half)
			w.wantRate(asked)
		})
	})
}

func readdress(t *testing.T, reg *registry.Registry, peer, ip string) {
	t.Helper()
	err := reg.Update(t.Context(), func(tx *registry.Tx) error {
		p, _ := tx.Peer(peer)
		p.IP = &ip
		return tx.PutPeer(p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addZones configures many zones in a few transactions.
func (w *world) addZones(prefix string, n int, peer string) {
	w.t.Helper()
	const atOnce = 100
	for from := 0; from < n; from += atOnce {
		w.update(func(tx *registry.Tx) error {
			for i := from; i < min(from+atOnce, n); i++ {
				if err := tx.PutZone(numbered(prefix, i, peer)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func numbered(prefix string, i int, peer string) registry.Zone {
	return registry.Zone{
		ID: fmt.Sprintf("%x%022x", prefix, i), Account: account, Name: fmt.Sprintf("%s%d.test.", prefix, i),
		AutoRefresh: uint32(interval / time.Second), Peers: []string{peer},
	}
}

// askedAt returns what a host was asked since the last look.
func (w *world) askedAt(host string) (asked []ask) {
	for _, a := range w.peers.take() {
		if a.host == netip.MustParseAddr(host) {
			asked = append(asked, a)
		}
	}
	return asked
}

// wantEach demands one poll of each of the zones that addZones made, and nothing else.
func (w *world) wantEach(asked []ask, prefix string, n int) {
	w.t.Helper()
	times := map[string]int{}
	for _, a := range asked {
		times[a.what+" "+a.zone]++
	}
	for i := range n {
		if q := fmt.Sprintf("SOA %s%d.test.", prefix, i); times[q] != 1 {
			w.t.Errorf("%d times %s, want it once", times[q], q)
			break // one of as many as there are zones
		}
	}
	if len(asked) != n {
		w.t.Errorf("%d questions about %d zones", len(asked), n)
	}
}

// wantRate demands that in no second more was asked than the poll rate, and what may
// begin at once, allow.
func (w *world) wantRate(asked []ask) {
	w.t.Helper()
	most := w.limits.PollsPerSecond * (pollTurns + 2) / pollTurns
	from := 0
	for i, a := range asked {
		for a.at.Sub(asked[from].at) >= time.Second {
			from++
		}
		if n := i - from + 1; n > most {
			w.t.Errorf("%d polls in a second, the rate is %d", n, w.limits.PollsPerSecond)
			return
		}
	}
}
