package transfer

import (
	"testing"
	"time"
)

// TestTries: what was measured of a peer is told until it is measured again.
func TestTries(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addIXFRPeer(1, fakeHost{serial: 1}))
		var last Try
		want := func(what string, rtt time.Duration, kind kind, octets int64, took time.Duration) {
			t.Helper()
			s, _ := w.Status(id)
			if len(s.Tries) != 1 {
				t.Fatalf("%s: %d peers, want 1", what, len(s.Tries))
			}
			last = s.Tries[0]
			if last.RTT != rtt || last.Kind != kind.String() || last.Octets != octets || last.Took != took {
				t.Errorf("%s: RTT %s, %s of %d octets in %s; want %s, %s of %d octets in %s",
					what, last.RTT, last.Kind, last.Octets, last.Took, rtt, kind, octets, took)
			}
		}
		pass(transferIn)
		want("transferred without a poll", 0, kindAXFR, 100, transferIn)

		const slow = 50 * time.Millisecond
		w.peers.set("192.0.2.1", fakeHost{serial: 1, slow: slow})
		pass(interval + slow + transferIn)
		want("polled", slow+transferIn, kindAXFR, 100, transferIn)

		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(interval)
		want("failed", slow+transferIn, kindAXFR, 100, transferIn)
		if last.Err == nil {
			t.Error("the peer did not fail")
		}

		const slower = 80 * time.Millisecond
		w.peers.set("192.0.2.1", fakeHost{serial: 2, slow: slower})
		pass(interval)
		want("polled, and differences transferred", slower+transferIn, kindIXFR, 10, slower+transferIn)
	})
}
