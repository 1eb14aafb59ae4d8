package transfer

import (
	"context"
	"time"
)

// turnPatience is how long a refresh waits for its turn with a peer that is not its
// first, for which it has waited in a queue. Another peer, or the next try, is better then.
const turnPatience = 30 * time.Second

// turns has the refresh of a job keep to what may be asked of a peer.
type turns struct {
	engine  *Engine
	job     *job
	order   bool   // it waits for nothing
	granted *share // may be polled once: the turn came before the refresh began; nil for none
}

// turnsOf are those of the refresh of j that is about to begin.
func (e *Engine) turnsOf(j *job) *turns {
	t := &turns{engine: e, job: j, order: j.wish.order(), granted: j.paced}
	if j.granted {
		t.granted = j.holds
	}
	return t
}

// enter returns when p may be asked, for its serial first if polls is set: the
// refresh has a place with it then, in place of the one that it had before.
func (t *turns) enter(ctx context.Context, p peer, polls bool) error {
	if polls {
		if err := t.poll(ctx, p); err != nil {
			return err
		}
	}
	granted, err := t.engine.moveTo(t.job, p, t.order)
	if granted == nil || err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, turnPatience, crowded("no place within %s", turnPatience))
	defer cancel()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		t.engine.stay(t.job)
		return context.Cause(ctx)
	}
}

// poll returns when p may be asked for a serial. The place with the peer before is given
// back for that time: others may need it.
func (t *turns) poll(ctx context.Context, p peer) error {
	wait, err := t.reserve(p, time.Now())
	if err != nil || wait <= 0 {
		return err
	}
	turn := time.NewTimer(wait)
	defer turn.Stop()
	select {
	case <-turn.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve returns how long p must be left alone, or why the refresh does not wait for
// that.
func (t *turns) reserve(p peer, now time.Time) (wait time.Duration, err error) {
	e := t.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.shares[p.addr]
	if !ok || s == t.granted || t.order {
		t.granted = nil
		return 0, nil
	}
	r := s.polls.ReserveN(now, 1)
	wait = r.DelayFrom(now)
	switch {
	case wait > turnPatience, wait > 0 && e.all.taken > maxRefreshes/2:
		r.CancelAt(now)
		return 0, crowded("its next turn for a poll is in %s, with %d refreshes under way", wait.Round(time.Second), e.all.taken)
	case wait > 0:
		e.leaveShareLocked(t.job)
	}
	return wait, nil
}

// crowded is the failure of a peer that was not asked for want of a turn.
func crowded(format string, args ...any) *Error {
	return fail(StepConnect, CauseCrowded, format, args...)
}

// moveTo gives back the place that the refresh of j has, and takes one with p. It holds
// none while it waits, so that refreshes on their way from one peer to another never
// wait for each other. The channel is closed when it has its place; nil: it has it. While
// many refreshes are under way none waits: it would keep zones of other peers from theirs.
func (e *Engine) moveTo(j *job, p peer, order bool) (granted <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.shareLocked(p.addr)
	if j.holds == s {
		return nil, nil
	}
	e.leaveShareLocked(j)
	limit := e.placesOf()
	if s.places.taken >= limit && !order && e.all.taken > maxRefreshes/2 {
		return nil, crowded("%d refreshes are under way", e.all.taken)
	}
	if s.places.enter(j, limit, order) {
		j.holds = s
		return nil, nil
	}
	m := move{share: s, turn: make(chan struct{})}
	j.queued, e.moves[j] = &s.places, m
	return m.turn, nil
}

// move is a refresh on its way to another peer.
type move struct {
	share *share
	turn  chan struct{} // closed when it has its place
}

// stay ends the wait of a refresh for a place, which may have come in the same moment.
func (e *Engine) stay(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m, ok := e.moves[j]; ok {
		delete(e.moves, j)
		j.queued = nil
		m.share.places.forget(j)
	}
}
