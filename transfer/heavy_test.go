package transfer

import "testing"

// A transfer gets more room as it grows, and none while it is small.
func TestHeavy(t *testing.T) {
	t.Parallel()
	var h heavy
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
