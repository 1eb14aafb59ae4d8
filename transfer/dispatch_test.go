package transfer

import (
	"fmt"
	"testing"
	"time"
)

// TestPollsHeldUp: polls whose time has passed unnoticed, because the machine was busy,
// do not all begin at once.
func TestPollsHeldUp(t *testing.T) {
	inWorld(t, func(w *world) {
		peer := w.addPeer(1, fakeHost{serial: 1})
		var ids []string
		for i := range 200 {
			ids = append(ids, w.addZone(fmt.Sprintf("n%d.test.", i), peer))
		}
		pass(time.Minute)
		e := w.Engine
		e.mu.Lock()
		defer e.mu.Unlock()
		now := time.Now()
		begin := func() (n int) {
			for _, id := range ids {
				j := e.jobs[id]
				if !j.heldUp(now) && e.pollWait(j, e.shareLocked(e.resolver.peersOf(id)[0].addr), false, now) == 0 {
					n++
				}
			}
			return n
		}
		begin() // each gets its time
		now = now.Add(time.Minute)
		// A turn and a half of 20 ms.
		if n, most := begin(), e.limits.PollsPerSecond*30/1000; n != most {
			t.Errorf("%d polls began in the same moment, want %d", n, most)
		}
		// At their rate alone they would never catch up.
		later := 0
		for range 2 * pollTurns {
			now = now.Add(together)
			later += begin()
		}
		if rate := 2 * e.limits.PollsPerSecond; later <= rate || later > rate*11/10 {
			t.Errorf("%d polls began in the next two seconds, the rate is %d", later, rate)
		}
	})
}
