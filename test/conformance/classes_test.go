package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// disagreement is a class of questions that the peers answer differently, so
// that ours need only be one of the answers.
type disagreement struct {
	name  string
	holds func(*exchange) bool
}

// disagreements are tried in this order. docs/conformance.md says more of each.
var disagreements = []disagreement{
	{"NS at a wildcard", func(x *exchange) bool { return x.question.zone.refusedBy["BIND"] }},
	{"NUL octet in a name", func(x *exchange) bool {
		return bytes.IndexByte(x.question.name[:len(x.question.name)-1], 0) >= 0 && x.knotIsAlone()
	}},
	{"long chain or loop of aliases", isLongChain},
	{"truncation", func(x *exchange) bool { return x.differ(func(a *answer) string { return fmt.Sprint(a.has("tc")) }) }},
	{"NSEC, NSEC3 or RRSIG at an alias", func(x *exchange) bool { return x.asksForProof() && x.some(hasAlias) }},
	{"ANY at an alias", func(x *exchange) bool { return x.question.qtype == dns.TypeANY && x.some(hasAlias) }},
	{"ANY", func(x *exchange) bool { return x.question.qtype == dns.TypeANY }},
	{"NSEC or RRSIG at a cut", func(x *exchange) bool { return x.asksForProof() && x.some((*answer).isReferral) }},
	{"RRSIG", func(x *exchange) bool { return x.question.qtype == dns.TypeRRSIG && x.differ(answerText) }},
	{"existence", func(x *exchange) bool { return x.differ(func(a *answer) string { return fmt.Sprint(a.rcode) }) }},
	{"helpful addresses", func(x *exchange) bool { return !x.differ(withoutAdditional) }},
	{"proofs", func(x *exchange) bool { return !x.differ(withoutProofs) }},
	{"other", func(*exchange) bool { return true }},
}

// classify names a disagreement of the peers, who is with whom, and with whom
// we are.
func classify(x *exchange, texts map[string][]string) string {
	at := slices.IndexFunc(disagreements, func(d disagreement) bool { return d.holds(x) })
	var sides []string
	for _, name := range peerNames {
		for text, who := range texts {
			if who[0] != name {
				continue
			}
			if text == x.ours.String() {
				who = append(slices.Clone(who), "secondaryd")
			}
			sides = append(sides, strings.Join(who, "="))
		}
	}
	return disagreements[at].name + ": " + strings.Join(sides, " / ")
}

// some says whether the condition holds for the answer of a peer.
func (x *exchange) some(condition func(*answer) bool) bool {
	return slices.ContainsFunc(x.peers[:], func(a *answer) bool { return a != nil && condition(a) })
}

// differ says whether the peers' answers differ in what text shows of them.
func (x *exchange) differ(text func(*answer) string) bool {
	var first *answer
	for _, a := range x.peers {
		switch {
		case a == nil:
		case first == nil:
			first = a
		case text(a) != text(first):
			return true
		}
	}
	return false
}

// knotIsAlone says whether the two others agree.
func (x *exchange) knotIsAlone() bool {
	nsd, knot, bind := x.peers[0], x.peers[1], x.peers[2]
	return nsd != nil && knot != nil && bind != nil && nsd.String() == bind.String()
}

func (x *exchange) asksForProof() bool {
	return slices.Contains([]uint16{dns.TypeNSEC, dns.TypeNSEC3, dns.TypeRRSIG}, x.question.qtype)
}

func hasAlias(a *answer) bool {
	return holds(a.answer, dns.TypeCNAME) || holds(a.answer, dns.TypeDNAME)
}

// isLongChain says whether a peer gave up on a chain or gave a record twice.
func isLongChain(x *exchange) bool {
	return x.some(func(a *answer) bool {
		twice := slices.ContainsFunc(a.answer, func(s rrset) bool { return s.rtype == dns.TypeCNAME && len(s.text) > 1 })
		return twice || a.rcode == dns.RcodeServerFailure || countAliases(a) >= shortChain
	})
}

func answerText(a *answer) string { return fmt.Sprint(a.answer) }

func withoutAdditional(a *answer) string {
	b := *a
	b.additional = nil
	return b.String()
}

func withoutProofs(a *answer) string {
	b := *a
	b.authority = slices.DeleteFunc(slices.Clone(a.authority), isProof)
	return b.String()
}

func isProof(s rrset) bool { return s.covers() == dns.TypeNSEC || s.covers() == dns.TypeNSEC3 }
