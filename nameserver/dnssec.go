package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// nearestZone is step 2: the zone that is the nearest ancestor of the query
// name. DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1): at
// the apex of a zone it is asked of the zone above, if that is ours too.
func (r *responder) nearestZone() *zonestore.Served {
	served, depth := r.deepestZone()
	if served == nil || depth > 0 || r.query.qtype != wire.TypeDS || r.names.Count() == 0 {
		return served
	}
	if parent, _ := r.zones.Find(r.names, 1); parent != nil {
		return parent
	}
	return served
}

// deepestZone returns the zone that the current name is in, and the label where
// the zone's name begins.
func (r *responder) deepestZone() (*zonestore.Served, int) {
	if f := r.foreseen; f != nil && r.names == &f.names {
		return f.served, f.depth
	}
	return r.zones.Find(r.names, 0)
}

// asksForDSOf reports whether the query is for the DS of the cut that m is.
func (r *responder) asksForDSOf(m zone.Match) bool {
	return r.query.qtype == wire.TypeDS && m.Exact && m.Above == m.Node
}

// hasSignatures reports whether the node owns any RRSIG record.
func hasSignatures(node zone.Node) bool {
	for set := range node.Sets() {
		if set.Signatures() > 0 {
			return true
		}
	}
	return false
}

// answerSignatures answers a query for RRSIG: all of the node's, as one RRset.
func (r *responder) answerSignatures(node zone.Node, at owner) {
	mark, added := len(r.msg.buf), 0
	for set := range node.Sets() {
		if !r.msg.addSignatures(&at, set, maxTTL) {
			r.msg.buf = r.msg.buf[:mark]
			r.truncate(answerSection)
			return
		}
		added += set.Signatures()
	}
	r.msg.counts[answerSection] += uint16(added)
}
