package transfer

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore"
)

// What an order about a held version can fail with.
var (
	ErrNothingHeld = errors.New("no version of the zone is held")
	ErrOtherHeld   = errors.New("another version of the zone is held by now")
)

// held is a version that was kept back, by the guard or since the zone was rolled
// back. Only said changes.
type held struct {
	received  // zone nil once it is discarded, and if it is on disk alone
	serial    uint32
	reason    *Error
	from      peer
	fetched   time.Time
	since     time.Time // it, or another one with its serial, was held first
	said      time.Time // when the log named it last
	discarded bool      // an operator does not want it: the version itself is gone

	rolledBack bool  // an operator went back from it, see Engine.Rollback
	records    int   // of one that is on disk alone, 0 for not known
	behind     *held // that of a rollback, when the guard holds another one by now
}

// Release has the held version of a zone published. The serial says which one
// was looked at: it fails with ErrOtherHeld if that is not the one held now. It
// returns at once, but for a version that was gone back from: that is read from
// disk and served before it returns.
func (e *Engine) Release(zoneID string, serial uint32) error {
	h := e.heldOf(zoneID)
	if gone := h.rollback(); gone != nil && gone.serial == serial && !gone.discarded && (gone == h || h.serial != serial) {
		return e.undo(zoneID, serial)
	}
	return e.onHeld(zoneID, serial, func(j *job) {
		e.wantLocked(j, wish{now: true, insist: true, release: j.held})
	})
}

// Discard drops the held version of a zone. It is not fetched again before the
// serial has changed.
func (e *Engine) Discard(zoneID string, serial uint32) error {
	var served *zonestore.Served
	err := e.onHeld(zoneID, serial, func(j *job) {
		served = j.served
		e.emitZone(EventDiscarded, j.served, serial)
		e.log.Info("held version discarded", zap.String("zone", j.apex().String()), zap.Uint32("held_serial", serial))
		h := *j.held
		h.received, h.records, h.discarded = received{}, 0, true
		j.held = &h
	})
	if err == nil {
		e.store.Unhold(served, serial) // it may have to wait for the disk, and others not for it
	}
	return err
}

func (e *Engine) onHeld(zoneID string, serial uint32, do func(*job)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[zoneID]
	switch {
	case !ok:
		return ErrUnknownZone
	case j.held == nil || j.held.discarded:
		return ErrNothingHeld
	case j.held.serial != serial:
		return ErrOtherHeld
	}
	do(j)
	return nil
}

// holdLocked keeps what a refresh brought, or what is held already.
func (e *Engine) holdLocked(j *job, r *refreshResult, published bool, now time.Time) {
	log, zone := e.log, zap.Stringer("zone", j.apex())
	switch {
	case r.hold != nil:
		j.held = &held{received: r.received, serial: r.zone.Serial(), reason: r.hold, from: r.from, fetched: now, since: r.heldSince, said: now, behind: j.held.rollback()}
		j.held.changes = nil // it will be published whole
		log.Error("new version held: the one before goes on being served until it is released or discarded",
			zone, zap.String("peer", r.from.label()), zap.String("cause", string(r.hold.Cause)), zap.Error(r.hold),
			zap.Uint32("held_serial", j.held.serial), zap.Uint32("serial", j.served.View().Serial))
	case published && j.held != nil:
		if !r.released && !j.held.discarded {
			log.Info(j.held.replaced(), zone, zap.Uint32("held_serial", j.held.serial), zap.Uint32("serial", r.zone.Serial()))
		}
		j.held = nil
	case j.held != nil && !j.held.discarded && now.Sub(j.held.said) >= max(firstReminder, j.held.said.Sub(j.held.since)):
		j.held.said = now
		log.Error("new version is still held", zone, zap.Duration("age", now.Sub(j.held.since)),
			zap.Uint32("held_serial", j.held.serial), zap.String("cause", string(j.held.reason.Cause)))
	}
}

// replaced is what the log says when another version was published.
func (h *held) replaced() string {
	if h.rolledBack {
		return "rollback ended: a newer version passes"
	}
	return "held version replaced by one that passes"
}

// firstReminder is when the log names a held version again; then at twice the
// age each time.
const firstReminder = time.Hour
