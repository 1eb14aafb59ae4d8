package transfer

import (
	"cmp"
	"slices"
	"time"

	"secondaryd/zonestore/registry"
)

// try is what is kept of the last attempt with a peer. There is one for each
// zone and peer, so it is small.
type try struct {
	peer    string // id
	err     *Error // nil: it confirmed or renewed the copy
	at      int64  // nanoseconds since 1970
	rtt     time.Duration
	serial  uint32
	known   bool // it told the serial
	leftOut bool // it was not asked
	earlier bool // not in the last refresh
	differs bool // with the serial that it told, which was ours, its content is not

	kind   kind   // of the last transfer, kindNone for none
	ixfr   *Error // why an incremental one before it did not do
	octets int64
	took   time.Duration
}

// keep remembers the last attempt with each peer.
func (j *job) keep(o order, attempts []attempt) {
	for i := range j.tries {
		j.tries[i].earlier = true
	}
	for _, a := range attempts {
		i := slices.IndexFunc(j.tries, func(t try) bool { return t.peer == a.peer.id })
		if i < 0 {
			i = len(j.tries)
			j.tries = append(j.tries, try{peer: a.peer.id})
		}
		j.tries[i].note(a)
	}
	if len(j.tries) > len(o.peers)+len(o.leftOut) {
		j.tries = slices.DeleteFunc(j.tries, func(t try) bool { return !o.has(t.peer) })
	}
}

// note takes what an attempt came to. That the peer was left out does not replace
// what went wrong before, and a poll says nothing of the last transfer.
func (t *try) note(a attempt) {
	t.leftOut, t.earlier = a.leftOut, false
	if a.leftOut && t.at != 0 {
		return
	}
	t.err, t.at = a.err, a.at.UnixNano()
	if a.known {
		t.serial, t.known = a.serial, true
	}
	if a.rtt > 0 {
		t.rtt = a.rtt
	}
	if a.kind != kindNone {
		t.kind, t.ixfr, t.octets, t.took = a.kind, a.ixfr, a.octets, a.took
	}
}

// diverges notes whether the peer of an attempt has other content than ours under
// our serial, and reports whether that is news. An attempt that did not learn the
// SOA says nothing of it.
func (j *job) diverges(a attempt) (news bool) {
	i := slices.IndexFunc(j.tries, func(t try) bool { return t.peer == a.peer.id })
	if i < 0 || !a.known || a.blind {
		return false
	}
	news = a.differs && !j.tries[i].differs
	j.tries[i].differs = a.differs
	return news
}

// renew forgets which peers have other content than ours: ours is another one now.
func (j *job) renew() {
	for i := range j.tries {
		j.tries[i].differs = false
	}
}

// has reports whether the peer is one of those of the order.
func (o *order) has(id string) bool {
	same := func(p peer) bool { return p.id == id }
	return slices.ContainsFunc(o.peers, same) || slices.ContainsFunc(o.leftOut, same)
}

// troubled reports whether a peer failed in the last refresh.
func (j *job) troubled() bool { return slices.ContainsFunc(j.tries, try.failed) }

// failed reports whether the peer did, in the last refresh. One that was not asked for
// want of a turn did not.
func (t try) failed() bool { return t.err != nil && !t.earlier && t.err.Cause != CauseCrowded }

// address returns the present address and port of a peer, empty without one.
func address(r *registry.Registry, id string) string {
	conf, _ := r.Peer(id)
	addr, ok := conf.AddrPort()
	if !ok {
		return ""
	}
	return addr.String()
}

// differsFrom reports whether the peer has other content than the copy with its
// serial. A rollback serves another one without a question to the peer.
func (t try) differsFrom(serial uint32) bool { return t.differs && t.serial == serial }

// status tells what is kept, in the words of who asks; serial is that of the copy.
func (t try) status(r *registry.Registry, serial uint32) Try {
	return Try{
		Peer: t.peer, Address: address(r, t.peer), At: time.Unix(0, t.at), Earlier: t.earlier, LeftOut: t.leftOut, Err: t.err,
		Serial: t.serial, Known: t.known, RTT: t.rtt, Kind: t.kind.String(), IXFR: t.ixfr, Octets: t.octets, Took: t.took,
		Differs: t.differsFrom(serial),
	}
}

func (t try) failure(r *registry.Registry) Failure {
	return Failure{cmp.Or(address(r, t.peer), t.peer), t.err.Step, t.err.Cause, t.err.Error(), time.Unix(0, t.at)}
}
