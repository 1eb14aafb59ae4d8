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

// has reports whether the peer is one of those of the order.
func (o *order) has(id string) bool {
	same := func(p peer) bool { return p.id == id }
	return slices.ContainsFunc(o.peers, same) || slices.ContainsFunc(o.leftOut, same)
}

// troubled reports whether a peer failed in the last refresh.
func (j *job) troubled() bool { return slices.ContainsFunc(j.tries, try.failed) }

func (t try) failed() bool { return t.err != nil && !t.earlier }

// address returns the present address and port of a peer, empty without one.
func address(r *registry.Registry, id string) string {
	conf, _ := r.Peer(id)
	addr, ok := conf.AddrPort()
	if !ok {
		return ""
	}
	return addr.String()
}

// status tells what is kept, in the words of who asks.
func (t try) status(r *registry.Registry) Try {
	return Try{
		Peer: t.peer, Address: address(r, t.peer), At: time.Unix(0, t.at), Earlier: t.earlier, LeftOut: t.leftOut, Err: t.err,
		Serial: t.serial, Known: t.known, RTT: t.rtt, Kind: t.kind.String(), IXFR: t.ixfr, Octets: t.octets, Took: t.took,
	}
}

func (t try) failure(r *registry.Registry) Failure {
	return Failure{cmp.Or(address(r, t.peer), t.peer), t.err.Step, t.err.Cause, t.err.Error(), time.Unix(0, t.at)}
}
