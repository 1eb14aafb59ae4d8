package transfer

import (
	"time"

	"secondaryd/zonestore"
)

// Status is what is known of a zone at one moment. Times are zero for never.
type Status struct {
	ID        string
	Zone      string
	State     zonestore.State
	Serial    uint32
	Records   int
	Checked   time.Time // a primary was asked
	Confirmed time.Time // a primary confirmed the copy
	Expires   time.Time
	Next      time.Time // the next try
	Unsaved   bool      // the served version is not on disk
	Failures  []Failure // of the last refresh
}

// Failure is why a peer did not confirm the copy when it was asked last.
type Failure struct {
	Peer  string // address and port, or the id of a peer without
	Step  Step
	Cause Cause
	Text  string // the cause with its details
	At    time.Time
}

// Status returns the status of one zone.
func (e *Engine) Status(zoneID string) (Status, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[zoneID]
	if !ok {
		return Status{}, false
	}
	return j.status(), true
}

// Statuses returns the status of every zone, in no order.
func (e *Engine) Statuses() []Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Status, 0, len(e.jobs))
	for _, j := range e.jobs {
		all = append(all, j.status())
	}
	return all
}

func (j *job) status() Status {
	v, t := j.served.View(), j.served.Timers()
	s := Status{
		ID:        j.served.ID(),
		Zone:      j.apex().String(),
		State:     v.State,
		Serial:    v.Serial,
		Checked:   t.Checked,
		Confirmed: t.Confirmed,
		Expires:   v.Expires,
		Next:      j.check,
		Unsaved:   j.served.Unsaved(),
	}
	if v.Zone != nil {
		s.Records = v.Zone.Records()
	}
	for _, a := range j.tries {
		if a.err != nil && !a.earlier {
			s.Failures = append(s.Failures, Failure{a.peer.label(), a.err.Step, a.err.Cause, a.err.Error(), a.at})
		}
	}
	return s
}
