package zonestore

import (
	"time"

	"go.uber.org/zap"
)

// running returns t as a time that a jump of the clock does not move, as seen
// from now: times that were on disk are of the wall clock alone.
func running(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now.Add(t.Sub(now))
}

// running returns the timers as times that a jump of the clock does not move.
// Wall time counts here, and nowhere else, since the process did not run. A
// clock that is behind the last confirmation says nothing of how long that is
// ago, but that it was before the last check: that counts as made now, and behind
// is true.
func (t Timers) running(now time.Time) (at Timers, behind bool) {
	if t.Confirmed.After(now) {
		confirmed := now.Add(-max(0, t.Checked.Sub(t.Confirmed)))
		return Timers{Checked: now, Confirmed: confirmed, Expires: confirmed.Add(t.Life())}, true
	}
	return t.from(now), false
}

// from is running of each of the times.
func (t Timers) from(now time.Time) Timers {
	return Timers{Checked: running(t.Checked, now), Confirmed: running(t.Confirmed, now), Expires: running(t.Expires, now)}
}

// clock notices when the wall clock jumps.
type clock struct {
	wall    time.Time
	running time.Duration
}

// leastJump is less than anything that could be taken for the expiry of a zone,
// and more than a clock is adjusted by in small steps.
const leastJump = 5 * time.Second

// observe compares how far the wall clock and the running time have come since
// the last look, and returns by how much the former jumped; 0 for not.
func (c *clock) observe(wall time.Time, running time.Duration) (jump time.Duration) {
	if !c.wall.IsZero() {
		jump = wall.Round(0).Sub(c.wall) - (running - c.running)
	}
	c.wall, c.running = wall.Round(0), running
	if jump.Abs() < leastJump {
		return 0
	}
	return jump
}

// watchClock says when the clock has jumped, and writes the timers of all zones
// anew: what is on disk is wall time.
func (s *Store) watchClock(c *clock, start, now time.Time) {
	jump := c.observe(now, now.Sub(start))
	if jump == 0 {
		return
	}
	s.log.Warn("the clock has jumped: zones expire when they would have without it", zap.Duration("jump", jump))
	for _, served := range s.All() {
		s.rebase(served, now)
	}
}

func (s *Store) rebase(served *Served, now time.Time) {
	served.writing.Lock()
	defer served.writing.Unlock()
	if served.gone {
		return
	}
	s.timers.rebaseHold(served.id, now)
	s.setTimers(served, served.Timers().from(now))
}
