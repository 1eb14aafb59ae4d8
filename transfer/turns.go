package transfer

import (
	"context"
	"time"
)

// turns has a refresh keep to what may be asked of a peer.
type turns interface {
	// place returns when the refresh has a place with p, in place of the one that it
	// had with another peer.
	place(ctx context.Context, p peer) error
	// poll returns when p may be asked for a serial.
	poll(ctx context.Context, p peer) error
}

// turnPatience is how long a refresh waits for its turn with a peer that is not its
// first, for which it has waited in a queue. Another peer, or the next try, is better then.
const turnPatience = 30 * time.Second

// jobTurns are the turns of one refresh of a job.
type jobTurns struct {
	engine  *Engine
	job     *job
	order   bool   // it waits for nothing
	granted *share // may be polled once: the turn came before the refresh began; nil for none
}

// turnsOf are those of the refresh of j that is about to begin.
func (e *Engine) turnsOf(j *job) *jobTurns {
	t := &jobTurns{engine: e, job: j, order: j.wish.order()}
	if j.hasTurn() {
		t.granted = j.holds
	}
	return t
}

func (t *jobTurns) place(ctx context.Context, p peer) error {
	granted, err := t.engine.move(t.job, p, t.order)
	if granted == nil || err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, turnPatience, crowded())
	defer cancel()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		t.engine.stay(t.job)
		return context.Cause(ctx)
	}
}

func (t *jobTurns) poll(ctx context.Context, p peer) error {
	wait := t.reserve(p, time.Now())
	if wait > turnPatience {
		return crowded()
	}
	if wait <= 0 {
		return nil
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

// reserve returns how long p must be left alone; if that is longer than the refresh
// waits, nothing is reserved.
func (t *jobTurns) reserve(p peer, now time.Time) time.Duration {
	t.engine.mu.Lock()
	defer t.engine.mu.Unlock()
	s, ok := t.engine.shares[p.addr]
	if !ok || s == t.granted || t.order {
		t.granted = nil
		return 0
	}
	r := s.polls.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > turnPatience {
		r.CancelAt(now)
	}
	return wait
}

func crowded() *Error {
	return fail(StepConnect, CauseCrowded, "no turn within %s", turnPatience)
}

// move gives back the place that the refresh of j has, and takes one with p. It holds
// none while it waits, so that refreshes on their way from one peer to another never
// wait for each other. The channel is closed when it has its place; nil: it has it. While
// many refreshes are under way none waits: it would keep zones of other peers from theirs.
func (e *Engine) move(j *job, p peer, order bool) (granted <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.shareLocked(p.addr)
	if j.holds == s {
		return nil, nil
	}
	e.leaveShareLocked(j)
	limit := e.placesOf()
	if s.places.taken >= limit && !order && e.all.taken > maxRefreshes/2 {
		return nil, crowded()
	}
	if s.places.enter(j, limit, order) {
		j.holds = s
		return nil, nil
	}
	turn := make(chan struct{})
	j.queued, e.moves[j] = &s.places, turn
	return turn, nil
}

// stay ends the wait of a refresh for a place, which may have come in the same moment.
func (e *Engine) stay(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.moves[j]; ok {
		delete(e.moves, j)
		j.queued = nil
	}
}
