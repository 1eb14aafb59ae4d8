package transfer

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"secondaryd/zonestore"
)

// longPeers makes every transfer a long one.
type longPeers struct{ asker }

func (l longPeers) transfer(ctx context.Context, p peer, w want) (received, error) {
	w.work.Begin()
	return l.asker.transfer(ctx, p, w)
}

// TestLongTransferFinish: what is held for all zones is not held by the thread of a
// large transfer, which stands back behind answers.
func TestLongTransferFinish(t *testing.T) {
	usual := priority(t)
	inWorld(t, func(w *world) {
		w.client = longPeers{w.peers}
		var told []int
		w.Engine.mu.Lock()
		w.listen = func(Event) { told = append(told, priority(t)) } // with the mutex held
		w.Engine.mu.Unlock()
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1, owners: 1}))
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.Engine.mu.Lock()
		defer w.Engine.mu.Unlock()
		if len(told) == 0 {
			t.Error("nothing was told")
		}
		for _, n := range told {
			if n != usual {
				t.Errorf("the thread has priority %d, want %d", n, usual)
			}
		}
	})
}

func priority(t *testing.T) int {
	t.Helper()
	n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Error(err)
	}
	return n
}
