package nameserver

import "secondaryd/zonestore/zone"

// answerAny answers QTYPE ANY: one RRset, unless the settings ask for all
// (RFC 8482 section 4.1).
func (r *responder) answerAny(node zone.Node, at owner) bool {
	if r.anyFull {
		return r.answerAll(node, at)
	}
	for set := range node.Sets() {
		if set.Len() > 0 {
			r.require(answerSection, at, set, r.query.edns.do)
			return false
		}
	}
	r.noData(node)
	return false
}

// answerAll gives all RRsets of the node. ANY asks for signatures too, so they
// do not depend on DO.
func (r *responder) answerAll(node zone.Node, at owner) bool {
	some := false
	for set := range node.Sets() {
		if !r.require(answerSection, at, set, true) {
			return false
		}
		some = true
	}
	if !some {
		r.noData(node)
	}
	return false
}
