package transfer

import (
	"runtime"
	"sync"
	"testing"

	"secondaryd/internal/background"
)

// A transfer gets more room as it grows, and none while it is small.
func TestHeavy(t *testing.T) {
	t.Parallel()
	h := heavy{intake: &intake{conn: &countedConn{}}}
	var times []int64
	for octets := int64(0); octets < large+2*streamAhead; octets += 1 << 20 {
		before := h.next
		h.received(octets)
		if h.next != before {
			times = append(times, octets)
		}
	}
	h.end()
	if len(times) != 2 || times[0] != large || times[1] != large+streamAhead {
		t.Errorf("room was made at %v, want at %d and %d", times, large, large+streamAhead)
	}
	var small heavy
	small.received(large - 1)
	if small.end(); small.filled != nil {
		t.Error("a small transfer got room")
	}
}

// A large transfer stands back behind answers until its refresh has ended, a small
// one does not.
func TestHeavyStandsBack(t *testing.T) {
	usual := runtime.GOMAXPROCS(0)
	var done sync.WaitGroup
	defer done.Wait()
	for octets, want := range map[int64]int{large - 1: usual, large: usual + 1} {
		done.Go(func() { // its thread ends with it
			var work background.Work
			h := heavy{work: &work, intake: &intake{conn: &countedConn{}}}
			h.received(octets)
			h.end()
			if n := runtime.GOMAXPROCS(0); n != want {
				t.Errorf("%d processors in a transfer of %d octets, want %d", n, octets, want)
			}
			work.End()
		})
		done.Wait()
	}
	if n := runtime.GOMAXPROCS(0); n != usual {
		t.Errorf("%d processors afterwards, want %d", n, usual)
	}
}
