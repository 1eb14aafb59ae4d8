package background

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPriority: the work's thread has a low priority, and no other goroutine
// ever runs on it.
func TestPriority(t *testing.T) {
	priorities := func(count int, begin bool) []int {
		var done sync.WaitGroup
		got := make([]int, count)
		for i := range got {
			done.Go(func() {
				var w Work
				if begin {
					w.Begin()
					defer w.End()
				}
				n, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
				if err != nil {
					t.Error(err)
				}
				got[i] = kernelBase - n
			})
		}
		done.Wait()
		return got
	}
	usual := priorities(1, false)[0]
	for _, n := range priorities(4, true) {
		if want := max(usual, niceness); n != want {
			t.Errorf("long work has niceness %d, want %d", n, want)
		}
	}
	for _, n := range priorities(100, false) {
		if n != usual {
			t.Errorf("another goroutine has niceness %d, want %d", n, usual)
		}
	}
}
