package zonestore

import (
	"sync"
	"sync/atomic"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/zonestore/zone"
)

// State says what a configured zone can be answered with.
type State uint8

// The states of a zone.
const (
	StateEmpty   State = iota // configured, no copy yet
	StateServing              // a copy is served
	StateExpired              // the copy is older than its SOA EXPIRE (RFC 1035 section 3.3.13)
)

func (s State) String() string {
	return [...]string{"empty", "serving", "expired"}[s]
}

// View is what is known of a zone at one moment. It never changes; readers
// load it once and use it to the end of their work.
type View struct {
	State  State
	Serial uint32     // of the copy, also when it has expired; 0 without one
	Zone   *zone.Zone // while StateServing, else nil
	Timers            // Expires is zero without a copy
}

// with returns a copy of the view with other timers.
func (v *View) with(t Timers) *View {
	next := *v
	next.Timers = t
	return &next
}

// Served is a configured zone.
type Served struct {
	id      string
	apex    wire.Name // folded
	view    atomic.Pointer[View]
	queries atomic.Pointer[metrics.ZoneQueries]
	unsaved atomic.Bool // the served version is not on disk

	writing    sync.Mutex // held by whoever stores a view; guards the fields below
	received   time.Time  // when the served version was
	rolledBack bool       // an operator had it take the place of a newer one
	gone       bool       // removed: nothing may be saved or published any more
}

// noView is what is known of every zone at first.
var noView View

// newServed may keep apex.
func newServed(id string, apex wire.Name) *Served {
	if !apex.IsFolded() {
		apex = apex.Fold()
	}
	s := &Served{id: id, apex: apex}
	s.view.Store(&noView)
	return s
}

// ID returns the zone id.
func (s *Served) ID() string { return s.id }

// Apex returns the zone's name in lower case. The caller must not change it.
func (s *Served) Apex() wire.Name { return s.apex }

// View returns the zone's present view, never nil. It takes no lock.
func (s *Served) View() *View { return s.view.Load() }

// Timers returns when the zone was checked and confirmed.
func (s *Served) Timers() Timers { return s.View().Timers }

// Queries returns the counters of queries about the zone, nil if there are none.
func (s *Served) Queries() *metrics.ZoneQueries { return s.queries.Load() }

// CountQueries returns the counters of queries about the zone, made for that many
// workers by the first query.
func (s *Served) CountQueries(workers int) *metrics.ZoneQueries {
	if q := s.queries.Load(); q != nil {
		return q
	}
	s.queries.CompareAndSwap(nil, metrics.NewZoneQueries(workers))
	return s.queries.Load()
}

// Unsaved reports whether the served version could not be saved yet.
func (s *Served) Unsaved() bool { return s.unsaved.Load() }
