// Package zone holds the served form of a DNS zone: immutable, compiled, and
// free of Go pointers per name or record, so that the garbage collector has
// nothing to scan and readers need no lock.
//
// A Builder takes the records of a transfer in any order and makes a Zone; a
// Zone answers where a name falls (exact, below a cut, below a DNAME, missing
// with its closest encloser) and gives whole RRsets in wire form. Nothing here
// does I/O, reads a clock or logs. A Zone is safe for any number of readers; a
// Builder belongs to one goroutine.
package zone

import (
	"iter"
	"sync/atomic"

	"secondaryd/internal/wire"
)

// Zone is one version of a zone. It never changes. There may be hundreds of thousands
// of them: its fields are in an order that leaves hardly a gap.
type Zone struct {
	apex    wire.Name // case as received
	labels  uint8     // of the apex
	suspect bool      // a record is of a kind that can break a rule, see Faults
	// extended tells that a Delta of this version writes behind the end of its
	// slab; the memory there is given away once.
	extended atomic.Bool
	soa      SOA
	dead     uint32 // nodes without a use; see node.isDead
	seed     uint64
	records  int
	waste    int // octets of the slab without a use
	slab     slab
	nodes    nodes
	index    index
	*chains

	// plain is what PlainRecords has counted, 0 for nothing yet.
	plain atomic.Int64
}

// Apex returns the zone's name. The caller must not change it.
func (z *Zone) Apex() wire.Name { return z.apex }

// Serial returns the serial of the zone's SOA.
func (z *Zone) Serial() uint32 { return z.soa.Serial }

// SOA returns the numbers of the zone's SOA.
func (z *Zone) SOA() SOA { return z.soa }

// Records counts the resource records of the zone, the SOA once.
func (z *Zone) Records() int { return z.records }

// Names counts the names of the zone, empty non-terminals included.
func (z *Zone) Names() int { return z.nodes.len() - int(z.dead) }

// Octets returns how much memory the zone takes.
func (z *Zone) Octets() int {
	return z.slab.octets() + z.nodes.octets() + z.index.octets() + z.nsec.octets() + z.nsec3.octets() + len(z.apex)
}

// Top returns the node of the apex.
func (z *Zone) Top() Node { return Node{z, 0} }

// All yields every node, the apex first and each parent before its children.
func (z *Zone) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for i := range uint32(z.nodes.len()) {
			if !z.nodes.at(i).isDead() && !yield(Node{z, i}) {
				return
			}
		}
	}
}
