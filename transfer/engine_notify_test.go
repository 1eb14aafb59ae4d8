package transfer

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/wiretest"
	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

var host1, host2 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")

// notify hands on an unsigned NOTIFY that has to be accepted.
func (w *world) notify(id string, from netip.Addr, serial uint32) {
	w.t.Helper()
	if err := w.Notify(id, from, nil, serial, true); err != nil {
		w.t.Errorf("NOTIFY from %s: %v", from, err)
	}
}

// refuses wants an unsigned NOTIFY to be refused.
func (w *world) refuses(id string, from netip.Addr, why error) {
	w.t.Helper()
	if err := w.Notify(id, from, nil, 99, true); !errors.Is(err, why) {
		w.t.Errorf("NOTIFY from %s: got %v, want %v", from, err, why)
	}
}

// A NOTIFY that promises more than the peer then has leads to one more check soon.
func TestEngineNotifyAhead(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(noticePause)
		w.peers.take()
		w.notify(id, host1, 2)
		pass(hintAgain - time.Second)
		w.wantAsked("SOA 192.0.2.1")
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		pass(2 * time.Second)
		w.want(id, zonestore.StateServing, 2)
		w.wantAsked("SOA 192.0.2.1", "AXFR 192.0.2.1")
		w.notify(id, host1, 3) // which never comes
		pass(interval / 2)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.1")
	})
}

// A NOTIFY that is there before the engine knows the zone is not lost.
func TestEngineNotifyEarly(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(noticePause)
		w.mu.Lock()
		j := w.jobs[id]
		delete(w.jobs, id)
		w.schedule.drop(j)
		w.mu.Unlock()
		w.notify(id, host1, 2)
		w.peers.take()
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		w.list()
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 2)
		if len(w.early) != 0 {
			t.Errorf("%d are still kept", len(w.early))
		}
		w.refuses("no such zone", host1, errStranger)
	})
}

func TestEngineNotify(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.take()
		w.refuses(id, netip.MustParseAddr("192.0.2.9"), errStranger)
		w.refuses("no such zone", host1, errStranger)
		w.notify(id, host1, 1)
		pass(transferIn)
		w.wantAsked() // the serial is ours already
		if err := w.Notify(id, host2, nil, 0, false); err != nil {
			t.Error(err)
		}
		pass(3 * transferIn)
		w.wantAsked("SOA 192.0.2.2", "SOA 192.0.2.1") // the sender first; one that is not newer does not end the search
		// Any number of them during a refresh makes one more.
		w.peers.set("192.0.2.1", fakeHost{serial: 2, slow: time.Second})
		w.notify(id, host1, 2)
		synctest.Wait()
		for range 100 {
			w.notify(id, host1, 2)
		}
		pass(10 * time.Second)
		w.want(id, zonestore.StateServing, 2)
		w.wantAsked("SOA 192.0.2.1", "AXFR 192.0.2.1", "SOA 192.0.2.1", "SOA 192.0.2.2")
	})
}

// The word of a NOTIFY about an older serial is worth a check, and no more.
func TestEngineNotifyOlder(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.take()
		w.notify(id, host1, 6)
		pass(2 * transferIn)
		w.wantAsked("SOA 192.0.2.1")
		w.peers.set("192.0.2.1", fakeHost{serial: 6})
		w.notify(id, host1, 6)
		pass(2 * time.Second)
		w.wantAsked("SOA 192.0.2.1")
		w.want(id, zonestore.StateServing, 7)
		// After trouble a peer that says our serial is worth a check, too.
		w.peers.set("192.0.2.1", fakeHost{serial: 7})
		w.notify(id, host1, 7)
		pass(2 * transferIn)
		w.wantAsked("SOA 192.0.2.1")
		w.notify(id, host1, 7)
		pass(2 * time.Second)
		w.wantAsked()
	})
}

// A NOTIFY of a version that the primary published during a transfer is not
// lost, however the versions come.
func TestEngineNotifyDuringTransfer(t *testing.T) {
	for _, kind := range []string{"AXFR", "IXFR"} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, func(w *world) {
				peer := w.addPeer(1, fakeHost{serial: 1})
				if kind == "IXFR" {
					peer = w.addIXFRPeer(1, fakeHost{serial: 1})
				}
				id := w.addZone("a.test.", peer)
				pass(transferIn)
				w.peers.take()
				w.peers.set("192.0.2.1", fakeHost{serial: 2, slow: time.Second})
				w.notify(id, host1, 2)
				pass(1500 * time.Millisecond) // the transfer of serial 2 is under way
				w.peers.set("192.0.2.1", fakeHost{serial: 3})
				w.notify(id, host1, 3)
				pass(time.Second)
				w.want(id, zonestore.StateServing, 3)
				w.wantAsked("SOA 192.0.2.1", kind+" 192.0.2.1", "SOA 192.0.2.1", kind+" 192.0.2.1")
			})
		})
	}
}

// The serial that we hold may not be the one that a running refresh leads to.
func TestEngineNotifyOfOurSerialDuringTransfer(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 3, slow: time.Second})
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		w.peers.set("192.0.2.1", fakeHost{serial: 7})
		w.notify(id, host1, 7)
		pass(2 * time.Second)
		w.want(id, zonestore.StateServing, 7)
	})
}

func TestEngineNotifyFromACL(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.take()
		inside := netip.MustParseAddr("198.51.100.7")
		w.refuses(id, inside, errStranger)
		acl := registry.ACL{ID: "acl", Account: account, Name: "notifiers", IPRange: "198.51.100.0/28"}
		w.update(func(tx *registry.Tx) error { return tx.PutACL(acl) })
		w.notify(id, inside, 2)
		pass(3 * transferIn)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2") // it is no peer: the order is the configured one
		w.refuses(id, netip.MustParseAddr("198.51.100.16"), errStranger)
		// It does not take the place of a peer that is to be asked first.
		w.peers.set("192.0.2.2", fakeHost{serial: 1, slow: time.Second})
		w.notify(id, host2, 2)
		synctest.Wait()
		w.notify(id, host2, 2)
		w.notify(id, inside, 2)
		pass(5 * time.Second)
		w.wantAsked("SOA 192.0.2.2", "SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.1")
		w.update(func(tx *registry.Tx) error { return tx.DeleteACL("acl") })
		w.refuses(id, inside, errStranger)
		w.wantAsked()
	})
}

func TestEngineNotifyKey(t *testing.T) {
	inWorld(t, func(w *world) {
		keyed, plain := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1})
		w.update(func(tx *registry.Tx) error {
			key := registry.TSIG{ID: "key", Account: account, Name: "key.example.", Algorithm: "hmac-sha256", Secret: "c2VjcmV0"}
			p, _ := tx.Peer(keyed)
			p.TSIG = new("key")
			acl := registry.ACL{ID: "acl", Account: account, Name: "all", IPRange: "192.0.2.0/24"}
			return errors.Join(tx.PutTSIG(key), tx.PutPeer(p), tx.PutACL(acl))
		})
		id := w.addZone("a.test.", keyed, plain)
		pass(transferIn)
		w.notify(id, host1, 1) // it does no more than start a check, which is signed
		w.keyed = true
		w.refuses(id, host1, errUnsigned) // the ACL does not undo the demand
		w.notify(id, host2, 1)
		w.notify(id, netip.MustParseAddr("192.0.2.3"), 1)
		name := wiretest.Name(t, "key.example.")
		key := w.NotifyKey(id, host1, name)
		if key == nil {
			t.Fatal("the key is not found")
		}
		for _, from := range []netip.Addr{host1, host2, netip.MustParseAddr("203.0.113.1")} {
			if err := w.Notify(id, from, key, 1, true); err != nil {
				t.Errorf("signed, from %s: %v", from, err)
			}
		}
		// The name may be that of several keys: the peer at the address counts.
		w.update(func(tx *registry.Tx) error {
			twin := registry.TSIG{ID: "twin", Account: account, Name: "KEY.example", Algorithm: "hmac-sha512", Secret: "c2VjcmV0"}
			p, _ := tx.Peer(plain)
			p.TSIG = new("twin")
			return errors.Join(tx.PutTSIG(twin), tx.PutPeer(p))
		})
		for from, algorithm := range map[string]string{"192.0.2.1": "hmac-sha256", "192.0.2.2": "hmac-sha512", "192.0.2.3": "hmac-sha256"} {
			if key := w.NotifyKey(id, netip.MustParseAddr(from), name); key == nil || key.Algorithm() != algorithm {
				t.Errorf("from %s: got key %v, want the one of %s", from, key, algorithm)
			}
		}
		if w.NotifyKey(id, host1, wiretest.Name(t, "other.example.")) != nil || w.NotifyKey("no such zone", host1, name) != nil {
			t.Error("a key that no peer of the zone has is found")
		}
	})
}

// flood has a host send a NOTIFY every millisecond, each with another serial.
func (w *world) flood(id string, from netip.Addr, lasts time.Duration) {
	w.t.Helper()
	for i := range lasts / time.Millisecond {
		w.notify(id, from, uint32(1000+i))
		pass(time.Millisecond)
	}
}

// TestEngineNotifyFlood: checks come with a gap between them, or as the poll rate
// of the peer has it, the first at once; and the last NOTIFY leads to a check.
func TestEngineNotifyFlood(t *testing.T)       { testNotifyFlood(t, 1000, 10) }
func TestEngineNotifyFloodAtRate(t *testing.T) { testNotifyFlood(t, 5, 5) }

func testNotifyFlood(t *testing.T, polls, rate int) {
	t.Helper()
	inWorld(t, func(w *world) {
		const seconds = 10
		w.limits.PollsPerSecond = polls
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(noticePause)
		w.peers.take()
		begun := time.Now()
		w.flood(id, host1, seconds*time.Second)
		asked := w.peers.take()
		if first := asked[0].at; !first.Equal(begun) {
			t.Errorf("the first check is %s after the NOTIFY", first.Sub(begun))
		}
		if n, most := len(asked), rate*seconds+noticeFlurry+2; n > most || n < most*9/10 {
			t.Errorf("%d checks in %d seconds, want up to %d", n, seconds, most)
		}
		for i, a := range asked[1:] {
			if wait := a.at.Sub(asked[i].at); a.what != "SOA" || wait < transferIn {
				t.Errorf("%s %s after the one before, which was still running", a.what, wait)
			}
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		w.notify(id, host1, 2)
		pass(time.Second)
		w.want(id, zonestore.StateServing, 2)
	})
}

// TestEngineNotifyFloodInTrouble: peers that fail are tried once a second, with
// a copy and without one, and so the log has a line a second.
func TestEngineNotifyFloodInTrouble(t *testing.T) {
	inWorld(t, func(w *world) {
		const seconds = 10
		served := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		empty := w.addZone("b.test.", w.addPeer(2, fakeHost{err: errDead}))
		pass(noticePause)
		tries := func(name string) int {
			return w.logs.FilterMessage("peer failed").Filter(func(e observer.LoggedEntry) bool { return e.ContextMap()["zone"] == name }).Len()
		}
		for _, z := range []struct {
			name, id string
			peer     netip.Addr
		}{{"a.test.", served, host1}, {"b.test.", empty, host2}} {
			before := tries(z.name)
			w.flood(z.id, z.peer, seconds*time.Second)
			if n := tries(z.name) - before; n > seconds+1 || n < seconds-1 {
				t.Errorf("%s: %d tries in %d seconds, want about one a second", z.name, n, seconds)
			}
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		w.notify(served, host1, 2)
		pass(noticePause + 2*transferIn)
		w.want(served, zonestore.StateServing, 2)
	})
}

// BenchmarkNotify takes NOTIFY for a zone with as many peers as it can have, all
// with keys, in an account with 10,000 ACLs.
func BenchmarkNotify(b *testing.B) {
	dir := b.TempDir()
	reg, err := registry.Open(registry.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer reg.Close()
	limits := defaultLimits()
	store, err := zonestore.Open(zonestore.Options{Dir: dir, Lifetime: limits.Lifetime, Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	e := New(Options{Registry: reg, Store: store, Limits: limits, Log: zap.NewNop(), Metrics: metrics.NewTransfer(prometheus.NewRegistry())})
	fillForNotify(b, reg)
	e.list()
	for _, from := range []string{"192.0.2.30", "10.0.0.1", "2001:db8::1", "11.0.0.1", "2001:db9::1"} {
		b.Run(from, func(b *testing.B) {
			addr := netip.MustParseAddr(from)
			for b.Loop() {
				_ = e.Notify("zone", addr, nil, 2, true)
			}
		})
	}
	name := wiretest.Name(b, "key30.example.")
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			if e.NotifyKey("zone", host1, name) == nil {
				b.Fatal("no key")
			}
		}
	})
}

// fillForNotify configures the zone, peers, keys and ACLs of BenchmarkNotify.
func fillForNotify(b *testing.B, reg *registry.Registry) {
	b.Helper()
	put := func(fn func(tx *registry.Tx) error) {
		if err := reg.Update(b.Context(), fn); err != nil {
			b.Fatal(err)
		}
	}
	put(func(tx *registry.Tx) error {
		z := registry.Zone{ID: "zone", Account: account, Name: "a.test.", AutoRefresh: 600}
		for n := range 30 {
			key := registry.TSIG{ID: fmt.Sprint("key", n), Account: account, Name: fmt.Sprintf("key%d.example.", n+1), Algorithm: "hmac-sha256", Secret: "c2VjcmV0"}
			p := registry.Peer{ID: fmt.Sprint("peer", n), Account: account, Name: "p", IP: new(fmt.Sprintf("192.0.2.%d", n+1)), TSIG: &key.ID}
			if err := errors.Join(tx.PutTSIG(key), tx.PutPeer(p)); err != nil {
				return err
			}
			z.Peers = append(z.Peers, p.ID)
		}
		return tx.PutZone(z)
	})
	const each = 100
	for i := range 10_000 / each {
		put(func(tx *registry.Tx) error {
			var errs []error
			for n := range each {
				text := fmt.Sprintf("10.%d.%d.0/24", i, n)
				if n%2 == 1 {
					text = fmt.Sprintf("2001:db8:%x:%x::/64", i, n-1)
				}
				errs = append(errs, tx.PutACL(registry.ACL{ID: fmt.Sprint(i, "-", n), Account: account, Name: "acl", IPRange: text}))
			}
			return errors.Join(errs...)
		})
	}
}
