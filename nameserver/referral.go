package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// referral is step 3 b: the current name is at or below a cut, so the answer is
// the cut's NS, not authoritative, with signed DS if there is one (RFC 4035
// section 3.1.4) or the proof that there is none, and the addresses of the servers.
func (r *responder) referral(cut zone.Node) {
	at := r.ownerOf(cut.Name())
	servers, ok := cut.Set(wire.TypeNS)
	if !ok || !r.require(authoritySection, at, servers, false) {
		return
	}
	if ds, ok := cut.Set(wire.TypeDS); !ok {
		r.proveInsecure(cut)
	} else if r.query.edns.do && ds.Signatures() > 0 && !r.require(authoritySection, at, ds, true) {
		return
	}
	if r.giveProofs() && r.glue(cut, servers) {
		r.siblings(cut, servers)
	}
}

// glue adds the addresses of the servers at or below the cut. Without these the
// delegation can't be followed, so the answer is truncated if they do not all
// fit (RFC 9471 section 3).
func (r *responder) glue(cut zone.Node, servers zone.RRset) bool {
	var rdata []byte
	for i, pos := 0, 0; i < servers.Len(); i++ {
		rdata, pos = servers.Record(pos)
		target := plainName(rdata)
		if !target.In(cut.Name()) {
			continue
		}
		node, ok := r.addressesOf(target)
		if !ok {
			continue
		}
		for _, t := range addressTypes {
			if set, ok := node.Set(t); ok && !r.require(additionalSection, owner{name: target}, set, false) {
				return false
			}
		}
	}
	return true
}

// siblings adds the addresses of the servers that are elsewhere in the zone,
// while they fit.
func (r *responder) siblings(cut zone.Node, servers zone.RRset) {
	var rdata []byte
	for i, pos := 0, 0; i < servers.Len(); i++ {
		rdata, pos = servers.Record(pos)
		if target := plainName(rdata); !target.In(cut.Name()) {
			r.addAddresses(owner{name: target}, target)
		}
	}
}
