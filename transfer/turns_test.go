package transfer

import (
	"fmt"
	"testing"
	"time"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// TestTurnsPlace: no more refreshes are with a peer than may be, though it is the second
// of their zones, and each has a first of its own that refuses.
func TestTurnsPlace(t *testing.T) {
	inWorld(t, func(w *world) {
		const firsts, zonesOfEach, slow = 5, 10, 10 * time.Second
		common := w.addPeer(9, fakeHost{serial: 1, slow: slow})
		for i := range firsts * zonesOfEach {
			id := fmt.Sprintf("%032x", i%firsts+1)
			if i < firsts {
				w.addPeer(i+1, fakeHost{err: fail(StepAXFR, CauseRefused, "test")})
			}
			w.addZone(fmt.Sprintf("z%02d.test.", i), id, common)
		}
		pass(slow / 2)
		if n := w.askedOf("192.0.2.9"); n != w.limits.RunningPerPeer {
			t.Errorf("%d transfers at once, want %d", n, w.limits.RunningPerPeer)
		}
		pass(time.Hour)
		for s := range w.Statuses() {
			w.want(s.ID, zonestore.StateServing, 1)
		}
		w.wantNoPlaces()
	})
}

// wantNoPlaces wants no place taken, and nobody to wait for one.
func (w *world) wantNoPlaces() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for addr, s := range w.shares {
		if s.places.taken != 0 {
			w.t.Errorf("%d places are taken with %s", s.places.taken, addr)
		}
	}
	if w.all.taken != 0 || len(w.moves) != 0 {
		w.t.Errorf("%d refreshes are under way, %d wait for a place", w.all.taken, len(w.moves))
	}
}

// wantPerSecond wants what was asked to have been asked in a hundred seconds at least, and
// in none of them more often than most.
func (w *world) wantPerSecond(asked []ask, most int) {
	w.t.Helper()
	times := map[int64]int{}
	for _, a := range asked {
		times[a.at.Unix()]++
	}
	if len(times) < 100 {
		w.t.Errorf("asked in %d seconds only", len(times))
	}
	for at, n := range times {
		if n > most {
			w.t.Errorf("%d questions in second %d, want %d at most", n, at, most)
		}
	}
}

// TestTurnsPoll: nor is it asked for serials more often.
func TestTurnsPoll(t *testing.T) {
	inWorld(t, func(w *world) {
		const zones = 600
		w.limits.PollsPerSecond = 5
		first, second := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1})
		for i := range zones {
			w.addZone(fmt.Sprintf("z%03d.test.", i), first, second)
		}
		pass(interval / 2)
		for s := range w.Statuses() {
			w.want(s.ID, zonestore.StateServing, 1)
		}
		w.peers.set("192.0.2.1", fakeHost{err: fail(StepSOA, CauseServFail, "test")})
		w.peers.take()
		pass(2 * interval)
		w.wantPerSecond(w.askedAt("192.0.2.2"), w.limits.PollsPerSecond+1)
		w.wantNoPlaces()
	})
}

// TestTurnsChosenAnew: a turn with one peer is none with another, which the zone is
// fetched from when its time comes.
func TestTurnsChosenAnew(t *testing.T) {
	inWorld(t, func(w *world) {
		const zones = 300
		w.limits.PollsPerSecond = 5
		first, second := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1})
		for i := range zones {
			w.addZone(fmt.Sprintf("a%03d.test.", i), first, second)
			w.addZone(fmt.Sprintf("b%03d.test.", i), second)
		}
		pass(interval / 2)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		w.peers.take()
		w.update(func(tx *registry.Tx) error { // all zones are due at once
			for _, id := range []string{first, second} {
				p, _ := tx.Peer(id)
				p.Name += "-"
				if err := tx.PutPeer(p); err != nil {
					return err
				}
			}
			return nil
		})
		pass(interval)
		w.wantPerSecond(w.askedAt("192.0.2.2"), w.limits.PollsPerSecond+2)
		w.wantNoPlaces()
	})
}

// TestTurnsCrowded: a peer that is not asked, for want of a turn, has not failed.
func TestTurnsCrowded(t *testing.T) {
	inWorld(t, func(w *world) {
		const zones = 400
		w.limits.PollsPerSecond, w.limits.AskAll = 2, true
		one, other := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1})
		for i := range zones {
			if i%2 == 0 {
				w.addZone(fmt.Sprintf("a%03d.test.", i), one, other)
			} else {
				w.addZone(fmt.Sprintf("b%03d.test.", i), other, one)
			}
		}
		pass(2 * interval)
		for s := range w.Statuses() {
			w.want(s.ID, zonestore.StateServing, 1)
			for _, f := range s.Failures {
				t.Errorf("%s: %s", s.Zone, f.Text)
			}
		}
		if n := w.logs.FilterMessage("peer failed").Len(); n != 0 {
			t.Errorf("%d lines of peers that failed", n)
		}
	})
}

// TestTurnsOnTheWay: a zone that is removed, ordered or changed while it waits for its
// turn with the second peer leaves no place behind.
func TestTurnsOnTheWay(t *testing.T) {
	inWorld(t, func(w *world) {
		const zones, slow = 40, 20 * time.Second
		first, second := w.addPeer(1, fakeHost{err: fail(StepAXFR, CauseRefused, "test")}), w.addPeer(2, fakeHost{serial: 1, slow: slow})
		var ids []string
		for i := range zones {
			ids = append(ids, w.addZone(fmt.Sprintf("z%02d.test.", i), first, second))
		}
		pass(slow / 2)
		w.mu.Lock()
		waiting := len(w.moves)
		w.mu.Unlock()
		if waiting < 5 {
			t.Fatalf("%d zones wait for the second peer", waiting)
		}
		for i, id := range ids {
			switch i % 3 {
			case 0:
				w.update(func(tx *registry.Tx) error { return tx.DeleteZone(id) })
			case 1:
				if err := w.ForceTransfer(id); err != nil {
					t.Error(err)
				}
			default:
				w.update(func(tx *registry.Tx) error {
					z, _ := tx.Zone(id)
					z.AutoRefresh++
					return tx.PutZone(z)
				})
			}
		}
		w.peers.set("192.0.2.2", fakeHost{serial: 1})
		pass(2 * time.Hour)
		n := 0
		for s := range w.Statuses() {
			w.want(s.ID, zonestore.StateServing, 1)
			n++
		}
		if n != zones-(zones+2)/3 {
			t.Errorf("%d zones", n)
		}
		w.wantNoPlaces()
	})
}
