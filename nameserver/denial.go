package nameserver

import (
	"slices"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// maxProofs is more than any answer needs: three for its end and one for each
// alias that came from a wildcard.
const maxProofs = maxAliases + 4

// proofs collects the owners of the NSEC or NSEC3 records that prove what an
// answer says does not exist. They are written at once, behind the answer
// section: a chain of aliases may need some before its last link is known.
type proofs struct {
	owners [maxProofs]zone.Node
	count  int
	given  int // how many of them are written

	expanded bool       // the current name is answered from a wildcard
	match    zone.Match // where it fell, if so
	hashed   zone.NSEC3Hasher
}

func (p *proofs) reset() { p.count, p.given, p.expanded = 0, 0, false }

// add notes an owner, once.
func (p *proofs) add(n zone.Node) {
	if p.count < maxProofs && !slices.Contains(p.owners[:p.count], n) {
		p.owners[p.count] = n
		p.count++
	}
}

// signedWith says which kind of record proves absence in the zone: NSEC, NSEC3,
// or 0 if the client did not ask for proofs or the zone has none.
func (r *responder) signedWith() uint16 {
	if !r.query.edns.do {
		return 0
	}
	if r.zone.HasNSEC() {
		return wire.TypeNSEC
	}
	if _, ok := r.zone.NSEC3(); ok {
		return wire.TypeNSEC3
	}
	return 0
}

// giveProofs writes what has been collected since it was called last. It comes
// before anything in the additional section.
func (r *responder) giveProofs() bool {
	p := &r.proofs
	t := r.signedWith()
	for ; p.given < p.count; p.given++ {
		n := p.owners[p.given]
		set, ok := n.Set(t)
		if ok && !r.require(authoritySection, owner{name: n.Name()}, set, true) {
			return false
		}
	}
	return true
}

// proveNoName proves that the current name does not exist, nor a wildcard that
// could stand for it (RFC 4035 section 3.1.3.2, RFC 5155 section 7.2.2).
func (r *responder) proveNoName(m zone.Match) {
	switch r.signedWith() {
	case wire.TypeNSEC:
		r.coverNSEC(r.names.Name(0))
		r.coverNSEC(r.wildcardOf(m.Depth))
	case wire.TypeNSEC3:
		if encloser, ok := r.enclosingNSEC3(m.Depth-1, false); ok {
			r.coverNSEC3(r.wildcardOf(encloser))
		}
	}
}

// proveNoData proves that the current name, which is node's or has the wildcard
// node stand for it, has no records of the type asked for.
func (r *responder) proveNoData(node zone.Node) {
	if r.proofs.expanded {
		r.proveNoWildcardData(node)
		return
	}
	switch r.signedWith() {
	case wire.TypeNSEC: // RFC 4035 section 3.1.3.1
		r.matchNSEC(node, r.names.Name(0))
	case wire.TypeNSEC3: // RFC 5155 sections 7.2.3 and 7.2.4
		r.enclosingNSEC3(0, true)
	}
}

// proveNoWildcardData is for a wildcard that has no data (RFC 4035 section
// 3.1.3.4, RFC 5155 section 7.2.5). That no closer name exists was proved when
// it was expanded.
func (r *responder) proveNoWildcardData(node zone.Node) {
	depth := r.proofs.match.Depth
	switch r.signedWith() {
	case wire.TypeNSEC:
		r.matchNSEC(node, r.wildcardOf(depth))
	case wire.TypeNSEC3:
		if encloser, ok := r.enclosingNSEC3(depth-1, false); ok {
			r.coverNSEC3(r.wildcardOf(encloser))
		}
	}
}

// proveExpansion proves that no name exists which would answer rather than the
// wildcard (RFC 4035 section 3.1.3.3, RFC 5155 section 7.2.6).
func (r *responder) proveExpansion(m zone.Match) {
	r.proofs.expanded, r.proofs.match = true, m
	switch r.signedWith() {
	case wire.TypeNSEC:
		r.coverNSEC(r.names.Name(0))
	case wire.TypeNSEC3:
		r.coverNSEC3(r.names.Name(m.Depth - 1))
	}
}

// proveInsecure proves that a delegation has no DS (RFC 4035 section 3.1.4.1,
// RFC 5155 section 7.2.7).
func (r *responder) proveInsecure(cut zone.Node) {
	depth := r.names.Count() - cut.Name().Labels()
	switch r.signedWith() {
	case wire.TypeNSEC:
		r.matchNSEC(cut, r.names.Name(depth))
	case wire.TypeNSEC3:
		r.enclosingNSEC3(depth, true)
	}
}

// wildcardOf makes the wildcard name below suffix depth of the current name. It
// is valid until the next call.
func (r *responder) wildcardOf(depth int) wire.Name {
	return append(append(r.wild[:0], 1, '*'), r.names.Name(depth)...)
}

// matchNSEC adds the NSEC record of node, or where node owns none, as an empty
// non-terminal, the one that covers its name.
func (r *responder) matchNSEC(node zone.Node, name wire.Name) {
	if _, ok := node.Set(wire.TypeNSEC); ok {
		r.proofs.add(node)
		return
	}
	r.coverNSEC(name)
}

// coverNSEC adds the NSEC record that covers a folded name, or matches it.
func (r *responder) coverNSEC(name wire.Name) { r.proofs.add(r.zone.NSECBefore(name)) }
