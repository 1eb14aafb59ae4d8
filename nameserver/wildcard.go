package nameserver

import "secondaryd/zonestore/zone"

// wildcard is step 3 c: the current name does not exist, so the "*" below its
// closest encloser answers for it, and no other (RFC 4592 section 3.3.1). What
// is found there gets the current name as its owner; an empty "*" means that
// the name has no data. NS and DNAME at a wildcard are data like any other:
// they neither delegate nor rename (RFC 4592 section 4.2, RFC 6672 section 3.3).
func (r *responder) wildcard(m zone.Match) bool {
	source, ok := r.zone.Wildcard(m, r.names)
	if !ok {
		r.nameError(m)
		return false
	}
	r.proveExpansion(m)
	return r.answerNode(source)
}
