package transfer

import (
	"net/netip"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// job is what the engine knows of one zone. The engine's mutex guards it.
//
//	       create, change, NOTIFY, order, time
//	waiting ────────────────────────────────────► queued
//	   ▲                                             │ a place is free
//	   │ result: when to try again                   ▼
//	   └────────────────────────────────────────── running
//
// A wish that arrives while the zone runs is kept and granted afterwards, so
// that two refreshes never run at once and the last wish is never lost (RFC
// 1996 section 4.4).
type job struct {
	served   *zonestore.Served
	created  int64  // nanoseconds since 1970; another time means another zone
	revision uint64 // of the configuration
	interval time.Duration

	slot  int       // place in the schedule, -1: not in it
	at    time.Time // when the schedule wakes for it
	check time.Time // when the next check is due

	wish    wish
	granted bool    // the poll rate of its peer allows it
	queued  *places // where it waits, nil if it does not
	holds   *places // the share of a peer it has a place in
	running bool    // a refresh is under way
	removed bool    // no longer configured
	stop    func()  // ends the running refresh

	failures int       // refreshes in a row that confirmed nothing
	failed   []attempt // of the last refresh
}

func (j *job) apex() wire.Name { return j.served.Apex() }

// set takes what the engine needs to know of the configuration.
func (j *job) set(z registry.Zone) {
	j.revision, j.interval = z.Revision, time.Duration(z.AutoRefresh)*time.Second
}

// wish is what the next refresh is wanted for.
type wish struct {
	now      bool       // do not wait for the schedule
	notified bool       // ask every peer: one of them has something newer
	force    bool       // transfer whatever the serial says
	from     netip.Addr // ask this peer first
}

// join adds what other wants.
func (w *wish) join(other wish) {
	w.now = w.now || other.now
	w.notified = w.notified || other.notified
	w.force = w.force || other.force
	if other.from.IsValid() {
		w.from = other.from
	}
}

// attempt is what one peer did in a refresh.
type attempt struct {
	peer     peer
	transfer bool   // it came to asking for a transfer
	err      *Error // nil: the peer confirmed or renewed the copy
	at       time.Time
}

// refreshResult is what a refresh came to.
type refreshResult struct {
	attempts  []attempt
	confirmed bool // the copy is what a primary has
	version   *zone.Zone
	octets    int64
	took      time.Duration
	from      peer
}

// order tells refresh what to do; it holds copies, so the refresh runs without
// the engine's mutex.
type order struct {
	apex   wire.Name
	peers  []peer
	served *zonestore.Served
	wish   wish
}
