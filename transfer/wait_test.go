package transfer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"secondaryd/zonestore/registry"
)

// waiting begins to wait for a zone and returns what ends that.
func (w *world) waiting(ctx context.Context, id string, serial *uint32) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- w.WaitSerial(ctx, id, serial) }()
	synctest.Wait()
	return ended
}

// wantEnded compares whether and how a wait has ended.
func (w *world) wantEnded(what string, ended <-chan error, want bool, err error) {
	w.t.Helper()
	synctest.Wait()
	select {
	case got := <-ended:
		if !want || !errors.Is(got, err) {
			w.t.Errorf("%s: ended with %v, want %v %v", what, got, want, err)
		}
	default:
		if want {
			w.t.Errorf("%s: it goes on", what)
		}
	}
}

func TestWaitSerial(t *testing.T) {
	inWorld(t, func(w *world) {
		ctx := w.t.Context()
		id := w.addZone("example.org", w.addPeer(1, fakeHost{serial: 4294967290}))
		pass(time.Second)
		w.wantEnded("what is there", w.waiting(ctx, id, new(uint32(4294967290))), true, nil)
		w.wantEnded("what was there", w.waiting(ctx, id, new(uint32(4294967000))), true, nil)
		change := w.waiting(ctx, id, nil)
		near, far := w.waiting(ctx, id, new(uint32(3))), w.waiting(ctx, id, new(uint32(7)))
		short, give := context.WithTimeout(ctx, time.Minute)
		defer give()
		impatient := w.waiting(short, id, new(uint32(7)))
		pass(30 * time.Second)
		w.wantEnded("nothing has changed", change, false, nil)

		w.peers.set("192.0.2.1", fakeHost{serial: 5}) // newer, across zero
		pass(20 * time.Second)
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		pass(time.Second)
		w.wantEnded("the next change", change, true, nil)
		w.wantEnded("a serial that was passed", near, true, nil)
		w.wantEnded("a serial to come", far, false, nil)
		pass(time.Minute)
		w.wantEnded("in vain", impatient, true, context.DeadlineExceeded)
		w.update(func(tx *registry.Tx) error { return tx.DeleteZone(id) })
		w.wantEnded("the zone is gone", far, true, ErrUnknownZone)
		w.wantEnded("no zone", w.waiting(ctx, id, nil), true, ErrUnknownZone)
		if n := w.waiters.count.Load(); n != 0 || len(w.waiters.zones) != 0 {
			w.t.Errorf("%d wait for %d zones, want nobody", n, len(w.waiters.zones))
		}
	})
}

// That a copy has expired is a change, and no serial.
func TestWaitForExpiry(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("example.org", w.addPeer(1, fakeHost{serial: 1}))
		pass(time.Second)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		change, serial := w.waiting(w.t.Context(), id, nil), w.waiting(w.t.Context(), id, new(uint32(2)))
		pass(2 * soaExpire * time.Second)
		w.wantEnded("the next change", change, true, nil)
		w.wantEnded("a serial", serial, false, nil)
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		pass(time.Second)
		w.wantEnded("a serial", serial, true, nil)
	})
}

func TestWaitersAreBounded(t *testing.T) {
	t.Parallel()
	var w waiters
	for range maxWaiters {
		if !w.enter() {
			t.Fatal("there is no place")
		}
	}
	if w.enter() {
		t.Error("any number may wait")
	}
	w.leave()
	if !w.enter() {
		t.Error("a place is lost")
	}
}

// A change for which nobody waits costs nothing.
func TestTellNobody(t *testing.T) {
	var w waiters
	if n := testing.AllocsPerRun(100, func() { w.tell("a zone") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
