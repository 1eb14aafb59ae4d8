package transfer

import (
	"errors"
	"testing"
	"time"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// wantHeld compares the version that is kept back; 0 means none.
func (w *world) wantHeld(id string, serial uint32) {
	w.t.Helper()
	s, _ := w.Status(id)
	switch {
	case s.Held == nil && serial != 0:
		w.t.Errorf("nothing is held, want serial %d", serial)
	case s.Held != nil && s.Held.Serial != serial:
		w.t.Errorf("serial %d is held (%s), want %d", s.Held.Serial, s.Held.Text, serial)
	case s.Held != nil && s.Held.Cause != CauseShrink:
		w.t.Errorf("held for %s", s.Held.Text)
	}
}

// holding is a world with a zone of which serial 2 has lost all its names and is
// held.
func holding(t *testing.T, ixfr bool, test func(w *world, id string)) {
	inWorld(t, func(w *world) {
		add := w.addPeer
		if ixfr {
			add = w.addIXFRPeer
		}
		id := w.addZone("a.test.", add(1, fakeHost{serial: 1, owners: 99}))
		pass(transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.peers.set("192.0.2.1", fakeHost{serial: 2, owners: 1})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.wantHeld(id, 2)
		w.peers.take()
		test(w, id)
	})
}

func TestHeldVersionIsReleased(t *testing.T)      { testRelease(t, false) }
func TestHeldDifferencesAreReleased(t *testing.T) { testRelease(t, true) }

func testRelease(t *testing.T, ixfr bool) {
	t.Helper()
	holding(t, ixfr, func(w *world, id string) {
		if err := w.Release(id, 1); !errors.Is(err, ErrOtherHeld) {
			t.Errorf("release of another version: %v", err)
		}
		if err := w.Release(id, 2); err != nil {
			t.Error(err)
		}
		pass(time.Millisecond)
		w.want(id, zonestore.StateServing, 2)
		w.wantHeld(id, 0)
		w.wantAsked() // it was there already
		w.wantRestored(id, 2)
		if err := w.Release(id, 2); !errors.Is(err, ErrNothingHeld) {
			t.Errorf("got %v", err)
		}
	})
}

// A primary that answers keeps the served version alive while the next is held,
// and is not asked for it again and again.
func TestHeldVersionKeepsServedOne(t *testing.T) {
	holding(t, true, func(w *world, id string) {
		pass(12 * time.Hour)
		w.want(id, zonestore.StateServing, 1)
		for _, a := range w.peers.take() {
			if a.what != "SOA" {
				t.Errorf("%s at %s", a.what, a.at)
			}
		}
		// The log reminds of it after an hour, two, four and eight.
		if n := w.logs.FilterMessage("new version is still held").Len(); n != 4 {
			t.Errorf("%d reminders in twelve hours, want 4", n)
		}
		// Its alarm is no reason to serve for ever what no primary confirms.
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(2 * soaExpire * time.Second)
		w.want(id, zonestore.StateExpired, 1)
	})
}

func TestHeldVersionIsFollowed(t *testing.T) {
	holding(t, true, func(w *world, id string) {
		// The next version lacks the names, too.
		w.peers.set("192.0.2.1", fakeHost{serial: 3, owners: 2})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.wantHeld(id, 3)
		// One that has them again needs nobody.
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 90})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 4)
		w.wantHeld(id, 0)
		w.wantRestored(id, 4)
		w.wantAsked("SOA 192.0.2.1", "IXFR 192.0.2.1", "SOA 192.0.2.1", "IXFR 192.0.2.1")
	})
}

func TestHeldVersionIsDiscarded(t *testing.T) {
	holding(t, false, func(w *world, id string) {
		if err := w.Discard(id, 7); !errors.Is(err, ErrOtherHeld) {
			t.Errorf("got %v", err)
		}
		if err := w.Discard(id, 2); err != nil {
			t.Error(err)
		}
		if s, _ := w.Status(id); s.Held == nil || !s.Held.Discarded || s.Held.Records != 0 {
			t.Errorf("held: %+v", s.Held)
		}
		if err := w.Release(id, 2); !errors.Is(err, ErrNothingHeld) {
			t.Errorf("got %v", err)
		}
		pass(2 * interval)
		for _, a := range w.peers.take() {
			if a.what != "SOA" {
				t.Errorf("%s of a version that was discarded", a.what)
			}
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 3, owners: 99})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantHeld(id, 0)
	})
}

// An order to transfer is none to give up the zone.
func TestHeldVersionIsForced(t *testing.T) {
	holding(t, false, func(w *world, id string) {
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(2 * transferIn)
		w.wantAsked("AXFR 192.0.2.1")
		w.want(id, zonestore.StateServing, 1)
		w.wantHeld(id, 2)
	})
}

func TestHeldVersionIsJudgedAnew(t *testing.T) {
	holding(t, false, func(w *world, id string) {
		w.update(func(tx *registry.Tx) error {
			z, _ := tx.Zone(id)
			z.MaxShrink = new(uint8(100))
			return tx.PutZone(z)
		})
		pass(3 * transferIn)
		w.want(id, zonestore.StateServing, 2)
		w.wantHeld(id, 0)
	})
}

// TestHeldForDigest: differences that lead to a version that is not what its
// ZONEMD record says may be at fault themselves, so the zone is fetched whole
// before it is held.
func TestHeldForDigest(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.take()
		w.peers.set("192.0.2.1", fakeHost{serial: 2, digest: true})
		pass(interval + 3*transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.wantAsked("SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
		if s, _ := w.Status(id); s.Held == nil || s.Held.Cause != CauseZONEMD {
			t.Errorf("held: %+v", s.Held)
		}
	})
}

// TestHeldFirstVersion: a digest that does not fit is a reason where nothing is
// served, too, and no reason to fetch the zone over and over.
func TestHeldFirstVersion(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, digest: true}))
		pass(2 * interval)
		w.want(id, zonestore.StateEmpty, 0)
		for i, a := range w.peers.take() {
			if want := []string{"AXFR", "SOA"}[min(i, 1)]; a.what != want {
				t.Errorf("question %d: %s", i, a.what)
			}
		}
		if err := w.Release(id, 1); err != nil {
			t.Error(err)
		}
		pass(time.Millisecond)
		w.want(id, zonestore.StateServing, 1)
	})
}

// A forced transfer judges again what is held, and does not pass it for another peer's
// older version; what passes is taken before it.
func TestHeldVersionIsForcedOfSeveral(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, owners: 99}), w.addPeer(2, fakeHost{serial: 1, owners: 99}), w.addPeer(3, fakeHost{serial: 1, owners: 99}))
		pass(transferIn)
		w.peers.set("192.0.2.2", fakeHost{serial: 2, owners: 1})
		force := func() {
			t.Helper()
			w.peers.take()
			if err := w.ForceTransfer(id); err != nil {
				t.Error(err)
			}
			pass(6 * transferIn)
		}
		force()
		w.want(id, zonestore.StateServing, 1)
		w.wantHeld(id, 2)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "AXFR 192.0.2.2")
		force()
		w.want(id, zonestore.StateServing, 1)
		w.wantHeld(id, 2)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.2")
		w.peers.set("192.0.2.3", fakeHost{serial: 3, owners: 90})
		force()
		w.want(id, zonestore.StateServing, 3)
		w.wantHeld(id, 0)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3")
	})
}
