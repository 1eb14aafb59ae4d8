package transfer

import "time"

// schedule is the one heap of all zones by the time each must be looked at
// next: to be checked, or to expire. It is not safe for concurrent use.
//
// The times lie in the heap itself: to compare those of a hundred thousand jobs,
// each somewhere in memory, would take longer than a poll. Each job knows its
// place; four children to an entry halve the places that change with a move.
type schedule struct {
	start time.Time // what the times in the heap count from
	due   []due
}

type due struct {
	after time.Duration // the start
	job   *job
}

const children = 4

// newSchedule makes an empty one. The start has a monotonic reading, if the times
// given to set have.
func newSchedule(start time.Time) schedule { return schedule{start: start} }

// set puts j down for the given time, or moves it there.
func (s *schedule) set(j *job, at time.Time) {
	d := due{at.Sub(s.start), j}
	if j.slot < 0 {
		s.due = append(s.due, d)
		s.rise(len(s.due)-1, d)
		return
	}
	s.move(int(j.slot), d)
}

// drop takes j out.
func (s *schedule) drop(j *job) {
	if j.slot < 0 {
		return
	}
	last := len(s.due) - 1
	d := s.due[last]
	s.due[last] = due{}
	s.due = s.due[:last]
	if d.job != j {
		s.move(int(j.slot), d)
	}
	j.slot = -1
}

// next returns when the first zone is due; ok is false if there is none.
func (s *schedule) next() (at time.Time, ok bool) {
	if len(s.due) == 0 {
		return time.Time{}, false
	}
	return s.start.Add(s.due[0].after), true
}

// first returns the first zone if it is due at now. It stays where it is.
func (s *schedule) first(now time.Time) *job {
	if len(s.due) == 0 || s.due[0].after > now.Sub(s.start) {
		return nil
	}
	return s.due[0].job
}

// isFirst reports whether no zone is due before j.
func (s *schedule) isFirst(j *job) bool { return j.slot == 0 }

// move has d take the place i, or the one that its time asks for from there.
func (s *schedule) move(i int, d due) {
	if i > 0 && d.after < s.due[parentOf(i)].after {
		s.rise(i, d)
		return
	}
	s.sink(i, d)
}

func (s *schedule) rise(i int, d due) {
	for i > 0 {
		above := parentOf(i)
		if s.due[above].after <= d.after {
			break
		}
		s.put(i, s.due[above])
		i = above
	}
	s.put(i, d)
}

func (s *schedule) sink(i int, d due) {
	for {
		below := s.earliestChild(i)
		if below < 0 || s.due[below].after >= d.after {
			break
		}
		s.put(i, s.due[below])
		i = below
	}
	s.put(i, d)
}

// earliestChild returns the child of i that is due first, -1 if it has none.
func (s *schedule) earliestChild(i int) int {
	from := i*children + 1
	if from >= len(s.due) {
		return -1
	}
	earliest := from
	for k := from + 1; k < min(from+children, len(s.due)); k++ {
		if s.due[k].after < s.due[earliest].after {
			earliest = k
		}
	}
	return earliest
}

func (s *schedule) put(i int, d due) {
	s.due[i] = d
	d.job.slot = int32(i)
}

func parentOf(i int) int { return (i - 1) / children }
