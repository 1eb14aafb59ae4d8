package transfer

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Stepping back concerns the goroutine that does, and no other.
func TestStepBack(t *testing.T) {
	t.Parallel()
	nice := func() int {
		rest, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
		if err != nil {
			t.Error(err)
		}
		return 20 - rest // the system call's way to have no negative result
	}
	before := nice()
	for range 20 {
		back := make(chan int)
		go func() {
			stepBack()
			back <- nice()
		}()
		if got := <-back; got != max(before, background) {
			t.Errorf("got nice value %d, want %d", got, background)
		}
		if got := nice(); got != before {
			t.Fatalf("another goroutine has nice value %d, want %d", got, before)
		}
	}
}
