package transfer

import (
	"os"
	"testing"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

func TestEngineIXFR(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 2)
		w.wantAsked("AXFR 192.0.2.1", "SOA 192.0.2.1", "IXFR 192.0.2.1") // there is no base at first
		w.wantKinds([2]int{1, 0}, [2]int{1, 0})
		// An order asks for the whole zone, as its name says.
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(2 * transferIn)
		w.wantAsked("AXFR 192.0.2.1")
	})
}

// A version that came as differences is there after a restart, as one that came
// whole is.
func TestEngineIXFRIsKept(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		for serial := uint32(2); serial < 5; serial++ {
			w.peers.set("192.0.2.1", fakeHost{serial: serial})
			pass(interval + 2*transferIn)
		}
		w.want(id, zonestore.StateServing, 4)
		w.wantKinds([2]int{1, 0}, [2]int{3, 0})
		w.wantRestored(id, 4)
	})
}

// TestEngineIXFRByUDP: with that setting one question by UDP may be all; what
// does not fit, or fails, goes the ordinary way.
func TestEngineIXFRByUDP(t *testing.T) {
	inWorld(t, func(w *world) {
		w.limits.IXFRByUDP = true
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.wantAsked("AXFR 192.0.2.1")
		pass(interval)
		w.wantAsked("UDP 192.0.2.1") // nothing new
		next := func(h fakeHost, want ...string) {
			t.Helper()
			w.peers.set("192.0.2.1", h)
			pass(interval + 4*transferIn)
			w.want(id, zonestore.StateServing, h.serial)
			w.wantAsked(want...)
		}
		next(fakeHost{serial: 2}, "UDP 192.0.2.1")
		w.wantRestored(id, 2)
		next(fakeHost{serial: 3, owners: 5}, "UDP 192.0.2.1", "IXFR 192.0.2.1")
		next(fakeHost{serial: 4, owners: 5, ixfr: &Error{Step: StepIXFR, Cause: CauseNotImp}},
			"UDP 192.0.2.1", "SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
		next(fakeHost{serial: 5, owners: 5}, "SOA 192.0.2.1", "AXFR 192.0.2.1") // it can't, for a day
	})
}

// wantRestored compares what a start would serve from a copy of the files, as
// they lie there now.
func (w *world) wantRestored(id string, serial uint32) {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.t.Fatal(err)
	}
	store, err := zonestore.Open(zonestore.Options{Dir: dir, Lifetime: w.limits.Lifetime, Log: zap.NewNop()})
	if err != nil {
		w.t.Fatal(err)
	}
	defer store.Close()
	z, _ := w.reg.Zone(id)
	configured := []zonestore.Configured{{ID: id, Apex: z.Apex(), Created: z.Created}}
	if err := store.Restore(w.t.Context(), configured, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	served, _ := store.Get(id)
	if v := served.View(); v.State != zonestore.StateServing || v.Serial != serial {
		w.t.Errorf("a start serves %s serial %d, want serial %d", v.State, v.Serial, serial)
	}
}

// TestEngineIXFRSilent: a peer that does not answer an IXFR, and then gives the whole
// zone, is not waited for each time.
func TestEngineIXFRSilent(t *testing.T) {
	inWorld(t, func(w *world) {
		silence := &Error{Step: StepIXFR, Cause: CauseNoAnswer}
		serial := uint32(1)
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: serial, ixfr: silence}))
		pass(transferIn)
		w.peers.take()
		for _, want := range [][]string{
			{"SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1"},
			{"SOA 192.0.2.1", "AXFR 192.0.2.1"},
		} {
			serial++
			w.peers.set("192.0.2.1", fakeHost{serial: serial, ixfr: silence})
			pass(interval + 3*transferIn)
			w.want(id, zonestore.StateServing, serial)
			w.wantAsked(want...)
		}
		pass(ixfrSilent)
		w.peers.take()
		w.peers.set("192.0.2.1", fakeHost{serial: serial + 1, ixfr: silence})
		pass(interval + 3*transferIn)
		w.wantAsked("SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
	})
}

// TestEngineIXFRNever: a peer that can't is not asked again for a day, or until
// its configuration changes.
func TestEngineIXFRNever(t *testing.T) {
	inWorld(t, func(w *world) {
		refusal := &Error{Step: StepIXFR, Cause: CauseNotImp}
		serial := uint32(1)
		peer := w.addIXFRPeer(1, fakeHost{serial: serial, ixfr: refusal})
		id := w.addZone("a.test.", peer)
		pass(transferIn)
		w.peers.take()
		next := func(want ...string) {
			t.Helper()
			serial++
			w.peers.set("192.0.2.1", fakeHost{serial: serial, ixfr: refusal})
			pass(interval + 3*transferIn)
			w.want(id, zonestore.StateServing, serial)
			w.wantAsked(want...)
		}
		next("SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
		next("SOA 192.0.2.1", "AXFR 192.0.2.1")
		w.update(func(tx *registry.Tx) error {
			p, _ := tx.Peer(peer)
			p.Name = "renamed"
			return tx.PutPeer(p)
		})
		pass(2 * transferIn)
		w.peers.take()
		next("SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
		next("SOA 192.0.2.1", "AXFR 192.0.2.1")
		pass(ixfrAgain)
		w.peers.take()
		next("SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1")
	})
}

// TestEngineIXFRMisfit: what went wrong once may go well the next time.
func TestEngineIXFRMisfit(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 2, ixfr: &Error{Step: StepIXFR, Cause: CauseMisfit}})
		pass(interval + 3*transferIn)
		w.want(id, zonestore.StateServing, 2)
		w.wantKinds([2]int{2, 0}, [2]int{0, 1})
		w.peers.set("192.0.2.1", fakeHost{serial: 3})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantAsked("AXFR 192.0.2.1", "SOA 192.0.2.1", "IXFR 192.0.2.1", "AXFR 192.0.2.1", "SOA 192.0.2.1", "IXFR 192.0.2.1")
	})
}

// RFC 7314 section 4: what a primary says of its own copy's end counts, up to
// what the SOA says; an answer without change takes nothing back.
func TestEngineEDNSExpire(t *testing.T) {
	inWorld(t, func(w *world) {
		left := func(seconds uint32) expiry { return expiry{seconds, true} }
		wantLeft := func(id string, want time.Duration) {
			t.Helper()
			s, _ := w.Status(id)
			if got := s.Expires.Sub(s.Confirmed); got != want {
				t.Errorf("the copy lives for %s, want %s", got, want)
			}
		}
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, expire: left(1000)}))
		pass(transferIn)
		wantLeft(id, 1000*time.Second)
		s, _ := w.Status(id)
		first := s.Expires
		// It is checked in half that time. A peer that is nearer to its end says so.
		w.peers.set("192.0.2.1", fakeHost{serial: 1, expire: left(10)})
		pass(501 * time.Second)
		if s, _ = w.Status(id); !s.Expires.Equal(first) || s.Confirmed.IsZero() {
			t.Errorf("expires at %s, want %s", s.Expires, first)
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 1, expire: left(9999)})
		pass(400 * time.Second)
		wantLeft(id, soaExpire*time.Second)
		w.peers.set("192.0.2.1", fakeHost{serial: 2, expire: left(0)})
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(2 * transferIn)
		wantLeft(id, w.limits.MinExpire)
	})
}

// TestEngineLowerExpire: a copy that settings of an earlier start gave longer to
// live than those of now has that until it is confirmed.
func TestEngineLowerExpire(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		served, _ := w.store.Get(id)
		timers := served.Timers()
		timers.Expires = timers.Confirmed.Add(2 * soaExpire * time.Second)
		w.store.Confirm(served, timers)
		pass(interval + transferIn)
		if life := served.Timers().Life(); life != soaExpire*time.Second {
			t.Errorf("the copy lives for %s", life)
		}
	})
}

// TestEngineEDNSExpireOfSeveral: of the peers that confirm a copy the one that leaves
// it most time counts, in whichever order they answer. One that gives a new version
// speaks for that alone, unless it is held.
func TestEngineEDNSExpireOfSeveral(t *testing.T) {
	left := func(seconds uint32) expiry { return expiry{seconds, true} }
	for _, tc := range []struct {
		name          string
		first, second fakeHost
		serial        uint32
		want          time.Duration
	}{
		{"the first leaves more", fakeHost{serial: 1, expire: left(2000)}, fakeHost{serial: 1, expire: left(1000)}, 1, 2000 * time.Second},
		{"the second leaves more", fakeHost{serial: 1, expire: left(1000)}, fakeHost{serial: 1, expire: left(2000)}, 1, 2000 * time.Second},
		{"the first says nothing", fakeHost{serial: 1}, fakeHost{serial: 1, expire: left(1000)}, 1, soaExpire * time.Second},
		{"the second says nothing", fakeHost{serial: 1, expire: left(1000)}, fakeHost{serial: 1}, 1, soaExpire * time.Second},
		{"a new version", fakeHost{serial: 1, expire: left(2000)}, fakeHost{serial: 2, expire: left(1000)}, 2, 1000 * time.Second},
		{"a held version", fakeHost{serial: 1, expire: left(2000)}, fakeHost{serial: 2, expire: left(1000), digest: true}, 1, 2000 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, expire: left(60)}), w.addPeer(2, fakeHost{serial: 1}))
				pass(transferIn)
				w.peers.set("192.0.2.1", tc.first)
				w.peers.set("192.0.2.2", tc.second)
				if err := w.Notify(id, host1, nil, 0, false); err != nil {
					t.Error(err)
				}
				pass(4 * transferIn)
				w.want(id, zonestore.StateServing, tc.serial)
				s, _ := w.Status(id)
				if got := s.Expires.Sub(s.Confirmed); got != tc.want {
					t.Errorf("the copy lives for %s, want %s", got, tc.want)
				}
			})
		})
	}
}
