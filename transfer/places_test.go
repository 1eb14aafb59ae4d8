package transfer

import "testing"

func TestPlaces(t *testing.T) {
	t.Parallel()
	var p places
	jobs := make([]*job, 5)
	for i := range jobs {
		jobs[i] = &job{}
		if in := p.enter(jobs[i], 2); in != (i < 2) {
			t.Fatalf("job %d: entered: %v", i, in)
		}
		if i >= 2 {
			jobs[i].queued = &p
		}
	}
	jobs[2].queued = nil // removed while it waited
	if got := p.leave(); got != jobs[3] {
		t.Errorf("got %v, want the first that still waits", got)
	}
	jobs[3].queued = nil
	if got := p.leave(); got != jobs[4] {
		t.Errorf("got %v, want the last one", got)
	}
	jobs[4].queued = nil
	for range 2 {
		if got := p.leave(); got != nil {
			t.Errorf("got %v, want nobody", got)
		}
	}
	if p.taken != 0 {
		t.Errorf("%d places taken, want none", p.taken)
	}
	if !p.enter(&job{}, 1) {
		t.Error("no place, though all were given back")
	}
}
