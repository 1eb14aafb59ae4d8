package transfer

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots bounds the transfers under way. A transfer takes its slot when the
// answer begins, so a peer that says nothing takes none. When all are taken and
// another waits, the slowest that has had its time gives way, so peers that
// trickle can't keep the others out.
type slots struct {
	mu      sync.Mutex // guards the fields below
	free    int
	running []*meter
	waiting []chan struct{} // first come, first served
}

const (
	// slotGrace is how long a transfer has its slot for certain.
	slotGrace = 10 * time.Second
	slotCheck = time.Second
)

// take waits for a slot. It fails only if ctx ends.
func (s *slots) take(ctx context.Context, m *meter) error {
	turn := s.enter(m)
	if turn == nil {
		return nil
	}
	check := time.NewTicker(slotCheck)
	defer check.Stop()
	for {
		select {
		case <-turn:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.beginLocked(m)
			return nil
		case <-ctx.Done():
			s.quit(turn)
			return ctx.Err()
		case now := <-check.C:
			s.makeWay(now)
		}
	}
}

// enter takes a free slot, or has m wait for its turn.
func (s *slots) enter(m *meter) (turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		s.beginLocked(m)
		return nil
	}
	turn = make(chan struct{})
	s.waiting = append(s.waiting, turn)
	return turn
}

// beginLocked notes that m has its slot: its time runs from now.
func (s *slots) beginLocked(m *meter) {
	m.start = time.Now()
	s.running = append(s.running, m)
}

// quit ends the wait for a turn, which may have come in the same moment.
func (s *slots) quit(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, turn); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	s.passLocked()
}

// give takes back the slot of m.
func (s *slots) give(m *meter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.running, m); i >= 0 {
		s.running = slices.Delete(s.running, i, i+1)
		s.passLocked()
	}
}

// passLocked hands a slot that has become free to the first who waits.
func (s *slots) passLocked() {
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	close(s.waiting[0])
	s.waiting = slices.Delete(s.waiting, 0, 1)
}

// makeWay ends the slowest transfer that has had its time, if one waits.
func (s *slots) makeWay(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return
	}
	var slowest *meter
	for _, m := range s.running {
		if m.ended.Load() {
			return // one is giving way already
		}
		if now.Sub(m.start) < slotGrace {
			continue
		}
		if slowest == nil || m.rate(now) < slowest.rate(now) {
			slowest = m
		}
	}
	if slowest != nil {
		slowest.giveWay()
	}
}
