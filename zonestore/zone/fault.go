package zone

import (
	"fmt"
	"iter"
	"slices"

	"secondaryd/internal/wire"
)

// FaultKind is a way in which records break a rule about what a zone may hold.
// Such a zone can be served, but not as whoever wrote it meant it.
type FaultKind uint8

// The kinds.
const (
	FaultCNAME      FaultKind = iota // RFC 1034 section 3.6.2, RFC 4035 section 2.5
	FaultCNAMEs                      // RFC 2181 section 10.1
	FaultDNAMEs                      // RFC 6672 section 2.4
	FaultDNAMEAtCut                  // RFC 6672 section 2.3
	FaultBelowDNAME                  // RFC 6672 section 2.4
	FaultDSAtApex                    // RFC 4035 section 2.4
	faultKinds
)

// String tells people what the fault is.
func (k FaultKind) String() string {
	switch k {
	case FaultCNAME:
		return "CNAME beside other records"
	case FaultCNAMEs:
		return "more than one CNAME record"
	case FaultDNAMEs:
		return "more than one DNAME record"
	case FaultDNAMEAtCut:
		return "DNAME beside the NS records of a delegation"
	case FaultBelowDNAME:
		return "names below a DNAME"
	case FaultDSAtApex:
		return "DS record at the apex"
	default:
		return fmt.Sprintf("fault %d", uint8(k))
	}
}

// Fault is a fault of a version of a zone.
type Fault struct {
	Owner wire.Name // in the version's memory
	Kind  FaultKind
	// Old tells that the version before has a fault of that kind at that name.
	Old bool
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s", f.Owner, f.Kind) }

// faultSet has bit k for FaultKind k.
type faultSet uint16

func (s *faultSet) put(k FaultKind, there bool) {
	if there {
		*s |= 1 << k
	}
}

func (s faultSet) has(k FaultKind) bool { return s&(1<<k) != 0 }

// Faults yields the faults of the zone, parents before their children. Base is
// the version before, to tell the old faults from the new, or nil. What hides
// below a delegation or a DNAME is looked at like all else, so that which faults
// a version has follows from its records alone. Most zones are known to have
// none since they were built: they are not looked at again.
func (z *Zone) Faults(base *Zone) iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		if !z.suspect {
			return
		}
		for i := range uint32(z.nodes.len()) {
			found := z.faultsAt(i)
			if found == 0 {
				continue
			}
			var old faultSet
			if base != nil {
				old = base.faultsOf(z.nodeName(i))
			}
			if !z.tellFaults(i, found, old, yield) {
				return
			}
		}
	}
}

// Faults yields the faults of the version that Finish made, of those names whose
// faults the changes may have changed: all its new ones, and some old. What it
// takes follows the number of changes and not the size of the zone.
func (d *Delta) Faults() iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		for _, i := range d.concerned() {
			var old faultSet
			if d.was(i) {
				old = d.base.faultsAt(i)
			}
			if !d.zone.tellFaults(i, d.zone.faultsAt(i), old, yield) {
				return
			}
		}
	}
}

// concerned returns the nodes that changes reached, and the DNAMEs above them,
// whose faults depend on what is below.
func (d *Delta) concerned() []uint32 {
	nodes := slices.Clone(d.touched)
	for _, i := range d.touched {
		for i != 0 {
			i = d.zone.nodes.at(i).parent
			if d.zone.nodes.at(i).flags&flagDNAME != 0 {
				nodes = append(nodes, i)
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// tellFaults yields the faults found at node i; false if no more are wanted.
func (z *Zone) tellFaults(i uint32, found, old faultSet, yield func(Fault) bool) bool {
	for k := range faultKinds {
		if found.has(k) && !yield(Fault{z.nodeName(i), k, old.has(k)}) {
			return false
		}
	}
	return true
}

// faultsOf returns the faults at a name, which need not be there.
func (z *Zone) faultsOf(name wire.Name) faultSet {
	n, ok := z.FindName(name.Fold())
	if !ok {
		return 0
	}
	return z.faultsAt(n.i)
}

// faultsAt returns the faults at node i.
func (z *Zone) faultsAt(i uint32) (found faultSet) {
	n := Node{z, i}
	alias, other := false, false
	for sets := n.cursor(); sets.left > 0; {
		set := sets.next()
		if set.count == 0 {
			continue
		}
		switch set.Type {
		case wire.TypeCNAME:
			alias = true
			found.put(FaultCNAMEs, set.count > 1)
		case wire.TypeDNAME:
			found.put(FaultDNAMEs, set.count > 1)
			found.put(FaultDNAMEAtCut, n.IsCut())
			found.put(FaultBelowDNAME, n.data().children() > 0)
		case wire.TypeDS:
			found.put(FaultDSAtApex, n.IsApex())
		}
		other = other || !besideCNAME(set.Type)
	}
	found.put(FaultCNAME, alias && other)
	return found
}

// besideCNAME reports whether records of type t may stand beside a CNAME: what
// signs and denies, and keys (RFC 4035 section 2.5), also in their older forms.
// NSEC3 belongs to the hash of another name.
func besideCNAME(t uint16) bool {
	switch t {
	case wire.TypeCNAME, wire.TypeRRSIG, wire.TypeNSEC, wire.TypeNSEC3, wire.TypeKEY, wire.TypeSIG, wire.TypeNXT:
		return true
	}
	return false
}
