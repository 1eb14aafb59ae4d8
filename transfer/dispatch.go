package transfer

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"secondaryd/internal/background"
	"secondaryd/zonestore"
)

// dispatchLocked starts the refresh of j, or has it wait for its turn.
func (e *Engine) dispatchLocked(j *job, now time.Time) {
	if j.heldUp(now) {
		j.check = now.Add(together)
		return
	}
	c := e.chooseLocked(j, now)
	if !c.again.IsZero() && j.wish.release == nil {
		j.check = c.again
		return
	}
	var addr netip.AddrPort
	if len(c.peers) > 0 {
		addr = c.peers[0].addr
	}
	s := e.shareLocked(addr)
	if wait := e.pollWait(j, s, len(c.peers) > 1, now); wait > 0 {
		j.check = now.Add(wait)
		return
	}
	if !s.places.enter(j, e.placesOf(), j.wish.order()) {
		j.queued = &s.places
		return
	}
	j.holds = s
	e.enterLocked(j, c)
}

// peersLocked returns the peers of j in the order in which they are to be asked.
func (e *Engine) peersLocked(j *job) []peer {
	peers := e.resolver.peersOf(j.served.ID())
	for i, p := range peers {
		if until, ok := j.whole[p.addr]; ok && time.Now().Before(until) {
			peers[i].ixfr = false
		}
	}
	if j.wish.from.IsValid() {
		first(peers, j.wish.from)
	}
	return peers
}

// pollWait returns how long j must wait for the poll rate of its peer. A zone
// without a copy asks for the transfer, unless the newest of several is to be found.
func (e *Engine) pollWait(j *job, s *share, several bool, now time.Time) time.Duration {
	polls := j.served.View().State == zonestore.StateServing || several && e.limits.AskAll
	if j.granted || j.paced == s || !polls {
		return 0
	}
	j.paced = s
	if wait := e.reservePoll(j, s, now); wait > 0 {
		return wait
	}
	if j.heldUp(now) {
		return together
	}
	return 0
}

// heldUp reports whether j, whose time for a poll has come, must not begin yet. On a
// machine that is busy otherwise the times of many polls may pass before they are looked
// at: then they do not begin together all the same. Nothing else is looked at
// meanwhile, for there may be many.
func (j *job) heldUp(now time.Time) bool {
	return j.paced != nil && !j.paced.begun.AllowN(now, 1)
}

// reservePoll gives j its place among the polls of a peer, and returns how far off it
// is.
func (e *Engine) reservePoll(j *job, s *share, now time.Time) time.Duration {
	wait := s.polls.ReserveN(now, 1).DelayFrom(now)
	if wait > pollsLate && now.Sub(s.said) > pollsLate {
		s.said = now
		e.log.Warn("more zones are due than may be polled: raise transfer.soa_queries_per_second_per_peer, or the zones' auto_refresh_seconds",
			zap.String("zone", j.apex().String()), zap.Duration("wait", wait), zap.Int("limit", e.limits.PollsPerSecond))
	}
	return wait
}

// pollsLate is how late a poll may be before the log says so, and how often.
const pollsLate = time.Minute

// enterLocked starts j, which has its place with a peer, unless too many
// refreshes are under way.
func (e *Engine) enterLocked(j *job, c choice) {
	if !e.all.enter(j, maxRefreshes, j.wish.order()) {
		j.queued = &e.all
		return
	}
	e.startLocked(j, c)
}

func (e *Engine) startLocked(j *job, c choice) {
	o := order{apex: j.apex(), served: j.served, choice: c, wish: j.wish, newest: e.limits.AskAll, datagrams: e.limits.IXFRByUDP, guard: e.limits.Guard, held: j.held}
	if j.shrink != nil {
		o.guard.ShrinkPercent = int(*j.shrink)
	}
	if o.wish.release != j.held {
		o.wish.release = nil // it is held no longer
	}
	for _, p := range o.peers {
		e.shareLocked(p.addr).breaker.probe()
	}
	o.turns = e.turnsOf(j)
	j.queued, j.wish, j.granted, j.paced = nil, wish{}, false, nil
	j.begin(time.Now())
	ctx, cancel := context.WithCancel(e.ctx)
	j.stop = cancel
	e.workers.Go(func() {
		defer cancel()
		var work background.Work
		defer work.End()
		o.work = &work
		r := e.refresh(ctx, o)
		old := o.served.View()
		published := e.record(o, &r)
		if work.Long() {
			e.finishApart(ctx, j, o, r, old, published)
			return
		}
		e.finish(ctx, j, o, r, old, published)
	})
}

// finishApart is finish for a thread that stands back, which must not hold the
// mutex that NOTIFY needs.
func (e *Engine) finishApart(ctx context.Context, j *job, o order, r refreshResult, old *zonestore.View, published bool) {
	var done sync.WaitGroup
	done.Go(func() { e.finish(ctx, j, o, r, old, published) })
	done.Wait()
}

// refresh contains a panic in one zone's refresh: the others go on.
func (e *Engine) refresh(ctx context.Context, o order) (r refreshResult) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("refresh panicked", zap.String("zone", o.apex.String()), zap.Any("panic", p), zap.Stack("stack"))
			r = refreshResult{attempts: []attempt{{err: fail(StepCheck, CauseInternal, "panic: %v", p), at: time.Now()}}}
		}
	}()
	return refresh(ctx, e.client, o)
}

// leaveLocked gives back the places of j and starts those that get them.
func (e *Engine) leaveLocked(j *job) {
	if next := e.all.leave(maxRefreshes); next != nil {
		e.startLocked(next, e.chooseLocked(next, time.Now()))
	}
	e.leaveShareLocked(j)
}

// unqueueLocked takes j out of the queue that it waits in, if any.
func (e *Engine) unqueueLocked(j *job) {
	if j.queued == &e.all {
		e.leaveShareLocked(j)
	}
	j.queued = nil
}

// leaveShareLocked gives back the place of j, if it has one, and has the zone go on that
// gets it.
func (e *Engine) leaveShareLocked(j *job) {
	s := j.holds
	if s == nil {
		return
	}
	j.holds = nil
	next := s.places.leave(e.limits.RunningPerPeer)
	if next == nil {
		e.sweepLocked(s)
		return
	}
	next.holds, next.queued = s, nil
	if m, ok := e.moves[next]; ok {
		delete(e.moves, next)
		close(m.turn)
		return
	}
	e.enterLocked(next, e.chooseLocked(next, time.Now()))
}
