package transfer

import (
	"container/heap"
	"time"
)

// schedule is the one heap of all zones by the time each must be looked at
// next: to be checked, or to expire. It is not safe for concurrent use.
type schedule struct {
	due dueHeap
}

// set puts z down for the given time, or moves it there.
func (s *schedule) set(z *job, at time.Time) {
	z.at = at
	if z.slot < 0 {
		heap.Push(&s.due, z)
		return
	}
	heap.Fix(&s.due, int(z.slot))
}

// drop takes z out.
func (s *schedule) drop(z *job) {
	if z.slot >= 0 {
		heap.Remove(&s.due, int(z.slot))
	}
}

// next returns when the first zone is due; ok is false if there is none.
func (s *schedule) next() (at time.Time, ok bool) {
	if len(s.due) == 0 {
		return time.Time{}, false
	}
	return s.due[0].at, true
}

// pop takes out the first zone if it is due at now.
func (s *schedule) pop(now time.Time) *job {
	if len(s.due) == 0 || s.due[0].at.After(now) {
		return nil
	}
	z, _ := heap.Pop(&s.due).(*job)
	return z
}

// dueHeap implements heap.Interface; each job knows its place.
type dueHeap []*job

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, k int) bool { return h[i].at.Before(h[k].at) }
func (h dueHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].slot, h[k].slot = int32(i), int32(k)
}

func (h *dueHeap) Push(x any) {
	z, _ := x.(*job)
	z.slot = int32(len(*h))
	*h = append(*h, z)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	z := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	z.slot = -1
	return z
}
