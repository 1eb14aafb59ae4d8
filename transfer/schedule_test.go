package transfer

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The schedule against a plain map searched from end to end.
func TestScheduleModel(t *testing.T) {
	t.Parallel()
	epoch := time.Unix(1_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		s := newSchedule(epoch)
		model := map[*job]time.Time{}
		jobs := make([]*job, 20)
		for i := range jobs {
			jobs[i] = &job{slot: -1}
		}
		first := func() (at time.Time, ok bool) {
			for _, due := range model {
				if !ok || due.Before(at) {
					at, ok = due, true
				}
			}
			return at, ok
		}
		moment := rapid.IntRange(0, 50)
		one := rapid.SampledFrom(jobs)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				j, at := one.Draw(t, "job"), epoch.Add(time.Duration(moment.Draw(t, "at"))*time.Second)
				s.set(j, at)
				model[j] = at
			},
			"drop": func(t *rapid.T) {
				j := one.Draw(t, "job")
				s.drop(j)
				delete(model, j)
			},
			"first": func(t *rapid.T) {
				now := epoch.Add(time.Duration(moment.Draw(t, "now")) * time.Second)
				at, ok := first()
				j := s.first(now)
				if due := ok && !at.After(now); due != (j != nil) {
					t.Fatalf("first is %v at %s, though the first is due at %s (%v)", j, now, at, ok)
				}
				if j == nil {
					return
				}
				if !model[j].Equal(at) {
					t.Fatalf("first is a zone due at %s, the first is due at %s", model[j], at)
				}
				s.drop(j)
				delete(model, j)
			},
			"": func(t *rapid.T) {
				at, ok := s.next()
				wantAt, wantOK := first()
				if ok != wantOK || !at.Equal(wantAt) {
					t.Fatalf("next: got %s, %v, want %s, %v", at, ok, wantAt, wantOK)
				}
				for _, j := range jobs {
					if s.isFirst(j) && !model[j].Equal(wantAt) {
						t.Fatalf("a job due at %s is first, the first is due at %s", model[j], wantAt)
					}
					_, in := model[j]
					if in != (j.slot >= 0) {
						t.Fatalf("a job's slot is %d, in the schedule: %v", j.slot, in)
					}
				}
			},
		})
	})
}
