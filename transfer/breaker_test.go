package transfer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	now := bubbleStart
	var b breaker
	for i := range breakerFailures - 1 {
		if b.fail(now, CauseConnRefused, r) {
			t.Fatalf("left out after %d failures", i+1)
		}
	}
	if _, blocked := b.blocks(now); blocked {
		t.Error("blocked too early")
	}
	if !b.fail(now, CauseConnRefused, r) {
		t.Error("not left out")
	}
	for i := range 10 {
		until, blocked := b.blocks(now)
		want := min(breakerFirst<<i, breakerMost)
		if wait := until.Sub(now); !blocked || wait > want || wait < want*9/10 {
			t.Errorf("failure %d: blocked %v for %s, want %s less at most a tenth", i, blocked, wait, want)
		}
		now = until
		if _, blocked := b.blocks(now); blocked {
			t.Error("blocked when its time is over")
		}
		b.probe()
		if _, blocked := b.blocks(now); !blocked {
			t.Error("a second refresh may ask, while one finds out")
		}
		if b.fail(now, CauseConnRefused, r) {
			t.Error("left out again, though it was")
		}
	}
	if !b.answer(now) {
		t.Error("it was not out")
	}
	// A peer that has just answered is not dead, whatever fails.
	for range 2 * breakerFailures {
		if b.fail(now.Add(breakerQuiet-1), CauseConnRefused, r) {
			t.Fatal("left out, though it answered for another zone")
		}
	}
	if !b.fail(now.Add(breakerQuiet), CauseConnRefused, r) {
		t.Error("not left out after its silence")
	}
}

// TestEngineDeadPeer: a peer that does not answer costs a question now and then,
// however many zones it has, and a peer beside it is asked in its place.
func TestEngineDeadPeer(t *testing.T) {
	inWorld(t, func(w *world) {
		dead, good := w.addPeer(1, fakeHost{err: errDead}), w.addPeer(2, fakeHost{serial: 1})
		const zones = 200
		for i := range zones {
			w.addZone(fmt.Sprintf("only%03d.test.", i), dead)
		}
		both := w.addZone("both.test.", dead, good)
		pass(time.Minute)
		w.want(both, zonestore.StateServing, 1)
		if n := len(w.peers.take()); n > breakerFailures+w.limits.RunningPerPeer+20 {
			w.t.Errorf("%d questions in a minute", n)
		}
		pass(time.Hour)
		if n := w.askedOf("192.0.2.1"); n < 10 || n > 30 {
			w.t.Errorf("%d questions to the dead peer in an hour, want one about every five minutes", n)
		}
		if s, _ := w.Status(both); len(s.Failures) != 1 || s.Failures[0].Cause != CauseLeftOut {
			w.t.Errorf("failures: %+v, want that of the peer that is left out", s.Failures)
		}
		if n := w.logs.FilterMessage("peer does not answer: it is left out for a while").Len(); n != 1 {
			w.t.Errorf("%d lines, want 1", n)
		}
		// When it is back, all its zones are, within the breaker's wait.
		w.peers.set("192.0.2.1", fakeHost{serial: 1})
		pass(breakerMost + 2*breakerFirst + time.Minute)
		serving := 0
		for s := range w.Statuses() {
			if s.State == zonestore.StateServing {
				serving++
			}
		}
		if serving != zones+1 {
			w.t.Errorf("%d zones are served, want %d", serving, zones+1)
		}
	})
}

// TestEngineDeadPeerKeepsWish: a NOTIFY that comes while no peer can be asked is
// not lost.
func TestEngineDeadPeerKeepsWish(t *testing.T) {
	inWorld(t, func(w *world) {
		dead := w.addPeer(1, fakeHost{serial: 1})
		id := w.addZone("a.test.", dead)
		w.update(func(tx *registry.Tx) error {
			return tx.PutACL(registry.ACL{ID: "acl", Account: account, Name: "n", IPRange: "203.0.113.0/24"})
		})
		pass(time.Minute)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		for range breakerFailures + 3 {
			if err := w.ForceTransfer(id); err != nil {
				t.Error(err)
			}
			pass(2 * transferIn)
		}
		w.notify(id, netip.MustParseAddr("203.0.113.1"), 2) // another address says that there is something newer
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		pass(breakerMost)
		w.want(id, zonestore.StateServing, 2)
	})
}

// TestEngineDeadPeerIsAsked: an order, a NOTIFY of the peer, and a change of its
// configuration have a peer asked that is left out.
func TestEngineDeadPeerIsAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		dead := w.addPeer(1, fakeHost{serial: 1})
		id := w.addZone("a.test.", dead)
		pass(time.Minute)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		leftOut := func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			_, blocked := w.shares[netip.MustParseAddrPort("192.0.2.1:53")].breaker.blocks(time.Now())
			return blocked
		}
		for range breakerFailures {
			if err := w.ForceTransfer(id); err != nil {
				t.Error(err)
			}
			pass(2 * transferIn)
		}
		if !leftOut() {
			t.Fatal("the peer is not left out")
		}
		w.peers.take()
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(2 * transferIn)
		w.wantAsked("AXFR 192.0.2.1")
		pass(noticePause)
		w.notify(id, netip.MustParseAddr("192.0.2.1"), 9)
		pass(2 * transferIn)
		w.wantAsked("SOA 192.0.2.1")
		w.update(func(tx *registry.Tx) error {
			p, _ := tx.Peer(dead)
			p.Name = "renamed"
			return tx.PutPeer(p)
		})
		pass(2 * transferIn)
		w.wantAsked("SOA 192.0.2.1")
		if leftOut() {
			t.Error("the peer is left out, though its configuration has changed")
		}
	})
}

// TestEngineLeftOutPeerGone: an address that is left out is no longer counted once no
// zone is fetched from it, and what there was of it is forgotten; not before.
func TestEngineLeftOutPeerGone(t *testing.T) {
	for what, tc := range map[string]struct {
		leave func(tx *registry.Tx, zone, dead, good string) error
		left  int
	}{
		"it has another address": {func(tx *registry.Tx, _, dead, _ string) error {
			p, _ := tx.Peer(dead)
			p.IP = new("192.0.2.2")
			return tx.PutPeer(p)
		}, 0},
		"the zone has another peer": {func(tx *registry.Tx, zone, _, good string) error {
			z, _ := tx.Zone(zone)
			z.Peers = []string{good}
			return tx.PutZone(z)
		}, 0},
		"the zone is removed": {func(tx *registry.Tx, zone, _, _ string) error { return tx.DeleteZone(zone) }, 0},
		"another zone has another peer there": {func(tx *registry.Tx, zone, dead, good string) error {
			p, _ := tx.Peer(dead)
			p.ID, p.Name = "other", "other"
			z, _ := tx.Zone(zone)
			z.Peers = []string{good}
			other := z
			other.ID, other.Name, other.Peers = "another", "another.test.", []string{"other"}
			return errors.Join(tx.PutPeer(p), tx.PutZone(other), tx.PutZone(z), tx.DeletePeer(dead))
		}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(w *world) {
				dead, good := w.addPeer(1, fakeHost{err: errDead}), w.addPeer(2, fakeHost{serial: 1})
				id := w.addZone("a.test.", dead, good)
				for range breakerFailures {
					if err := w.ForceTransfer(id); err != nil {
						t.Error(err)
					}
					pass(3 * transferIn)
				}
				w.wantLeftOut(1)
				events := w.listening()
				w.update(func(tx *registry.Tx) error { return tc.leave(tx, id, dead, good) })
				pass(2 * interval)
				w.wantLeftOut(tc.left)
				if _, ok := w.shares[netip.MustParseAddrPort("192.0.2.1:53")]; ok != (tc.left > 0) {
					t.Errorf("the address is known: %v", ok)
				}
				if got := events.take(t); tc.left == 0 && !slices.Contains(got, "peer_back 192.0.2.1:53 - - ") {
					t.Errorf("no event says so: %q", got)
				}
			})
		})
	}
}

// wantLeftOut compares how many peers are counted as left out.
func (w *world) wantLeftOut(want int) {
	w.t.Helper()
	text := fmt.Sprintf(`
# HELP secondaryd_peers_left_out Peer addresses that do not answer and are therefore asked only now and then.
# TYPE secondaryd_peers_left_out gauge
secondaryd_peers_left_out %d
`, want)
	if err := testutil.GatherAndCompare(w.series, strings.NewReader(text), "secondaryd_peers_left_out"); err != nil {
		w.t.Error(err)
	}
}
