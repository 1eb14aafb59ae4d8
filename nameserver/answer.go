package nameserver

import (
	"bytes"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// answerFromZones is the algorithm of RFC 1034 section 4.3.2 as an
// authoritative server without recursion follows it. Step 1 and step 4 of it
// are about recursion and caches, step 5 about nothing here.
func (r *responder) answerFromZones() []byte {
	r.lookForQuestion()
	if bytes.Equal(r.names.Name(0), r.query.name) {
		// All in lower case: the hashes hold for the question as it was written.
		r.msg.names.enterLater(r.names, questionAt)
	}
	served := r.nearestZone()
	if served == nil {
		return r.fail(rcodeRefused, extendedError{code: extendedNotAuthoritative})
	}
	r.asked = served
	r.giveReportChannel()
	view := served.View()
	switch view.State {
	case zonestore.StateServing:
	case zonestore.StateExpired:
		return r.fail(rcodeServFail, extendedError{extendedInvalidData, "zone copy has expired"})
	default:
		return r.fail(rcodeServFail, extendedError{code: extendedNotReady})
	}
	r.served, r.zone = served, view.Zone
	if r.query.edns.asked != 0 {
		r.giveZoneOptions(view)
	}
	r.aliases.reset(r.names.Hash(0))
	r.additions.reset()
	r.proofs.reset()
	for r.step() {
	}
	if !r.truncated {
		r.giveProofs() // of a chain that ended with an alias
	}
	return r.finish()
}

// lookForQuestion makes the query name the one that is looked up.
func (r *responder) lookForQuestion() {
	if r.foreseen == nil {
		r.lookFor(r.query.name)
		return
	}
	r.current, r.names = r.query.name, &r.foreseen.names
}

// lookFor makes name the one that is looked up. Its memory must last.
func (r *responder) lookFor(name wire.Name) {
	r.msg.names.enterNow() // r.own may be what waits for it
	r.current, r.names = name, &r.own
	r.own.Set(wire.AppendFolded(r.folded[:0], name), r.seed)
}

// step is step 3: it looks the current name up in the zone and writes what is
// found. It reports true if that was an alias, whose target is now the current
// name.
func (r *responder) step() bool {
	r.proofs.expanded = false
	m := r.zone.Find(r.names)
	r.resembles(m)
	if m.Covered && m.Above.IsCut() && !r.asksForDSOf(m) {
		r.referral(m.Above) // step 3 b
		return false
	}
	// The first name decides about AA (RFC 6604 section 2).
	r.aa = true
	if m.Covered && !m.Above.IsCut() {
		return r.substitute(m.Above)
	}
	if m.Exact {
		return r.answerNode(m.Node) // step 3 a
	}
	return r.wildcard(m) // step 3 c
}

// answerNode answers from a node: that of the current name, or the wildcard
// that stands for it.
func (r *responder) answerNode(node zone.Node) bool {
	at := r.ownerOf(r.current)
	switch r.query.qtype {
	case wire.TypeANY:
		return r.answerAny(node, at)
	case wire.TypeRRSIG:
		if hasSignatures(node) {
			r.answerSignatures(node, at)
			return false
		}
	}
	if set, ok := node.Set(r.query.qtype); ok {
		if r.require(answerSection, at, set, r.query.edns.do) && r.giveProofs() {
			r.additionalOf(set)
		}
		return false
	}
	if set, ok := node.Set(wire.TypeCNAME); ok {
		return r.followCNAME(at, set)
	}
	r.noData(node)
	return false
}

// ownerOf says how to write name, which is the current name or an ancestor of
// it: as long as that is the query name, by pointing into the question.
func (r *responder) ownerOf(name wire.Name) owner {
	suffix := r.current[len(r.current)-len(name):]
	if r.aliases.count == 0 && len(suffix) > 1 {
		return owner{at: questionAt + len(r.current) - len(suffix)}
	}
	return owner{name: suffix}
}
