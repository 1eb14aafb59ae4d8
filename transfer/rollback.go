package transfer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// What a rollback can fail with, beside ErrUnknownZone.
var (
	ErrNoCopy    = errors.New("there is no copy of the zone")
	ErrNoVersion = zonestore.ErrNoVersion
	ErrServed    = errors.New("the version is the present one")
	ErrOutOfTime = errors.New("the version would have expired by now")
)

// Rollback serves an earlier version of a zone again: the one with that serial,
// or with nil the one before the served version. It returns its serial when this
// is on disk. The version that was served until then is held, see held.rolledBack:
// no peer's word brings it back, only Release, a forced transfer, or a newer
// serial. by says for the log whose order it is.
//
// A rollback confirms nothing: the zone expires when no primary has been heard for
// the EXPIRE of the version that is served then. A rollback may follow another, and
// one to the version that is held is its release.
func (e *Engine) Rollback(ctx context.Context, zoneID string, serial *uint32, by string) (to uint32, err error) {
	if served, ok := e.store.Get(zoneID); ok {
		if _, err := e.target(served, serial); err != nil {
			return 0, err // and no refresh is ended for it
		}
	}
	j, err := e.claim(ctx, zoneID)
	if err != nil {
		return 0, err
	}
	defer e.unclaim(j)
	from := j.served.View()
	if to, err = e.target(j.served, serial); err != nil {
		return 0, err
	}
	if gone := e.heldOf(zoneID).rollback(); gone != nil && to == gone.serial {
		return to, e.reinstate(j, to)
	}
	z, t, err := e.earlier(j, to)
	if err != nil {
		return 0, err
	}
	if err := e.store.Rollback(j.served, z, t); err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	j.goBack(from, by)
	e.log.Info("zone rolled back: what was served is held until it is released, or a newer version comes", zap.String("zone", j.apex().String()),
		zap.Uint32("serial", to), zap.Uint32("old_serial", from.Serial), zap.Uint32("held_serial", j.held.rollback().serial), zap.String("by", by))
	e.emitServed(EventRolledBack, j.served, from)
	return to, nil
}

// target chooses the version to go back to.
func (e *Engine) target(served *zonestore.Served, serial *uint32) (uint32, error) {
	present := served.View()
	if present.State == zonestore.StateEmpty {
		return 0, ErrNoCopy
	}
	if serial != nil && *serial == present.Serial {
		return 0, ErrServed
	}
	list, err := e.store.Versions(served)
	if err != nil {
		return 0, err
	}
	for i, v := range list {
		switch {
		case serial != nil && v.Serial == *serial:
			return v.Serial, nil
		case serial == nil && v.Serial == present.Serial && i+1 < len(list):
			return list[i+1].Serial, nil
		}
	}
	return 0, ErrNoVersion
}

// earlier reads a version that is to be served again, and says how long it may be.
func (e *Engine) earlier(j *job, serial uint32) (*zone.Zone, zonestore.Timers, error) {
	t := j.served.Timers()
	z, err := e.store.Version(j.served, serial)
	if errors.Is(err, zonestore.ErrNoVersion) {
		return nil, t, ErrNoVersion
	}
	if err != nil {
		return nil, t, err
	}
	expires := t.Confirmed.Add(e.limits.Lifetime(z.SOA()))
	if t.Expires.Before(expires) && e.granted(j.served, t.Life()) {
		expires = t.Expires // the primary has no longer itself (RFC 7314 section 4)
	}
	if !time.Now().Before(expires) {
		return nil, t, ErrOutOfTime
	}
	t.Expires = expires
	return z, t, nil
}

// granted reports whether a zone has so long to live by the word of a primary, which
// is less than what its SOA says.
func (e *Engine) granted(served *zonestore.Served, life time.Duration) bool {
	now := served.View()
	z := now.Zone
	if z == nil { // it has expired
		var err error
		if z, err = e.store.Version(served, now.Serial); err != nil {
			return false
		}
	}
	return life+time.Second < e.limits.Lifetime(z.SOA())
}

// releaseTimeout is how long the release of a version that was gone back from
// waits for a refresh that is under way.
const releaseTimeout = 20 * time.Second

// undo serves the version again that was gone back from.
func (e *Engine) undo(zoneID string, serial uint32) error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	j, err := e.claim(ctx, zoneID)
	if err != nil {
		return err
	}
	defer e.unclaim(j)
	if gone := e.heldOf(zoneID).rollback(); gone == nil || gone.serial != serial {
		return ErrNothingHeld // decided otherwise meanwhile
	}
	return e.reinstate(j, serial)
}

// reinstate ends a rollback of a zone that is claimed.
func (e *Engine) reinstate(j *job, serial uint32) error {
	from := j.served.View()
	z, t, err := e.earlier(j, serial)
	if err != nil {
		return err
	}
	if err := e.store.Publish(j.served, z, t); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	j.held = nil
	e.log.Info("held version released", zap.String("zone", j.apex().String()), zap.Uint32("serial", serial), zap.Uint32("old_serial", from.Serial))
	e.emitServed(EventReleased, j.served, from)
	return nil
}

// claim has the caller, in place of a refresh, write to a zone: one that runs is
// ended, and one that waits for its turn comes after unclaim, which must follow.
// What it was wanted for is not lost.
func (e *Engine) claim(ctx context.Context, zoneID string) (*job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[zoneID]
	if !ok {
		return nil, ErrUnknownZone
	}
	if _, ok := e.claims[j]; ok || j.claimed {
		return nil, ErrBusy
	}
	if j.running {
		return j, e.awaitLocked(ctx, j)
	}
	e.unqueueLocked(j)
	j.running, j.claimed, j.stop = true, true, func() {}
	return j, nil
}

// awaitLocked ends the refresh of j and takes its place when it has ended.
func (e *Engine) awaitLocked(ctx context.Context, j *job) error {
	turn := make(chan struct{})
	e.claims[j] = turn
	j.stop()
	e.mu.Unlock()
	var err error
	select {
	case <-turn:
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.mu.Lock()
	switch {
	case err == nil && j.removed:
		return ErrUnknownZone
	case err == nil:
		return nil
	case e.claims[j] == nil: // its turn has come all the same
		e.endClaimLocked(j)
	}
	delete(e.claims, j)
	return err
}

// yieldLocked gives j, whose refresh has ended, to who waits for it.
func (e *Engine) yieldLocked(j *job) {
	turn, ok := e.claims[j]
	if !ok {
		return
	}
	delete(e.claims, j)
	if !j.removed {
		j.running, j.claimed, j.stop = true, true, func() {}
	}
	close(turn)
}

// unclaim ends a claim. The zone is checked at once: a primary may have something
// better by now.
func (e *Engine) unclaim(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endClaimLocked(j)
	e.waiters.tell(j.served.ID())
}

func (e *Engine) endClaimLocked(j *job) {
	j.running, j.claimed, j.stop = false, false, nil
	if j.removed {
		return
	}
	now := time.Now()
	j.check = now
	j.hasten(now)
	e.scheduleLocked(j)
}

// goBack notes that the zone was rolled back from a version: of several rollbacks
// in a row that which the first began with is the one to be kept from coming back.
// A version that the guard holds is held still.
func (j *job) goBack(from *zonestore.View, by string) {
	if j.held.rollback() != nil {
		return
	}
	gone := goneBackFrom(from.Serial, time.Now(), "by the token "+by)
	if from.Zone != nil {
		gone.records = from.Zone.Records()
	}
	if j.held == nil {
		j.held = gone
		return
	}
	kept := *j.held
	kept.behind = gone
	j.held = &kept
}

// goneBackFrom makes the held version of a rollback. The version itself is on
// disk.
func goneBackFrom(serial uint32, since time.Time, details string) *held {
	return &held{
		serial: serial, since: since, said: since, rolledBack: true,
		reason: fail(StepCheck, CauseRolledBack, "%s", details),
	}
}

// rollback returns the version that was gone back from: the held one, or the one
// behind it; nil for none.
func (h *held) rollback() *held {
	switch {
	case h == nil || h.rolledBack:
		return h
	default:
		return h.behind
	}
}

// keepsBack reports whether a version with that serial, which a peer has, is not
// to be taken while ours is served: it is held, or not newer than what was gone
// back from.
func (h *held) keepsBack(serial, ours uint32) bool {
	if h == nil {
		return false
	}
	if serial == h.serial {
		return true
	}
	gone := h.rollback()
	return gone != nil && (serial == gone.serial || newer(serial, ours) && !newer(serial, gone.serial))
}

// restoreHeld has a zone that was rolled back before the last start go on as it
// was.
func (e *Engine) restoreHeld(j *job) {
	if from, since, ok := e.store.RolledBack(j.served); ok {
		j.held = goneBackFrom(from, since, "before the daemon was started")
		j.held.said = time.Now()
	}
}
