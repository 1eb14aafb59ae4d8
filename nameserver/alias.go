package nameserver

import (
	"slices"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// maxAliases bounds the CNAME records of one answer, those made from a DNAME
// included.
const maxAliases = 16

// aliases is the chain that led from the query name to the current one.
type aliases struct {
	count  int
	seen   [maxAliases + 1]uint64 // hashes of the names so far
	dnames [maxAliases]zone.Node  // those in the answer
	given  int                    // how many they are
	// made holds the names that DNAMEs led to; a new one is made from the one
	// before it.
	made [2][wire.MaxName]byte
}

func (a *aliases) reset(first uint64) {
	a.count, a.given = 0, 0
	a.seen[0] = first
}

// followCNAME writes the CNAME of the current name and goes on with its target.
func (r *responder) followCNAME(at owner, set zone.RRset) bool {
	if r.aliases.count == maxAliases || !r.require(answerSection, at, set, r.query.edns.do) {
		return false
	}
	rdata, _ := set.Record(0)
	return r.follow(plainName(rdata))
}

// follow makes target the current name, if there is something to say of it:
// it is in the zone, and was not looked up before. A chain ends at the zone's
// edge, also where a zone below begins, even if what lies behind is ours too.
func (r *responder) follow(target wire.Name) bool {
	if !target.In(r.zone.Apex()) {
		return false
	}
	if r.lookFor(target); r.nearestZone() != r.served {
		return false
	}
	a := &r.aliases
	hash := r.names.Hash(0)
	if slices.Contains(a.seen[:a.count+1], hash) {
		return false
	}
	a.count++
	a.seen[a.count] = hash
	return true
}

// substitute answers for a name below a DNAME: the DNAME, the CNAME made from
// it, and on with that (RFC 6672 section 3.2).
func (r *responder) substitute(node zone.Node) bool {
	set, ok := node.Set(wire.TypeDNAME)
	if !ok || r.aliases.count == maxAliases {
		return false
	}
	rdata, _ := set.Record(0)
	target := plainName(rdata)
	prefix := r.current[:len(r.current)-len(node.Name())]
	tooLong := len(prefix)+len(target) > wire.MaxName
	if tooLong {
		r.rcode = rcodeYXDomain
	}
	if !r.giveDNAME(node, set) || tooLong {
		return false
	}
	made := &r.aliases.made[r.aliases.count%2]
	name := wire.Name(append(append(made[:0], prefix...), target...))
	// The CNAME has no signature: the DNAME's proves it (RFC 6672 section 5.3.1).
	if !r.msg.addOne(answerSection, r.ownerOf(r.current), wire.ClassIN, wire.TypeCNAME, set.TTL, name) {
		return r.truncate(answerSection)
	}
	if r.query.qtype == wire.TypeCNAME {
		return false // it is what was asked for
	}
	return r.follow(name)
}

// giveDNAME writes the DNAME of node unless an earlier link did.
func (r *responder) giveDNAME(node zone.Node, set zone.RRset) bool {
	a := &r.aliases
	if slices.Contains(a.dnames[:a.given], node) {
		return true
	}
	if !r.require(answerSection, r.ownerOf(node.Name()), set, r.query.edns.do) {
		return false
	}
	a.dnames[a.given] = node
	a.given++
	return true
}
