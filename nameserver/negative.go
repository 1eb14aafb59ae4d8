package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// nameError answers that the current name does not exist. It holds for the last
// name of a chain of aliases (RFC 6604 section 3).
func (r *responder) nameError(m zone.Match) {
	r.rcode = rcodeNXDomain
	r.proveNoName(m)
	r.negativeSOA()
}

// noData answers that the current name exists without records of the type
// asked for: the response code stays NOERROR. The node is that of the name, or
// the wildcard that stands for it.
func (r *responder) noData(node zone.Node) {
	r.proveNoData(node)
	r.negativeSOA()
}

// negativeSOA adds the proofs and before them the SOA that tells how long the answer may be cached: the
// lesser of its own TTL and MINIMUM (RFC 2308 section 3).
func (r *responder) negativeSOA() {
	set, ok := r.zone.Top().Set(wire.TypeSOA)
	if !ok {
		return
	}
	at := r.ownerOf(r.zone.Apex())
	if r.requireUpTo(authoritySection, at, set, r.query.edns.do, min(set.TTL, r.zone.SOA().Minimum)) {
		r.giveProofs()
	}
}
