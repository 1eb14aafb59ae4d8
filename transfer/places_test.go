package transfer

import "testing"

func TestPlaces(t *testing.T) {
	t.Parallel()
	var p places
	jobs := make([]*job, 5)
	for i := range jobs {
		jobs[i] = &job{}
		if in := p.enter(jobs[i], 2, false); in != (i < 2) {
			t.Fatalf("job %d: entered: %v", i, in)
		}
		if i >= 2 {
			jobs[i].queued = &p
		}
	}
	jobs[2].queued = nil // removed while it waited
	if got := p.leave(2); got != jobs[3] {
		t.Errorf("got %v, want the first that still waits", got)
	}
	jobs[3].queued = nil
	if got := p.leave(2); got != jobs[4] {
		t.Errorf("got %v, want the last one", got)
	}
	jobs[4].queued = nil
	for range 2 {
		if got := p.leave(2); got != nil {
			t.Errorf("got %v, want nobody", got)
		}
	}
	if p.taken != 0 {
		t.Errorf("%d places taken, want none", p.taken)
	}
	if !p.enter(&job{}, 1, false) {
		t.Error("no place, though all were given back")
	}
}

// An order takes a place that is not there, which nobody gets from it.
func TestPlacesOrder(t *testing.T) {
	t.Parallel()
	var p places
	waiting := &job{queued: &p}
	if !p.enter(&job{}, 1, false) || p.enter(waiting, 1, false) || !p.enter(&job{}, 1, true) {
		t.Fatal("want one that enters, one that waits and an order that enters")
	}
	if got := p.leave(1); got != nil {
		t.Errorf("got %v by a place beyond the limit", got)
	}
	if got := p.leave(1); got != waiting {
		t.Errorf("got %v, want the one that waits", got)
	}
}
