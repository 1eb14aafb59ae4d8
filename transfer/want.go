package transfer

import (
	"errors"
	"time"
)

// ErrUnknownZone means that no zone of that id is configured.
var ErrUnknownZone = errors.New("no such zone")

// ForceTransfer orders a full transfer, whatever the serials say. It returns at
// once; the outcome shows in the zone's status and the log.
func (e *Engine) ForceTransfer(zoneID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j, ok := e.jobs[zoneID]; ok {
		e.wantLocked(j, wish{now: true, force: true, insist: true})
		return nil
	}
	if _, ok := e.registry.Zone(zoneID); ok {
		return nil // so new that its first transfer is yet to come
	}
	return ErrUnknownZone
}

// wantLocked joins w to what j is wanted for; while a refresh runs, it waits. An order
// has no zone wait in a queue.
func (e *Engine) wantLocked(j *job, w wish) {
	j.wish.join(w)
	if !j.running && w.order() {
		e.unqueueLocked(j)
	}
	if j.running || j.queued != nil {
		return
	}
	j.hasten(time.Now())
	e.scheduleLocked(j)
}

const (
	// noticePause is how long after the start of a refresh a NOTIFY has the next
	// one start at once.
	noticePause = time.Second
	// noticeFlurry is how many follow closer than that before there is a gap.
	noticeFlurry = 5
	noticeGap    = 100 * time.Millisecond
)

// hasten brings the next check of an idle job forward as far as its wish allows.
// An order cuts the wait short, whatever the poll rate, and so does the first NOTIFY in a while. Those
// that follow closely wait for the poll rate of the peer, after a few for a
// moment as well; for the end of the pause if the last refresh met with trouble.
// Then a flood of them neither polls a peer in a tight loop nor fills the log.
// None is lost.
func (j *job) hasten(now time.Time) {
	next := now
	switch {
	case j.troubled():
		next = j.began.Add(noticePause)
	case j.flurry >= noticeFlurry:
		next = j.began.Add(noticeGap)
	}
	switch {
	case j.wish.insist, j.wish.notified && !now.Before(j.began.Add(noticePause)):
		j.granted, j.paced, j.check = true, nil, now
	case j.wish.now:
		j.check = now
	case !j.wish.notified, j.hasTurn(): // not wanted, or the turn is near
	case next.Before(j.check):
		j.check = next
	}
}

// begin notes that a refresh does.
func (j *job) begin(now time.Time) {
	if j.flurry++; now.Sub(j.began) >= noticePause {
		j.flurry = 0
	}
	j.began, j.running = now, true
}
