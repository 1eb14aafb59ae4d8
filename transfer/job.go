package transfer

import (
	"net/netip"
	"time"

	"secondaryd/internal/background"
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
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

	check time.Time // when the next check is due
	began time.Time // when the last refresh did
	slot  int32     // place in the schedule, -1: not in it
	// flurry counts the refreshes that began soon after the one before.
	flurry   int32
	failures int32 // refreshes in a row that confirmed nothing

	paced   *share // whose poll rate has given it its time, nil for none
	granted bool   // it may be polled now, whatever the rate
	running bool   // a refresh is under way, or an order that takes the place of one
	claimed bool   // the latter
	removed bool   // no longer configured
	wish    wish
	queued  *places  // where it waits, nil if it does not
	holds   *share   // of the peer it has a place with
	shares  []*share // of all its peers, as it was refreshed last
	stop    func()   // ends the running refresh

	// whole says until when a peer is not asked for differences, see ixfrAgain;
	// nil where all can do them.
	whole map[netip.AddrPort]time.Time

	held   *held  // a version that the guard keeps back, nil for none
	shrink *uint8 // percent, see Guard; nil: as set for all

	tries []try // the last with each peer
}

func (j *job) apex() wire.Name { return j.served.Apex() }

// hasTurn reports whether the poll rate of its peer has had its say.
func (j *job) hasTurn() bool { return j.granted || j.paced != nil }

// set takes what the engine needs to know of the configuration.
func (j *job) set(z registry.Zone) {
	if h := j.held; !same(j.shrink, z.MaxShrink) && h != nil && !h.discarded && !h.rolledBack {
		j.held = h.behind // it is fetched and judged again
	}
	j.revision, j.interval, j.shrink = z.Revision, time.Duration(z.AutoRefresh)*time.Second, z.MaxShrink
}

const (
	// ixfrAgain is how long a peer that can't transfer a zone incrementally is not
	// asked for it again.
	ixfrAgain = 24 * time.Hour
	// ixfrSilent is the same for one that does not answer when it is asked so, and then
	// transfers the whole zone: it may have been busy.
	ixfrSilent = time.Hour
)

// learn remembers of the attempts which peers can't do incremental transfers.
func (j *job) learn(attempts []attempt, now time.Time) {
	for _, a := range attempts {
		switch {
		case a.ixfr == nil:
		case a.ixfr.meansNever():
			j.askWhole(a.peer, now.Add(ixfrAgain))
		case a.ixfr.Cause == CauseNoAnswer && a.err == nil:
			j.askWhole(a.peer, now.Add(ixfrSilent))
		}
	}
}

// askWhole has a peer not be asked for differences until then.
func (j *job) askWhole(p peer, until time.Time) {
	if j.whole == nil {
		j.whole = map[netip.AddrPort]time.Time{}
	}
	j.whole[p.addr] = until
}

// meansNever reports whether a failed incremental transfer says that the peer
// does not do them, or not with us; what else goes wrong may go well next time.
func (e *Error) meansNever() bool {
	switch e.Cause {
	case CauseFormErr, CauseNotImp, CauseRefused, CauseNotAuth:
		return true
	default:
		return false
	}
}

func same(a, b *uint8) bool { return a == b || a != nil && b != nil && *a == *b }

// wish is what the next refresh is wanted for.
type wish struct {
	now      bool       // do not wait for the schedule
	notified bool       // a NOTIFY came: ask every peer, one of them has something newer
	force    bool       // transfer whatever the serial says
	insist   bool       // an order: do not wait for the poll rate, ask peers that are left out
	from     netip.Addr // ask this peer first
	serial   uint32     // what a NOTIFY said that its sender has
	hinted   bool       // it did
	release  *held      // publish this version, ask nobody
}

// order reports whether a person wants it, now.
func (w *wish) order() bool { return w.force || w.release != nil }

// join adds what other wants.
func (w *wish) join(other wish) {
	w.now = w.now || other.now
	w.notified = w.notified || other.notified
	w.force = w.force || other.force
	w.insist = w.insist || other.insist
	if other.hinted {
		w.serial, w.hinted = other.serial, true
	}
	if other.release != nil {
		w.release = other.release
	}
	if other.from.IsValid() {
		w.from = other.from
	}
}

// attempt is what one peer did in a refresh.
type attempt struct {
	peer    peer
	at      time.Time
	err     *Error // nil: the peer confirmed or renewed the copy
	leftOut bool   // the peer was not asked at all

	serial  uint32        // that it said it has
	known   bool          // it did
	rtt     time.Duration // of the SOA query
	differs bool          // with our serial, its SOA is not ours
	blind   bool          // it told the serial, and not its SOA
	offers  bool          // it is newer, or none is served; known where all are asked for their serials

	kind   kind   // of the transfer that was asked for last
	ixfr   *Error // why an incremental one before it did not do, nil for none
	octets int64
	took   time.Duration
}

// refreshResult is what a refresh came to.
type refreshResult struct {
	received  // the new version, zone nil for none
	attempts  []attempt
	confirmed bool      // the copy is what a primary has
	verdict             // of the guard about the new version
	released  bool      // the new version is one that was held
	heldSince time.Time // if it is to be held
	took      time.Duration
	from      peer
}

// order tells refresh what to do; it holds copies, so the refresh runs without
// the engine's mutex.
type order struct {
	choice
	apex   wire.Name
	newest bool // ask all, and transfer from the one with the newest serial
	served *zonestore.Served
	guard  Guard
	// datagrams has the differences asked for by UDP in place of the serial.
	datagrams bool
	held      *held
	wish      wish
	turns     *turns
	work      *background.Work // the refresh, which may turn out to be long
}
