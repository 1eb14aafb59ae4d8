package transfer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slots{free: 2}
		meters := make([]*meter, 5)
		for i := range meters {
			meters[i] = &meter{intake: intake{conn: &countedConn{}}}
		}
		taken := make(chan int, len(meters))
		for i := range 2 {
			if err := s.take(t.Context(), meters[i]); err != nil {
				t.Fatal(err)
			}
			meters[i].octets.Store(int64(1000 * (2 - i))) // the second is the slower
		}
		waiting, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() { failed <- s.take(waiting, meters[2]) }()
		synctest.Wait()
		for i := 3; i < 5; i++ {
			go func() {
				if err := s.take(t.Context(), meters[i]); err == nil {
					taken <- i
				}
			}()
			synctest.Wait()
		}
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the wait cancelled", err)
		}
		// Nobody gives way before it has had its time; then the slowest does, and
		// nobody else while it ends.
		pass(slotGrace - time.Second)
		if meters[0].ended.Load() || meters[1].ended.Load() {
			t.Error("a transfer gave way before its time")
		}
		pass(10 * time.Second)
		if meters[0].ended.Load() || !meters[1].ended.Load() {
			t.Errorf("gave way: %v %v, want the slower alone", meters[0].ended.Load(), meters[1].ended.Load())
		}
		s.give(meters[1])
		if got := <-taken; got != 3 {
			t.Errorf("transfer %d got the place, want the first that waits", got)
		}
		s.give(meters[0])
		if got := <-taken; got != 4 {
			t.Errorf("transfer %d got the place, want the last", got)
		}
		s.give(meters[3])
		s.give(meters[4])
		if s.free != 2 || len(s.running) != 0 || len(s.waiting) != 0 {
			t.Errorf("%d free, %d running, %d waiting at the end", s.free, len(s.running), len(s.waiting))
		}
	})
}
