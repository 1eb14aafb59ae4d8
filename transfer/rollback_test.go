package transfer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// withVersions is a world with a zone of which versions 1, 2 and 3 came, that
// last one a while ago.
func withVersions(t *testing.T, ixfr bool, test func(w *world, id string)) {
	t.Helper()
	inWorld(t, func(w *world) {
		add := w.addPeer
		if ixfr {
			add = w.addIXFRPeer
		}
		id := w.addZone("a.test.", add(1, fakeHost{serial: 1, owners: 1}))
		pass(transferIn)
		for serial := uint32(2); serial <= 3; serial++ {
			w.peers.set("192.0.2.1", fakeHost{serial: serial, owners: int(serial)})
			pass(interval + 2*transferIn)
			w.want(id, zonestore.StateServing, serial)
		}
		w.peers.take()
		test(w, id)
	})
}

// rollBack orders a rollback, to the version before for 0, and tells what came of it.
func (w *world) rollBack(id string, serial uint32) (uint32, error) {
	var to *uint32
	if serial != 0 {
		to = &serial
	}
	return w.Rollback(w.t.Context(), id, to, "tester")
}

// mustRollBack lets the check that follows happen, too.
func (w *world) mustRollBack(id string, serial, want uint32) {
	w.t.Helper()
	if to, err := w.rollBack(id, serial); err != nil || to != want {
		w.t.Errorf("rolled back to %d, %v; want %d", to, err, want)
	}
	w.want(id, zonestore.StateServing, want)
	pass(3 * transferIn)
}

// wantGoneBack compares the version that is held since the zone was rolled back;
// 0 means none.
func (w *world) wantGoneBack(id string, serial uint32) {
	w.t.Helper()
	s, _ := w.Status(id)
	switch h := s.Held; {
	case h == nil && serial != 0:
		w.t.Errorf("nothing is held, want serial %d", serial)
	case h != nil && (h.Serial != serial || !h.RolledBack || h.Cause != CauseRolledBack):
		w.t.Errorf("held: %+v, want serial %d", h, serial)
	}
}

func (w *world) wantVersions(id string, want ...string) {
	w.t.Helper()
	list, err := w.Versions(id)
	var got []string
	for _, v := range list {
		got = append(got, fmt.Sprint(v.Serial, " ", v.State))
		if z, err := w.Version(id, v.Serial); err != nil || z.Serial() != v.Serial {
			w.t.Errorf("version %d: %v", v.Serial, err)
		}
		if v.Received.IsZero() || v.Received.After(time.Now()) {
			w.t.Errorf("version %d was received at %s", v.Serial, v.Received)
		}
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("versions %q, %v; want %q", got, err, want)
	}
}

// TestRollback: what was gone back from is not taken again, whatever asks for it;
// something newer is.
func TestRollback(t *testing.T)     { testRollback(t, false) }
func TestRollbackIXFR(t *testing.T) { testRollback(t, true) }

func testRollback(t *testing.T, ixfr bool) {
	t.Helper()
	withVersions(t, ixfr, func(w *world, id string) {
		w.wantVersions(id, "3 served", "2 kept", "1 kept")
		told := w.listening()
		w.mustRollBack(id, 0, 2)
		told.want(t, "rolled_back a.test. 3 2 ")
		w.wantAsked("SOA 192.0.2.1") // at once, and it does not change a thing
		w.want(id, zonestore.StateServing, 2)
		w.wantGoneBack(id, 3)
		w.wantVersions(id, "3 held", "2 served", "1 kept")
		w.wantRestored(id, 2)
		w.notify(id, host1, 3)
		pass(3*soaExpire*time.Second + 3*transferIn)
		w.want(id, zonestore.StateServing, 2)
		for _, a := range w.peers.take() {
			if a.what != "SOA" {
				t.Errorf("%s of a version that was gone back from", a.what)
			}
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		w.notify(id, host1, 4)
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 4)
		w.wantGoneBack(id, 0)
		w.wantAsked("SOA 192.0.2.1", map[bool]string{false: "AXFR 192.0.2.1", true: "IXFR 192.0.2.1"}[ixfr])
		w.wantRestored(id, 4)
		w.wantVersions(id, "4 served", "2 kept", "3 kept")
		if z, err := w.Version(id, 4); err != nil || z.Records() != 5 {
			t.Errorf("version 4: %v", err)
		}
	})
}

// TestRollbackRepeated: of several rollbacks the version that the first began
// with is kept away, and what lies between, too.
func TestRollbackRepeated(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		w.mustRollBack(id, 0, 1)
		w.wantGoneBack(id, 3)
		w.wantVersions(id, "3 held", "2 kept", "1 served")
		if _, err := w.rollBack(id, 0); !errors.Is(err, ErrNoVersion) {
			t.Errorf("behind the last: %v", err)
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 2, owners: 2})
		pass(2 * interval)
		w.want(id, zonestore.StateServing, 1)
		w.mustRollBack(id, 2, 2)
		w.wantGoneBack(id, 3)
		w.mustRollBack(id, 3, 3) // which ends it
		w.wantGoneBack(id, 0)
		w.wantRestored(id, 3)
	})
}

func TestRollbackRefused(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		for serial, want := range map[uint32]error{3: ErrServed, 7: ErrNoVersion} {
			if _, err := w.rollBack(id, serial); !errors.Is(err, want) {
				t.Errorf("to %d: got %v, want %v", serial, err, want)
			}
		}
		if _, err := w.rollBack("none", 0); !errors.Is(err, ErrUnknownZone) {
			t.Errorf("got %v", err)
		}
		empty := w.addZone("b.test.", w.addPeer(2, fakeHost{err: errDead}))
		if _, err := w.rollBack(empty, 0); !errors.Is(err, ErrNoCopy) {
			t.Errorf("without a copy: %v", err)
		}
		w.want(id, zonestore.StateServing, 3)
		w.wantGoneBack(id, 0)
	})
}

// TestRollbackReleased: whoever thinks better of it has the newer version back at
// once.
func TestRollbackReleased(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 1, 1)
		if err := w.Release(id, 2); !errors.Is(err, ErrOtherHeld) {
			t.Errorf("release of another version: %v", err)
		}
		told := w.listening()
		if err := w.Release(id, 3); err != nil {
			t.Error(err)
		}
		w.want(id, zonestore.StateServing, 3)
		w.wantGoneBack(id, 0)
		told.want(t, "released a.test. 1 3 ")
		w.wantRestored(id, 3)
		pass(interval)
		w.want(id, zonestore.StateServing, 3)
	})
}

// TestRollbackDiscarded: the version stays away when nobody wants it any more.
func TestRollbackDiscarded(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		if err := w.Discard(id, 3); err != nil {
			t.Error(err)
		}
		w.wantVersions(id, "3 kept", "2 served", "1 kept")
		pass(2 * interval)
		w.want(id, zonestore.StateServing, 2)
		w.wantGoneBack(id, 3)
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		pass(interval + 3*transferIn)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestRollbackForced: a forced transfer takes what the primary has.
func TestRollbackForced(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantGoneBack(id, 0)
		w.wantRestored(id, 3)
	})
}

// TestRollbackForcedOfSeveral: also where a peer that comes first has what is served.
func TestRollbackForcedOfSeveral(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		w.update(func(tx *registry.Tx) error {
			z, _ := tx.Zone(id)
			w.peers.set("192.0.2.9", fakeHost{serial: 2, owners: 2})
			ip := "192.0.2.9"
			z.Peers = append([]string{fmt.Sprintf("%032x", 9)}, z.Peers...)
			return errors.Join(tx.PutPeer(registry.Peer{ID: z.Peers[0], Account: account, Name: ip, IP: &ip}), tx.PutZone(z))
		})
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 2)
		w.wantGoneBack(id, 3)
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(4 * transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantGoneBack(id, 0)
	})
}

// TestRollbackOtherAnswer: a peer that promises something newer and then gives
// what was gone back from, as behind a load balancer, is not believed.
func TestRollbackOtherAnswer(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		w.Engine.mu.Lock()
		o := order{apex: w.jobs[id].apex(), held: w.jobs[id].held, served: w.jobs[id].served, guard: w.limits.Guard}
		w.Engine.mu.Unlock()
		r := &refreshing{client: w.peers, order: o, view: o.served.View()}
		for serial, want := range map[uint32]Cause{1: CauseOlder, 2: CauseOlder, 3: CauseRolledBack, 4: ""} {
			err := r.accept(zone.SOA{Serial: serial})
			if e, _ := errors.AsType[*Error](err); e != nil && e.Cause != want || e == nil && want != "" {
				t.Errorf("serial %d: %v, want %q", serial, err, want)
			}
		}
	})
}

// TestRollbackHeld: what the guard holds meanwhile is no reason to forget the
// rollback.
func TestRollbackHeld(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.peers.set("192.0.2.1", fakeHost{serial: 4, digest: true})
		pass(interval + 2*transferIn)
		w.wantVersions(id, "4 held", "3 served", "2 kept", "1 kept")
		w.mustRollBack(id, 0, 2)
		wantBoth := func() {
			t.Helper()
			if s, _ := w.Status(id); s.Held == nil || s.Held.Serial != 4 || s.Held.RolledBack {
				t.Errorf("held: %+v", s.Held)
			}
		}
		wantBoth()
		w.wantVersions(id, "4 held", "3 held", "2 served", "1 kept")
		w.peers.set("192.0.2.1", fakeHost{serial: 3, owners: 3})
		pass(2 * interval)
		w.want(id, zonestore.StateServing, 2)
		wantBoth()
		w.update(func(tx *registry.Tx) error { // has what the guard holds judged again
			z, _ := tx.Zone(id)
			z.MaxShrink = new(uint8(99))
			return tx.PutZone(z)
		})
		w.wantGoneBack(id, 3)
		w.peers.set("192.0.2.1", fakeHost{serial: 5, digest: true})
		pass(interval + 2*transferIn)
		if err := w.Release(id, 3); err != nil {
			t.Error(err)
		}
		w.want(id, zonestore.StateServing, 3)
	})
}

// TestRollbackWhileRefreshing: an order does not wait for a transfer that hangs.
func TestRollbackWhileRefreshing(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.peers.set("192.0.2.1", fakeHost{serial: 3, slow: time.Hour})
		pass(interval + transferIn)
		if s, _ := w.Status(id); s.Activity != "running" {
			t.Errorf("activity %s", s.Activity)
		}
		began := time.Now()
		if to, err := w.rollBack(id, 0); err != nil || to != 2 || time.Since(began) > 0 {
			t.Errorf("rolled back to %d after %s, %v", to, time.Since(began), err)
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		pass(2*time.Hour + interval)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestRollbackRemoved: a zone that is removed meanwhile is gone.
func TestRollbackRemoved(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		w.update(func(tx *registry.Tx) error { return tx.DeleteZone(id) })
		again := w.addZone("a.test.", fmt.Sprintf("%032x", 1))
		pass(2 * transferIn)
		w.want(again, zonestore.StateServing, 3)
		w.wantGoneBack(again, 0)
		w.wantVersions(again, "3 served")
	})
}

// TestRollbackExpiry: to go back confirms nothing.
func TestRollbackExpiry(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		confirmed, _ := w.Status(id)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(soaExpire*time.Second - interval)
		w.mustRollBack(id, 0, 2)
		if s, _ := w.Status(id); !s.Confirmed.Equal(confirmed.Confirmed) || !s.Expires.Equal(confirmed.Expires) {
			t.Errorf("confirmed %s, expires %s; want %s, %s", s.Confirmed, s.Expires, confirmed.Confirmed, confirmed.Expires)
		}
		pass(interval)
		w.want(id, zonestore.StateExpired, 2)
		w.wantVersions(id, "3 held", "2 expired", "1 kept")
		if _, err := w.rollBack(id, 1); !errors.Is(err, ErrOutOfTime) {
			t.Errorf("got %v", err)
		}
		if err := w.Release(id, 3); !errors.Is(err, ErrOutOfTime) {
			t.Errorf("got %v", err)
		}
		w.want(id, zonestore.StateExpired, 2)
	})
}

// TestRollbackRestart: it is in force after kill -9 as it was before.
func TestRollbackRestart(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		since := time.Now()
		w.mustRollBack(id, 0, 2)
		w.restarted(func(w *world) {
			w.want(id, zonestore.StateServing, 2)
			w.wantGoneBack(id, 3)
			if s, _ := w.Status(id); s.Held == nil || !s.Held.Since.Equal(since) {
				t.Errorf("held %+v, want since %s", s.Held, since)
			}
			w.wantVersions(id, "3 held", "2 served", "1 kept")
			pass(2 * interval)
			w.want(id, zonestore.StateServing, 2)
			w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
			pass(interval + 3*transferIn)
			w.want(id, zonestore.StateServing, 4)
			w.wantGoneBack(id, 0)
		})
	})
}

// restarted runs test with an engine that was started on the files as they lie
// there now.
func (w *world) restarted(test func(w *world)) {
	w.t.Helper()
	w.restartedAfter(func(*registry.Registry) {}, test)
}

// restartedAfter is restarted, with something that happens when the copies have been
// read and the engine has not begun to work.
func (w *world) restartedAfter(before func(*registry.Registry), test func(w *world)) {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.t.Fatal(err)
	}
	reg, err := registry.Open(registry.Options{Dir: dir})
	if err != nil {
		w.t.Fatal(err)
	}
	store, err := zonestore.Open(zonestore.Options{Dir: dir, Versions: 3, Lifetime: w.limits.Lifetime, Log: zap.NewNop()})
	if err != nil {
		w.t.Fatal(err)
	}
	e := New(Options{Registry: reg, Store: store, Limits: w.limits, Log: zap.NewNop(), Metrics: metrics.NewTransfer(prometheus.NewRegistry())})
	e.client = w.peers
	if err := e.Restore(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	before(reg)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	synctest.Wait()
	test(&world{Engine: e, t: w.t, dir: dir, peers: w.peers, reg: reg, logs: w.logs, series: w.series})
	cancel()
	if err := errors.Join(<-done, store.Close(), reg.Close()); err != nil {
		w.t.Error(err)
	}
}

// TestRollbackGranted: nor for longer than the primary has the zone itself.
func TestRollbackGranted(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4, expire: expiry{900, true}})
		pass(interval + 2*transferIn)
		before, _ := w.Status(id)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(interval / 2)
		w.mustRollBack(id, 0, 3)
		if s, _ := w.Status(id); !s.Expires.Equal(before.Expires) || s.Expires.Sub(s.Confirmed) != 900*time.Second {
			t.Errorf("expires %s, want %s", s.Expires, before.Expires)
		}
	})
}

// TestRollbackBusy: of two orders at once one is refused, and none is lost.
func TestRollbackBusy(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		j, err := w.claim(w.t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.rollBack(id, 0); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		if s, _ := w.Status(id); s.Activity != "running" {
			t.Errorf("activity %s", s.Activity)
		}
		w.notify(id, host1, 4) // is kept until then
		pass(time.Minute)
		w.wantAsked()
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		w.unclaim(j)
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestRollbackAbandoned: who does not wait for a refresh to end takes nothing
// from it.
func TestRollbackAbandoned(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4, slow: time.Hour})
		pass(interval + transferIn)
		ctx, cancel := context.WithCancel(w.t.Context())
		cancel()
		if _, err := w.Rollback(ctx, id, nil, "tester"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.want(id, zonestore.StateServing, 3)
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		pass(2 * time.Hour)
		w.want(id, zonestore.StateServing, 4)
		w.Engine.mu.Lock()
		defer w.Engine.mu.Unlock()
		if j := w.jobs[id]; j.running || j.claimed || len(w.claims) != 0 {
			t.Errorf("running %v, claimed %v, %d wait", j.running, j.claimed, len(w.claims))
		}
	})
}

// TestRollbackFlurry: orders of all kinds at once, while versions come and
// refreshes hang, leave a zone that goes on as always, here and after a restart.
func TestRollbackFlurry(t *testing.T) {
	withVersions(t, true, func(w *world, id string) {
		var all sync.WaitGroup
		for worker := range uint64(6) {
			all.Go(func() {
				random := rand.New(rand.NewPCG(worker, 1))
				for range 60 {
					w.orderAny(id, random)
					time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
				}
			})
		}
		for serial := uint32(4); serial < 30; serial++ {
			w.peers.set("192.0.2.1", fakeHost{serial: serial, owners: int(serial), digest: serial%4 == 0, slow: time.Duration(serial%3) * time.Second})
			w.notify(id, host1, serial)
			time.Sleep(time.Second)
		}
		all.Wait()
		w.peers.set("192.0.2.1", fakeHost{serial: 30, owners: 30})
		w.notify(id, host1, 30)
		pass(2 * interval)
		check := func(w *world) {
			w.want(id, zonestore.StateServing, 30)
			w.wantGoneBack(id, 0)
			if s, _ := w.Status(id); s.Activity != "idle" {
				t.Errorf("activity %s", s.Activity)
			}
			if list, err := w.Versions(id); err != nil || len(list) == 0 || list[0].Serial != 30 || list[0].State != VersionServed {
				t.Errorf("versions %+v, %v", list, err)
			}
		}
		check(w)
		w.restarted(func(w *world) {
			pass(3 * transferIn) // what was confirmed last is not on disk
			check(w)
		})
	})
}

// orderAny gives one order, which may well be refused.
func (w *world) orderAny(id string, random *rand.Rand) {
	s, _ := w.Status(id)
	var err error
	switch random.IntN(5) {
	case 0:
		_, err = w.rollBack(id, 0)
	case 1:
		_, err = w.rollBack(id, s.Serial-1)
	case 2:
		err = w.ForceTransfer(id)
	case 3:
		if s.Held != nil {
			err = w.Release(id, s.Held.Serial)
		}
	case 4:
		if s.Held != nil {
			err = w.Discard(id, s.Held.Serial)
		}
	}
	for _, refusal := range []error{nil, ErrBusy, ErrNoVersion, ErrServed, ErrNothingHeld, ErrOtherHeld} {
		if errors.Is(err, refusal) {
			return
		}
	}
	w.t.Errorf("an order failed: %v", err)
}

// TestRollbackGrantedExpired: what a primary granted ends for earlier versions
// too, when it is over.
func TestRollbackGrantedExpired(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4, expire: expiry{900, true}})
		pass(interval + 2*transferIn)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(901 * time.Second)
		w.want(id, zonestore.StateExpired, 4)
		if to, err := w.rollBack(id, 0); !errors.Is(err, ErrOutOfTime) {
			t.Errorf("rolled back to %d, %v", to, err)
		}
		w.want(id, zonestore.StateExpired, 4)
	})
}

// TestClaimOrder: an order that comes while a zone is claimed waits for the claim
// and no longer.
func TestClaimOrder(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		j, err := w.claim(w.t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		w.Engine.mu.Lock()
		for _, s := range w.shares {
			s.polls = rate.NewLimiter(rate.Every(time.Hour), 1)
			s.polls.Allow()
		}
		w.Engine.mu.Unlock()
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 4})
		if err := w.ForceTransfer(id); err != nil {
			t.Fatal(err)
		}
		w.unclaim(j)
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestReleaseTransferred: what was transferred by order, and held by the guard, is
// what is released, and not what was gone back from under the same serial.
func TestReleaseTransferred(t *testing.T) {
	withVersions(t, false, func(w *world, id string) {
		w.mustRollBack(id, 0, 2)
		w.peers.set("192.0.2.1", fakeHost{serial: 3, owners: 9, digest: true})
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(3 * transferIn)
		s, _ := w.Status(id)
		if s.Held == nil || s.Held.RolledBack {
			t.Fatalf("held %+v", s.Held)
		}
		if err := w.Release(id, 3); err != nil {
			t.Error(err)
		}
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantGoneBack(id, 0)
		if z, err := w.Version(id, 3); err != nil || z.Records() != s.Held.Records {
			t.Errorf("released %d records, %v; want %d", z.Records(), err, s.Held.Records)
		}
	})
}
