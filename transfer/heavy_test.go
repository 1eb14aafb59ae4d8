package transfer

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"secondaryd/internal/background"
)

// A transfer gets more room as it grows, and none while it is small.
func TestHeavy(t *testing.T) {
	t.Parallel()
	var h heavy
	var times []int64
	for octets := int64(0); octets < large+2*streamAhead; octets += 1 << 20 {
		before := h.next
		h.received(octets, time.Time{}, time.Time{})
		if h.next != before {
			times = append(times, octets)
		}
	}
	h.end()
	if len(times) != 2 || times[0] != large || times[1] != large+streamAhead {
		t.Errorf("room was made at %v, want at %d and %d", times, large, large+streamAhead)
	}
	var small heavy
	small.received(large-1, time.Time{}, time.Time{})
	if small.end(); small.filled != nil {
		t.Error("a small transfer got room")
	}
}

// Somebody must wait for packets when a transfer goes on for long after it had to wait
// for a message, and need not as long as it waits for each.
func TestHeavyGoesOn(t *testing.T) {
	t.Parallel()
	var h heavy
	now := time.Now()
	for i, step := range []struct {
		took  time.Duration
		alone bool // nobody may wait for packets afterwards
	}{
		{waited / 2, false},
		{2 * waited, true},
		{waited / 2, true},
		{2 * waited, true},
		{atOnce, true},
		{waited, true},
		{waited, true},
		{2 * waited, true},
		{waited, true},
	} {
		from := now
		now = now.Add(step.took)
		h.received(1, from, now)
		if h.woken.IsZero() == step.alone {
			t.Errorf("step %d: alone since %v, want %v", i, h.woken, step.alone)
		}
	}
	for range atOnce/waited + 1 {
		now = now.Add(waited)
		h.received(1, now.Add(-waited), now)
	}
	if !h.woken.IsZero() {
		t.Error("nobody waits for packets though the transfer went on for long")
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
			h := heavy{work: &work}
			h.received(octets, time.Time{}, time.Time{})
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
