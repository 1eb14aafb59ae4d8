package transfer

import (
	"context"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore"
)

// finish turns the result of a refresh, which is recorded, into log lines and
// events, and the wish for the next one into a time. old is what was served before.
func (e *Engine) finish(ctx context.Context, j *job, o order, r refreshResult, old *zonestore.View, published bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	j.running, j.stop = false, nil
	e.judgeLocked(o, r.attempts, now)
	e.leaveLocked(j)
	if j.removed {
		e.yieldLocked(j)
		return
	}
	interrupted := ctx.Err() != nil && !r.confirmed
	if interrupted {
		j.wish.join(o.wish) // it was not granted
	} else {
		j.keep(o, r.attempts)
		e.holdLocked(j, &r, published, now)
		j.learn(r.attempts, now)
		e.waitLocked(j, o, &r, now)
	}
	if !o.again.IsZero() && !r.released { // no peer was asked
		j.wish.join(o.wish)
		j.check = o.again
	}
	j.hasten(now)
	e.yieldLocked(j)
	e.scheduleLocked(j)
	if published {
		e.waiters.tell(j.served.ID())
	}
	if !interrupted {
		e.report(j, o, old, r, published)
		e.emitRefresh(o, old, &r, published)
	}
}

// record writes what was learned to the store. It runs without the engine's
// mutex, since a zone may take long to write.
func (e *Engine) record(o order, r *refreshResult) (published bool) {
	now := time.Now()
	t := o.served.Timers()
	if r.released {
		if fetched := o.wish.release.fetched; fetched.After(t.Confirmed) {
			t.Confirmed = fetched
		}
		t.Expires = t.Confirmed.Add(e.limits.Lifetime(r.zone.SOA()))
		return e.publish(o.served, r, t) == nil
	}
	if len(o.peers) > 0 {
		t.Checked = now
	}
	if r.zone != nil && r.hold == nil {
		t.Confirmed, t.Expires = now, now.Add(e.limits.granted(r.zone.SOA(), r.expire))
		return e.publish(o.served, r, t) == nil // else the zone is gone
	}
	if v := o.served.View(); r.confirmed && v.State == zonestore.StateServing {
		t.Confirmed = now
		soa := v.Zone.SOA()
		if at := now.Add(e.limits.granted(soa, r.expire)); at.After(t.Expires) {
			t.Expires = at // a peer nearer to its expiry takes nothing back (RFC 7314 section 4)
		}
		if most := now.Add(e.limits.Lifetime(soa)); most.Before(t.Expires) {
			t.Expires = most // the copy was taken when the settings allowed for more
		}
	}
	e.store.Confirm(o.served, t)
	if r.hold != nil {
		r.heldSince = e.store.Hold(o.served, r.zone.Serial(), now)
	}
	return false
}

// publish hands a version to the store, as the changes that led to it if that
// is how it came.
func (e *Engine) publish(served *zonestore.Served, r *refreshResult, t zonestore.Timers) error {
	if r.changes == nil {
		return e.store.Publish(served, r.zone, t)
	}
	return e.store.Update(served, r.zone, served.View().Serial, r.changes, t)
}

// hintAgain is when a zone is checked once more of which a NOTIFY promised a newer
// version that no peer had: a primary of several processes, or behind a load
// balancer, does not have it everywhere at once.
const hintAgain = 3 * time.Second

// waitLocked sets when j is checked next.
func (e *Engine) waitLocked(j *job, o order, r *refreshResult, now time.Time) {
	v := j.served.View()
	serving := v.State == zonestore.StateServing
	// A copy that expired while it was being confirmed must be fetched again.
	if r.confirmed && serving {
		j.failures = 0
		wait := afterSuccess(j.interval, j.served.Timers().Life(), e.rand)
		if o.wish.hinted && newer(o.wish.serial, v.Serial) && !j.held.keepsBack(o.wish.serial, v.Serial) {
			wait = min(wait, hintAgain)
		}
		j.check = now.Add(wait)
		return
	}
	j.failures++
	retry, left := firstRetry, time.Duration(-1)
	if serving {
		retry, left = e.limits.retry(v.Zone.SOA()), v.Expires.Sub(now)
	}
	j.check = now.Add(afterFailure(int(j.failures), retry, j.interval, e.limits.MaxBackoff, left, e.rand))
}

// report logs and counts what a refresh came to.
func (e *Engine) report(j *job, o order, old *zonestore.View, r refreshResult, published bool) {
	log, zone := e.log, zap.Stringer("zone", j.apex())
	for _, a := range r.attempts {
		if a.ixfr != nil {
			e.metrics.Transferred(kindIXFR.String(), "failed", 0, 0)
			e.countLimit(a.ixfr)
			log.Info("incremental transfer failed: the whole zone was asked for", zone, zap.String("peer", a.peer.label()),
				zap.String("cause", string(a.ixfr.Cause)), zap.Error(a.ixfr), zap.Uint32("old_serial", old.Serial))
		}
		if j.diverges(a) {
			log.Warn("peer has our serial, but other content", zone, zap.String("peer", a.peer.label()),
				zap.Uint32("serial", a.serial))
		}
		if a.err == nil || a.leftOut && a.err.Cause != CauseCrowded {
			continue
		}
		e.countLimit(a.err)
		if a.leftOut && r.confirmed {
			continue // nothing is wrong with the peer, nor the zone
		}
		e.metrics.Failed(string(a.err.Step), string(a.err.Cause))
		if a.kind != kindNone {
			e.metrics.Transferred(a.kind.String(), "failed", 0, 0)
		}
		log.Warn("peer failed", zone, zap.String("peer", a.peer.label()), zap.String("step", string(a.err.Step)),
			zap.String("cause", string(a.err.Cause)), zap.Error(a.err), zap.Uint32("serial", j.served.View().Serial),
			zap.Time("next_try", j.check.UTC()))
	}
	if !r.confirmed && allOlder(r.attempts) {
		log.Error("every primary that answers has an older version than the copy: it is kept, and expires unless one has a newer one",
			zone, zap.Uint32("serial", old.Serial), zap.Time("expires", j.served.View().Expires.UTC()))
	}
	if len(o.peers)+len(o.leftOut) == 0 {
		log.Warn("zone has no peers: there is nobody to transfer it from", zone)
	}
	for _, w := range r.warnings {
		log.Warn("new version is served, but not as it should be", zone, zap.String("peer", r.from.label()),
			zap.String("cause", string(w.Cause)), zap.Error(w), zap.Uint32("serial", r.zone.Serial()))
	}
	if !published {
		if r.confirmed && r.hold == nil {
			log.Debug("zone is up to date", zone, zap.Uint32("serial", old.Serial), zap.Time("next_try", j.check.UTC()))
		}
		return
	}
	j.renew()
	if r.released {
		log.Info("held version released", zone, zap.Uint32("serial", r.zone.Serial()), zap.Uint32("old_serial", old.Serial))
		return
	}
	e.metrics.Transferred(r.kind.String(), "ok", r.took, r.octets)
	log.Info("zone transferred", zone, zap.String("peer", r.from.label()), zap.String("kind", r.kind.String()),
		zap.Uint32("serial", r.zone.Serial()), zap.Uint32("old_serial", old.Serial),
		zap.Int("records", r.zone.Records()), zap.Int64("bytes", r.octets), zap.Duration("duration", r.took))
}

func (e *Engine) countLimit(err *Error) {
	if limit := err.Limit(); limit != "" {
		e.metrics.Limited(limit)
	}
}

// allOlder reports whether all peers that were reached are behind the copy.
func allOlder(attempts []attempt) (older bool) {
	for _, a := range attempts {
		switch {
		case a.err == nil:
			return false
		case a.err.Cause == CauseOlder:
			older = true
		case a.err.heard():
			return false
		}
	}
	return older
}
