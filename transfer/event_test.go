package transfer

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secondaryd/zonestore/registry"
)

// listening keeps what the engine tells from now on.
type listening struct {
	mu     sync.Mutex // guards events
	events []Event
}

func (w *world) listening() *listening {
	l := &listening{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listen = func(ev Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.events = append(l.events, ev)
	}
	return l
}

// take returns what was told since it was called last, a line an event.
func (l *listening) take(t *testing.T) (lines []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	number := func(n *uint32) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprint(*n)
	}
	for _, ev := range l.events {
		if ev.At.IsZero() || (ev.Zone == "") != (ev.ZoneID == "") {
			t.Errorf("event %+v", ev)
		}
		line := fmt.Sprint(ev.Kind, " ", ev.Zone, ev.Peer, " ", number(ev.OldSerial), " ", number(ev.Serial), " ", ev.Transfer)
		if ev.Err != nil {
			line += string(ev.Err.Cause)
		}
		lines = append(lines, line)
	}
	l.events = nil
	return lines
}

func (l *listening) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := l.take(t); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestEventsOfZone(t *testing.T) {
	inWorld(t, func(w *world) {
		l := w.listening()
		id := w.addZone("example.org", w.addPeer(1, fakeHost{serial: 1, owners: 100}))
		pass(time.Second)
		l.want(w.t, "published example.org.192.0.2.1:53 - 1 axfr")
		pass(2 * interval)
		l.want(w.t) // what confirms the copy is no event
		w.peers.set("192.0.2.1", fakeHost{serial: 2, owners: 90})
		pass(2 * interval)
		l.want(w.t, "published example.org.192.0.2.1:53 1 2 axfr")

		w.peers.set("192.0.2.1", fakeHost{serial: 3})
		pass(interval)
		l.want(w.t, "held example.org.192.0.2.1:53 2 3 axfr"+string(CauseShrink))
		if err := w.Release(id, 3); err != nil {
			w.t.Error(err)
		}
		l.want(w.t, "released example.org.192.0.2.1:53 2 3 axfr")
		w.peers.set("192.0.2.1", fakeHost{serial: 4, owners: 100})
		pass(2 * interval)
		w.peers.set("192.0.2.1", fakeHost{serial: 5})
		pass(2 * interval)
		l.take(w.t)
		if err := w.Discard(id, 5); err != nil {
			w.t.Error(err)
		}
		l.want(w.t, "discarded example.org. - 5 ")

		w.peers.set("192.0.2.1", fakeHost{err: fail(StepSOA, CauseServFail, "test")})
		pass(2 * interval)
		if got := l.take(w.t); len(got) == 0 || got[0] != "failed example.org.192.0.2.1:53 - 4 "+string(CauseServFail) {
			w.t.Errorf("got %q", got)
		}
		pass(soaExpire * time.Second)
		if got := l.take(w.t); !slices.Contains(got, "expired example.org. - 4 ") {
			w.t.Errorf("got %q", got)
		}
	})
}

func TestEventsOfPeer(t *testing.T) {
	inWorld(t, func(w *world) {
		l := w.listening()
		peer := w.addPeer(1, fakeHost{serial: 1})
		w.addZone("example.org", peer)
		pass(time.Second)
		leftOut, back := "peer_left_out 192.0.2.1:53 - - "+string(CauseConnRefused), "peer_back 192.0.2.1:53 - - "
		for what, mend := range map[string]func(){
			"it answers": func() {},
			"it is configured anew": func() {
				w.update(func(tx *registry.Tx) error {
					p, _ := tx.Peer(peer)
					p.Name = "another"
					return tx.PutPeer(p)
				})
			},
		} {
			w.peers.set("192.0.2.1", fakeHost{err: errDead})
			pass(40 * time.Minute)
			if got := l.take(w.t); !slices.Contains(got, leftOut) || slices.Contains(got, back) {
				w.t.Errorf("got %q", got)
			}
			w.peers.set("192.0.2.1", fakeHost{serial: 1})
			mend()
			pass(10 * time.Minute)
			if got := l.take(w.t); !slices.Contains(got, back) || slices.Contains(got, leftOut) {
				w.t.Errorf("%s: got %q", what, got)
			}
		}
	})
}
