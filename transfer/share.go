package transfer

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// share is what one peer address may take of us, however many peers and zones
// name it.
type share struct {
	places  places
	polls   *rate.Limiter // gives each poll its time
	begun   *rate.Limiter // of polls whose time has come
	breaker breaker
	said    time.Time // when the log last told that its polls are late
	addr    netip.AddrPort
	zones   int // that are refreshed from it; one with two peers there counts twice
}

// pollTurns is how many turns of polls a second has, see together. A turn and a half at
// most begins at once: with less, what a late turn missed would be lost.
const pollTurns = int(time.Second / together)

// catchUp is how much faster than their rate polls begin that were held up. At the rate
// itself what is late once would stay so.
const catchUp = 1.03

func (e *Engine) shareLocked(addr netip.AddrPort) *share {
	s, ok := e.shares[addr]
	if !ok {
		limit := e.limits.PollsPerSecond
		s = &share{
			addr:  addr,
			polls: rate.NewLimiter(rate.Limit(limit), max(1, limit/pollTurns)),
			begun: rate.NewLimiter(rate.Limit(limit)*catchUp, max(2, limit*3/2/pollTurns)),
		}
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

// choice is which of its peers a zone is refreshed from.
type choice struct {
	peers   []peer    // to be asked, in that order
	leftOut []peer    // not to be asked now, because they do not answer
	again   time.Time // when one of those may be, if all are left out
}

// chooseLocked parts the peers of j into those to be asked and those that are left
// out. An order, and a NOTIFY of the peer itself, have it asked all the same.
func (e *Engine) chooseLocked(j *job, now time.Time) (c choice) {
	peers := e.peersLocked(j)
	e.attachLocked(j, peers)
	for i, p := range peers {
		b := &j.shares[i].breaker
		until, blocked := b.blocks(now)
		if !blocked || j.wish.insist || j.wish.notified && j.wish.from == p.addr.Addr() {
			c.peers = append(c.peers, p)
			continue
		}
		p.fact = fail(StepConnect, CauseLeftOut, "%s", b.cause)
		c.leftOut = append(c.leftOut, p)
		if c.again.IsZero() || until.Before(c.again) {
			c.again = until
		}
	}
	if len(c.peers) > 0 || len(c.leftOut) == 0 {
		c.again = time.Time{}
		return c
	}
	// Not all of the peer's zones in the same moment.
	c.again = c.again.Add(time.Duration(e.rand.Float64() * float64(breakerFirst)))
	return c
}

// attachLocked notes which addresses j is refreshed from.
func (e *Engine) attachLocked(j *job, peers []peer) {
	if slices.EqualFunc(j.shares, peers, func(s *share, p peer) bool { return s.addr == p.addr }) {
		return
	}
	before := j.shares
	j.shares = make([]*share, len(peers))
	for i, p := range peers {
		j.shares[i] = e.shareLocked(p.addr)
		j.shares[i].zones++
	}
	e.detachLocked(before)
}

// detachLocked notes that a zone is no longer refreshed from these addresses. What is
// known of one that no zone is refreshed from is forgotten.
func (e *Engine) detachLocked(shares []*share) {
	for _, s := range shares {
		if s.zones--; s.zones == 0 {
			e.backLocked(s, time.Time{})
			e.sweepLocked(s)
		}
	}
}

// sweepLocked forgets an address that is not used, once no refresh is with it.
func (e *Engine) sweepLocked(s *share) {
	if s.zones == 0 && s.places.taken == 0 {
		delete(e.shares, s.addr)
	}
}

// backLocked ends that an address is left out, and reports whether it was. It answered
// at that time, zero if that is not why.
func (e *Engine) backLocked(s *share, answered time.Time) bool {
	if !s.breaker.answer(answered) {
		return false
	}
	e.metrics.PeersLeftOut(-1)
	e.emitPeer(EventPeerBack, s.addr.String(), nil)
	return true
}

// judgeLocked tells the breakers what came of a refresh.
func (e *Engine) judgeLocked(o order, attempts []attempt, now time.Time) {
	for _, p := range o.peers {
		if s, ok := e.shares[p.addr]; ok {
			s.breaker.probing = false
		}
	}
	for _, a := range attempts {
		s, ok := e.shares[a.peer.addr]
		if !ok || s.zones == 0 {
			continue
		}
		switch b := &s.breaker; {
		case a.leftOut:
		case a.err != nil && a.err.silent():
			if b.fail(now, a.err.Cause, e.rand) {
				e.metrics.PeersLeftOut(+1)
				e.emitPeer(EventPeerLeftOut, a.peer.label(), a.err)
				e.log.Warn("peer does not answer: it is left out for a while", zap.String("peer", a.peer.label()),
					zap.Int("failures", b.failures), zap.String("cause", string(a.err.Cause)), zap.Time("until", b.until.UTC()))
			}
		case a.err == nil || a.err.heard():
			if e.backLocked(s, now) {
				e.log.Info("peer answers again", zap.String("peer", a.peer.label()))
			}
		}
	}
}

// heard reports whether the failure, which is not that of a silent peer, shows
// that the peer has answered.
func (e *Error) heard() bool { return e.Step != StepConnect && e.Cause != CauseInternal }
