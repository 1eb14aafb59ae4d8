package conformance

import (
	"slices"

	"github.com/miekg/dns"
)

// choices are for questions on which the peers disagree and none of them is
// answered like us: what we have chosen there.
var choices = []rule{
	{
		"long chain",
		"of a long chain of aliases NSD gives all, Knot 5, BIND 11 with SERVFAIL, secondaryd 16; compared are 5",
		shortenChains,
	},
	{
		"proof behind an alias",
		"NSD leaves out some NSEC or NSEC3 records for a target that does not exist or has no data (RFC 4035 section 3.1.3, RFC 5155 section 7.2)",
		excuseMissingProof,
	},
	{
		"ANY that does not fit",
		"BIND gives all or TC, the others one RRset that fits, each another one; by TCP it is compared with all",
		excuseTruncatedANY,
	},
	{
		"truncated behind the zone's edge",
		"NSD follows an alias into another zone, and what it finds there does not fit",
		excuseTruncatedTarget,
	},
	{
		"many helpful addresses",
		"of the addresses for a big set NSD and Knot give all, BIND none beyond 13 names, secondaryd those of 32",
		excuseBoundedHelp,
	},
}

// shortChain is how many aliases all servers follow.
const shortChain = 5

// shortenChains cuts chains down to what all servers give of them.
func shortenChains(x *exchange) bool {
	cut := false
	for _, a := range x.answers() {
		if x.ours.has("tc") && countAliases(a) >= shortChain {
			truncate(a)
			a.rcode = dns.RcodeSuccess
			cut = true
			continue
		}
		if countAliases(a) < shortChain {
			continue
		}
		aliases := 0
		end := slices.IndexFunc(a.answer, func(s rrset) bool {
			if s.rtype == dns.TypeCNAME {
				aliases++
			}
			return aliases == shortChain
		})
		a.answer, a.authority, a.additional, a.rcode = a.answer[:end+1], nil, nil, dns.RcodeSuccess
		cut = true
	}
	return cut
}

func countAliases(a *answer) int {
	count := 0
	for _, s := range a.answer {
		if s.rtype == dns.TypeCNAME {
			count++
		}
	}
	return count
}

// excuseMissingProof makes an answer like ours that lacks nothing but proofs of
// what is at the end of a chain.
func excuseMissingProof(x *exchange) bool {
	if !hasAlias(x.ours) {
		return false
	}
	excused := false
	for _, a := range x.peers {
		if a == nil || !holdsAll(x.ours.authority, a.authority) {
			continue
		}
		lacking := slices.DeleteFunc(slices.Clone(x.ours.authority), func(s rrset) bool { return holdsAll(a.authority, []rrset{s}) })
		if !slices.ContainsFunc(lacking, func(s rrset) bool { return !isProof(s) }) {
			a.authority = x.ours.authority
			excused = true
		}
	}
	return excused
}

// helpLimit is how many names secondaryd looks up the addresses of for one
// answer.
const helpLimit = 32

// excuseBoundedHelp leaves out addresses that are not glue when there are very
// many of them.
func excuseBoundedHelp(x *exchange) bool {
	if len(x.ours.additional) < helpLimit {
		return false
	}
	return each(dropHelpful)(x)
}

// excuseTruncatedANY makes a truncated answer to ANY like ours.
func excuseTruncatedANY(x *exchange) bool {
	return x.question.qtype == dns.TypeANY && len(x.ours.answer) > 0 && x.excuse(func(a *answer) bool { return a.has("tc") })
}

// excuseTruncatedTarget makes a truncated answer like ours that stops at the
// zone's edge.
func excuseTruncatedTarget(x *exchange) bool {
	leaves := slices.ContainsFunc(x.ours.answer, func(s rrset) bool {
		return s.rtype == dns.TypeCNAME && x.question.world.leaves(s)
	})
	return leaves && x.excuse(func(a *answer) bool { return a.has("tc") })
}

// excuse makes those peers' answers like ours for which the condition holds.
func (x *exchange) excuse(condition func(*answer) bool) bool {
	excused := false
	for i, a := range x.peers {
		if a != nil && condition(a) {
			x.peers[i] = x.ours
			excused = true
		}
	}
	return excused
}
