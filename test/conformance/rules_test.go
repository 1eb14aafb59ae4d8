package conformance

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// exchange is one question with all answers to it.
type exchange struct {
	question *question
	peers    [len(peerNames)]*answer // nil where the peer does not have the zone
	ours     *answer
	whole    *answer // ours by TCP, if the question went by UDP
}

// answers are those that rules change: of the peers that have the zone, and ours.
func (x *exchange) answers() []*answer {
	var all []*answer
	for _, a := range append(x.peers[:], x.ours) {
		if a != nil {
			all = append(all, a)
		}
	}
	return all
}

// rule takes out of all answers alike what right servers may do differently.
type rule struct {
	name   string
	reason string
	// apply changes the answers and says whether there was anything to change.
	apply func(*exchange) bool
}

// rules are applied in this order. docs/conformance.md has the same list.
var rules = []rule{
	{
		"alias into another zone",
		"where the target is in another zone of the same server, NSD follows it, BIND and secondaryd stop, Knot answers from the first zone; resolvers ask for the target themselves",
		each(stopAtZoneEdge),
	},
	{
		"apex NS",
		"a server may put the zone's NS and their addresses beside an answer (RFC 1034 section 6.2) or not",
		dropApexNS,
	},
	{
		"truncated sections",
		"what a truncated answer still holds is of no use (RFC 2181 section 9)",
		each(dropTruncated),
	},
	{
		"glue that does not fit",
		"TC must be set then (RFC 9471 section 3); the peers leave glue out silently",
		excuseMissingGlue,
	},
	{
		"additional by UDP",
		"addresses other than the glue a referral needs may be left out for want of room (RFC 2181 section 9, RFC 9471 section 3); by TCP they are compared",
		eachUDP(dropHelpful),
	},
	{
		"CD copied",
		"BIND copies CD from the query; RFC 4035 section 3.1.6 speaks of resolvers",
		each(dropCD),
	},
	{
		"SOA TTL for QTYPE SOA",
		"BIND sends 0, the others the negative TTL of RFC 2308 section 3",
		each(dropSOATTL),
	},
	{
		"ANY",
		"one RRset or all of them (RFC 8482 section 4.1); ours must be one of all",
		pickOne,
	},
}

func each(change func(*question, *answer) bool) func(*exchange) bool {
	return func(x *exchange) bool {
		changed := false
		for _, a := range x.answers() {
			if change(x.question, a) {
				changed = true
			}
		}
		return changed
	}
}

func eachUDP(change func(*question, *answer) bool) func(*exchange) bool {
	all := each(change)
	return func(x *exchange) bool { return !x.question.form.tcp && all(x) }
}

// drop removes the sets for which the condition holds.
func drop(sets *[]rrset, condition func(rrset) bool) bool {
	before := len(*sets)
	*sets = slices.DeleteFunc(*sets, condition)
	return len(*sets) < before
}

// stopAtZoneEdge ends a chain with the first alias whose target is in another
// zone of the world than its owner.
func stopAtZoneEdge(q *question, a *answer) bool {
	if q.qtype == dns.TypeCNAME {
		return false
	}
	for i, s := range a.answer {
		if s.rtype != dns.TypeCNAME || !q.world.leaves(s) {
			continue
		}
		chain := slices.Clone(a.answer[:i+1])
		for _, sig := range a.answer[i+1:] {
			if sig.isSignature() && slices.ContainsFunc(chain, func(o rrset) bool { return o.owner == sig.owner && o.rtype == sig.covered }) {
				chain = append(chain, sig)
			}
		}
		a.answer, a.authority, a.additional, a.rcode = chain, nil, nil, dns.RcodeSuccess
		return true
	}
	return false
}

// dropApexNS takes the NS of the apex from answers, and from all of them the
// addresses that come with it.
func dropApexNS(x *exchange) bool {
	targets := make(map[string]bool)
	for _, a := range x.answers() {
		if !a.has("aa") || endsWithAlias(x.question, a) {
			continue
		}
		drop(&a.authority, func(s rrset) bool {
			apexNS := s.covers() == dns.TypeNS && x.question.world.apexes[s.owner]
			if apexNS && !s.isSignature() {
				for _, text := range s.text {
					targets[lastField(text)] = true
				}
			}
			return apexNS
		})
	}
	for _, a := range x.answers() {
		drop(&a.additional, func(s rrset) bool { return targets[s.owner] })
	}
	return len(targets) > 0
}

// endsWithAlias says whether there is no answer, but perhaps the referral that an
// alias leads to.
func endsWithAlias(q *question, a *answer) bool {
	n := len(a.answer)
	return n == 0 || a.answer[n-1].rtype == dns.TypeCNAME && q.qtype != dns.TypeCNAME
}

// lastField is the name at the end of a record.
func lastField(text string) string {
	fields := strings.Fields(text)
	return fields[len(fields)-1]
}

func dropTruncated(_ *question, a *answer) bool {
	if !a.has("tc") {
		return false
	}
	a.answer, a.authority, a.additional = nil, nil, nil
	return true
}

// excuseMissingGlue makes the peers' referrals like our truncated one.
func excuseMissingGlue(x *exchange) bool {
	if !x.ours.has("tc") || x.ours.has("aa") {
		return false
	}
	excused := false
	for _, a := range x.peers {
		if a != nil && a.isReferral() {
			truncate(a)
			excused = true
		}
	}
	return excused
}

// truncate makes of an answer what a server sends that has no room.
func truncate(a *answer) {
	if !a.has("tc") {
		a.flags = append(a.flags, "tc")
		slices.SortFunc(a.flags, func(f, g string) int { return slices.Index(flagNames, f) - slices.Index(flagNames, g) })
	}
	a.answer, a.authority, a.additional = nil, nil, nil
}

// dropHelpful leaves only the addresses without which a referral can't be
// followed: of name servers at or below the cut (RFC 9471 section 3).
func dropHelpful(_ *question, a *answer) bool {
	return drop(&a.additional, func(s rrset) bool { return !isRequiredGlue(a, s) })
}

func isRequiredGlue(a *answer, s rrset) bool {
	return a.isReferral() && (s.rtype == dns.TypeA || s.rtype == dns.TypeAAAA) &&
		slices.ContainsFunc(a.authority, func(o rrset) bool {
			return o.rtype == dns.TypeNS && dns.IsSubDomain(o.owner, s.owner)
		})
}

func dropCD(_ *question, a *answer) bool {
	before := len(a.flags)
	a.flags = slices.DeleteFunc(a.flags, func(f string) bool { return f == "cd" })
	return len(a.flags) < before
}

// dropSOATTL hides the TTL of the SOA in an answer that says there is none.
func dropSOATTL(q *question, a *answer) bool {
	if q.qtype != dns.TypeSOA {
		return false
	}
	dropped := false
	for i, s := range a.authority {
		if s.covers() != dns.TypeSOA {
			continue
		}
		fields := strings.Fields(s.text[0])
		fields[1] = "-"
		a.authority[i].text = []string{strings.Join(fields, " ")}
		dropped = true
	}
	return dropped
}

// pickOne replaces an answer to ANY that has more than ours by what we gave of it.
func pickOne(x *exchange) bool {
	if x.question.qtype != dns.TypeANY || len(x.ours.answer) == 0 {
		return false
	}
	picked := false
	for _, a := range x.peers {
		if a == nil {
			continue
		}
		if len(a.answer) > len(x.ours.answer) && holdsAll(a.answer, x.ours.answer) {
			a.answer = x.ours.answer
			picked = true
		}
	}
	return picked
}

func holdsAll(all, some []rrset) bool {
	return !slices.ContainsFunc(some, func(s rrset) bool {
		return !slices.ContainsFunc(all, func(o rrset) bool { return slices.Equal(o.text, s.text) })
	})
}
