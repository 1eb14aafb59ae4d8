package transfer

import (
	"iter"
	"maps"
	"slices"
	"time"

	"secondaryd/metrics"
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
	Activity  string    // idle; queued for a place; running
	Failures  []Failure // of the last refresh
	Held      *Held     // a version that is kept back, nil for none
	Tries     []Try     // the last with each peer
	Differs   bool      // a peer has other content at our serial

	Queries *metrics.ZoneQueries // nil if none are counted
}

// Held is a version that is kept back.
type Held struct {
	Serial    uint32
	Records   int    // 0 once it is discarded, or if that is not known
	Peer      string // empty if that is not known
	Cause     Cause
	Text      string
	Since     time.Time
	Discarded bool

	RolledBack bool // an operator went back from it; else the guard holds it
}

// Try is what was learned of a peer when a refresh asked it last.
type Try struct {
	Peer    string // id
	Address string // and port, empty without one
	At      time.Time
	Earlier bool   // not in the last refresh
	LeftOut bool   // it was not asked
	Err     *Error // nil: it confirmed or renewed the copy
	Serial  uint32
	Known   bool // it told the serial
	RTT     time.Duration
	Kind    string // of the transfer, empty for none
	IXFR    *Error // why an incremental one did not do, nil for none
	Octets  int64
	Took    time.Duration
	Differs bool // it has other content than ours, with our serial
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
	s := e.statusLocked(j)
	for _, t := range j.tries { // of all zones they would be much
		s.Tries = append(s.Tries, t.status(e.registry, s.Serial))
	}
	return s, true
}

// statusesAtOnce is how many are taken in one hold of the engine's mutex: NOTIFY and
// refreshes would wait tens of milliseconds for those of a hundred thousand zones.
const statusesAtOnce = 128

// Statuses yields the status of every zone that there is when the loop begins, in no
// order, each as it is at a moment of its own. The engine works on meanwhile, however
// long the loop takes.
func (e *Engine) Statuses() iter.Seq[Status] {
	return func(yield func(Status) bool) {
		some := make([]Status, 0, statusesAtOnce)
		for jobs := range slices.Chunk(e.allJobs(), statusesAtOnce) {
			some = e.appendStatuses(some[:0], jobs)
			for _, s := range some {
				if !yield(s) {
					return
				}
			}
		}
	}
}

func (e *Engine) allJobs() []*job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.AppendSeq(make([]*job, 0, len(e.jobs)), maps.Values(e.jobs))
}

// appendStatuses appends the status of those jobs that are not removed by now.
func (e *Engine) appendStatuses(some []Status, jobs []*job) []Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, j := range jobs {
		if !j.removed {
			some = append(some, e.statusLocked(j))
		}
	}
	return some
}

func (e *Engine) statusLocked(j *job) Status {
	v := j.served.View()
	s := Status{
		ID:        j.served.ID(),
		Zone:      j.apex().String(),
		State:     v.State,
		Serial:    v.Serial,
		Checked:   v.Checked,
		Confirmed: v.Confirmed,
		Expires:   v.Expires,
		Next:      j.check,
		Unsaved:   j.served.Unsaved(),
		Queries:   j.served.Queries(),
	}
	switch {
	case j.running:
		s.Activity = "running"
	case j.queued != nil:
		s.Activity = "queued"
	default:
		s.Activity = "idle"
	}
	if v.Zone != nil {
		s.Records = v.Zone.Records()
	}
	for _, t := range j.tries {
		if t.failed() {
			s.Failures = append(s.Failures, t.failure(e.registry))
		}
		s.Differs = s.Differs || t.differsFrom(v.Serial)
	}
	if j.held != nil {
		s.Held = j.held.status()
	}
	return s
}

func (h *held) status() *Held {
	s := &Held{
		Serial: h.serial, Peer: h.from.label(), Cause: h.reason.Cause, Text: h.reason.Error(),
		Since: h.since, Discarded: h.discarded, RolledBack: h.rolledBack, Records: h.records,
	}
	if h.zone != nil {
		s.Records = h.zone.Records()
	}
	return s
}
