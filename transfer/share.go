package transfer

import (
	"net/netip"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// share is what one peer address may take of us, however many peers and zones
// name it.
type share struct {
	places  places
	polls   *rate.Limiter
	breaker breaker
	said    time.Time // when the log last told that its polls are late
}

func (e *Engine) shareLocked(addr netip.AddrPort) *share {
	s, ok := e.shares[addr]
	if !ok {
		limit := e.limits.PollsPerSecond
		s = &share{polls: rate.NewLimiter(rate.Limit(limit), max(1, limit/50))}
		e.shares[addr] = s
	}
	return s
}

// placesOf is how many refreshes may begin with one peer address now. Once half
// of all places are taken it is a single one, so that any number of stalled
// addresses leaves room for those that are not.
func (e *Engine) placesOf() int {
	if e.all.taken > maxRefreshes/2 {
		return 1
	}
	return e.limits.RunningPerPeer
}

// choosePeersLocked parts the peers of j into those to be asked, in that order,
// and those that are left out because they do not answer. An order, and a NOTIFY
// of the peer itself, have it asked all the same. When all are left out, again
// is when there may be one to ask.
func (e *Engine) choosePeersLocked(j *job, now time.Time) (ask, leftOut []peer, again time.Time) {
	for _, p := range e.peersLocked(j) {
		b := &e.shareLocked(p.addr).breaker
		until, blocked := b.blocks(now)
		if !blocked || j.wish.insist || j.wish.notified && j.wish.from == p.addr.Addr() {
			ask = append(ask, p)
			continue
		}
		p.fact = fail(StepConnect, CauseLeftOut, "%s", b.cause)
		leftOut = append(leftOut, p)
		if again.IsZero() || until.Before(again) {
			again = until
		}
	}
	if len(ask) > 0 || len(leftOut) == 0 {
		return ask, leftOut, time.Time{}
	}
	// Not all of the peer's zones in the same moment.
	return nil, leftOut, again.Add(time.Duration(e.rand.Float64() * float64(breakerFirst)))
}

// judgeLocked tells the breakers what came of a refresh.
func (e *Engine) judgeLocked(o order, attempts []attempt, now time.Time) {
	for _, p := range o.peers {
		e.shareLocked(p.addr).breaker.probing = false
	}
	for _, a := range attempts {
		b := &e.shareLocked(a.peer.addr).breaker
		switch {
		case a.leftOut:
		case a.err != nil && a.err.silent():
			if b.fail(now, a.err.Cause, e.rand) {
				e.metrics.PeersLeftOut(+1)
				e.emitPeer(EventPeerLeftOut, a.peer.label(), a.err)
				e.log.Warn("peer does not answer: it is left out for a while", zap.String("peer", a.peer.label()),
					zap.Int("failures", b.failures), zap.String("cause", string(a.err.Cause)), zap.Time("until", b.until.UTC()))
			}
		case a.err == nil || a.err.heard():
			if b.answer(now) {
				e.metrics.PeersLeftOut(-1)
				e.emitPeer(EventPeerBack, a.peer.label(), nil)
				e.log.Info("peer answers again", zap.String("peer", a.peer.label()))
			}
		}
	}
}

// heard reports whether the failure, which is not that of a silent peer, shows
// that the peer has answered.
func (e *Error) heard() bool { return e.Step != StepConnect && e.Cause != CauseInternal }
