package nameserver

import "secondaryd/internal/wire"

// nameError answers that the current name does not exist. It holds for the last
// name of a chain of aliases (RFC 6604 section 3).
func (r *responder) nameError() {
	r.rcode = rcodeNXDomain
	r.negativeSOA()
}

// noData answers that the current name exists without records of the type
// asked for: the response code stays NOERROR.
func (r *responder) noData() { r.negativeSOA() }

// negativeSOA adds the SOA that tells how long the answer may be cached: the
// lesser of its own TTL and MINIMUM (RFC 2308 section 3).
func (r *responder) negativeSOA() {
	set, ok := r.zone.Top().Set(wire.TypeSOA)
	if !ok {
		return
	}
	at := r.ownerOf(r.zone.Apex())
	r.requireUpTo(authoritySection, at, set, r.query.edns.do, min(set.TTL, r.zone.SOA().Minimum))
}
