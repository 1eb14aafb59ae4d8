package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// findNSEC3 returns the node of the chain that matches a folded name, or else
// the one that covers it.
func (r *responder) findNSEC3(name wire.Name) (n zone.Node, matches, ok bool) {
	p, _ := r.zone.NSEC3()
	h := r.proofs.hashed.Hash(name, p)
	return r.zone.NSEC3Before(&h)
}

// coverNSEC3 adds the NSEC3 record that covers a folded name, or matches it.
func (r *responder) coverNSEC3(name wire.Name) {
	if n, _, ok := r.findNSEC3(name); ok {
		r.proofs.add(n)
	}
}

// enclosingNSEC3 proves what can be proved of suffix name of the current name: a
// record that matches it, if it exists and has one. Otherwise a record that
// matches its closest encloser, as far as the chain knows it, and one that
// covers the next closer name (RFC 5155 section 7.2.1). With opt-out, names
// without a record of their own lie between (section 6). It returns the suffix
// that was matched.
func (r *responder) enclosingNSEC3(name int, exists bool) (encloser int, ok bool) {
	encloser = name
	if !exists {
		encloser++
	}
	for last := r.names.Count() - r.zone.Apex().Labels(); encloser <= last; encloser++ {
		n, matches, ok := r.findNSEC3(r.names.Name(encloser))
		if !ok {
			return 0, false
		}
		if !matches {
			continue
		}
		r.proofs.add(n)
		if encloser > name {
			r.coverNSEC3(r.names.Name(encloser - 1))
		}
		return encloser, true
	}
	return 0, false
}
