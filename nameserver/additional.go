package nameserver

import (
	"slices"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// maxAdditions bounds the names whose addresses are looked up for one answer;
// resolvers can ask for the others. It does not bound glue that is required.
const maxAdditions = 32

var addressTypes = [...]uint16{wire.TypeA, wire.TypeAAAA}

// additions is the scratch of the additional section.
type additions struct {
	lookups int
	given   [maxAdditions]uint64 // hashes of the names whose addresses are in the answer
	count   int
	names   wire.Suffixes
	folded  [wire.MaxName]byte
}

func (a *additions) reset() { a.lookups, a.count = 0, 0 }

// targetAt returns how many octets of RDATA of type t come before the name whose
// addresses are of use to whoever asked for it.
func targetAt(t uint16) (head int, ok bool) {
	switch t {
	case wire.TypeNS:
		return 0, true
	case wire.TypeMX, wire.TypeSVCB, wire.TypeHTTPS:
		return 2, true
	case wire.TypeSRV:
		return 6, true
	}
	return 0, false
}

// additionalOf adds the addresses of the names in set, which is the answer,
// while they fit (RFC 1034 section 4.3.2 step 6).
func (r *responder) additionalOf(set zone.RRset) {
	head, ok := targetAt(set.Type)
	if !ok {
		return
	}
	var rdata []byte
	for i, pos := 0, 0; i < set.Len() && r.additions.lookups < maxAdditions; i++ {
		rdata, pos = set.Record(pos)
		target := plainName(rdata[min(head, len(rdata)):])
		switch {
		case len(target) == 0:
		case len(target) > 1:
			r.addAddresses(owner{name: target}, target)
		case set.Type == wire.TypeSVCB || set.Type == wire.TypeHTTPS:
			// RFC 9460 section 2.5: the root stands for the owner itself.
			r.addAddresses(r.ownerOf(r.current), r.current)
		}
	}
}

// addAddresses adds the addresses of target, if it is in the zone and they fit;
// never twice. Signatures may be left out for want of room without TC (RFC 4035
// section 3.1.1).
func (r *responder) addAddresses(at owner, target wire.Name) {
	a := &r.additions
	if a.lookups == maxAdditions {
		return
	}
	a.lookups++
	node, ok := r.addressesOf(target)
	hash := a.names.Hash(0)
	if !ok || slices.Contains(a.given[:a.count], hash) {
		return
	}
	a.given[a.count] = hash
	a.count++
	for _, t := range addressTypes {
		set, ok := node.Set(t)
		if !ok {
			continue
		}
		if !r.msg.addSet(additionalSection, at, set, r.query.edns.do, maxTTL) && set.Signatures() > 0 {
			r.msg.addSet(additionalSection, at, set, false, maxTTL)
		}
	}
}

// addressesOf finds the node of a name that other records refer to, or the
// wildcard that stands for it. Below a cut it is glue; below a DNAME it is hidden.
func (r *responder) addressesOf(target wire.Name) (zone.Node, bool) {
	if !target.In(r.zone.Apex()) {
		return zone.Node{}, false
	}
	a := &r.additions
	a.names.Set(wire.AppendFolded(a.folded[:0], target), r.seed)
	m := r.zone.Find(&a.names)
	if m.Exact || m.Covered {
		return m.Node, m.Exact && (!m.Covered || m.Above.IsCut())
	}
	return r.zone.Wildcard(m, &a.names)
}
