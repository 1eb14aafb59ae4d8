package nameserver

import (
	"net/netip"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/ratelimit"
	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/zonestore/zone"
)

// limiter holds answers over UDP to a rate, so that forged queries make the
// server no use against those in whose name they are sent. Workers share it.
type limiter struct {
	table *ratelimit.Table
	start time.Time // what the table's time counts from
	log   *zap.Logger
	lines *rate.Limiter
}

// limitLogRate is the log lines a second about clients that are held back.
const limitLogRate = 5

// newLimiter returns nil if o limits nothing.
func newLimiter(o ratelimit.Options, log *zap.Logger) (*limiter, error) {
	if !o.Limits() {
		return nil, nil
	}
	table, err := ratelimit.New(o)
	if err != nil {
		return nil, err
	}
	return &limiter{
		table: table,
		start: time.Now(),
		log:   log,
		lines: rate.NewLimiter(limitLogRate, limitLogRate),
	}, nil
}

// limit returns what becomes of the answer that was just worked out: the answer
// itself, a truncated one, or none. A client whose cookie is good is no forgery.
func (w *worker) limit(answer []byte) []byte {
	r := w.responder
	if w.limiter == nil || r.transport != UDP || r.cookieGood {
		return answer
	}
	class, alike := r.kind()
	d := w.limiter.table.Decide(r.at.Sub(w.limiter.start), r.client.Addr(), class, alike)
	if d.Started || d.Ended {
		w.limiter.tell(d, class, r.client.Addr(), r.query.name)
	}
	switch {
	case !d.Limited:
		return answer
	case d.Action == ratelimit.Send:
		w.counters.Limited(metrics.LimitLogged)
		return answer
	case d.Action == ratelimit.Slip && class != ratelimit.Error:
		w.counters.Limited(metrics.LimitTruncated)
		return r.truncateAll()
	}
	// An error has no more to say over TCP.
	w.counters.Limited(metrics.LimitDropped)
	return nil
}

// kind says which answers the current one counts with, and what is alike in them.
func (r *responder) kind() (ratelimit.Class, uint64) {
	switch {
	case r.rcode == rcodeNXDomain:
		return ratelimit.NXDomain, r.alike
	case r.rcode != rcodeNoError:
		return ratelimit.Error, 0
	case !r.aa && r.msg.counts[answerSection] == 0:
		return ratelimit.Referral, r.alike
	case r.truncated || r.msg.counts[answerSection] > 0:
		return ratelimit.Positive, r.alike ^ uint64(r.query.qtype)
	}
	return ratelimit.NoData, r.alike
}

// resembles notes the suffix of the query name whose answers are alike: the name
// itself, the delegation or DNAME above it, or the closest encloser, which a
// wildcard hangs on and the proof that there is no such name.
func (r *responder) resembles(m zone.Match) {
	if !r.limits || r.aliases.count > 0 {
		return // of a chain of aliases the first decides
	}
	node := m.Node
	if m.Covered {
		node = m.Above
	}
	suffix := node.Name()
	for i := range r.names.Count() {
		if len(r.names.Name(i)) == len(suffix) {
			r.alike = r.names.Hash(i)
			return
		}
	}
}

// truncateAll takes everything out of a finished answer and sends the client to
// TCP, which a forger can't follow.
func (r *responder) truncateAll() []byte {
	r.msg.dropRecords()
	r.truncated = true
	return r.finish()
}

// tell logs that answers of a class to a client's block are limited, or no longer.
func (l *limiter) tell(d ratelimit.Decision, class ratelimit.Class, client netip.Addr, name wire.Name) {
	if !l.lines.Allow() {
		return
	}
	text := "answers are rate limited"
	if d.Ended {
		text = "answers are no longer rate limited"
	}
	l.log.Info(text, zap.Stringer("clients", l.table.Block(client)), zap.Stringer("answers", class), zap.Stringer("name", name))
}
