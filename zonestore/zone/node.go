package zone

import (
	"iter"

	"secondaryd/internal/wire"
)

// none is the parent of the apex.
const none = ^uint32(0)

// node is one name of the zone. Every ancestor of a name up to the apex has a
// node too, with sets 0 if it owns nothing (an empty non-terminal), and comes
// before it.
type node struct {
	name   uint32 // slab reference: size, then the name in wire form
	parent uint32 // number of the node one label up
	sets   uint32 // slab reference of its RRsets, 0 for none
	flags  uint32
}

// What a node's flags say; worked out once, when a version is made.
const (
	flagCut       = 1 << iota // a delegation: NS below the apex
	flagBelowCut              // strictly below a delegation: glue or occluded
	flagDNAME                 // owns a DNAME
	flagBelowName             // strictly below a DNAME: occluded
	flagWildcard              // has a child "*"
	flagHidden                // owns at most NSEC3 and its signatures, like all below: no name of the zone (RFC 5155 section 7.1)
	flagSplit                 // only while building: its records lie in several pieces
	flagVisible               // only while building: its own records make it a name of the zone

	// The upper bits count the children that are names of the zone. A count
	// that has reached the largest number stays there.
	childUnit   = 1 << 8
	maxChildren = 1<<24 - 1
)

// children counts the children that are names of the zone.
func (n *node) children() uint32 { return n.flags / childUnit }

func (n *node) gain() {
	if n.children() < maxChildren {
		n.flags += childUnit
	}
}

// lose takes one child off; false if the count has lost track.
func (n *node) lose() bool {
	if n.children() == maxChildren {
		return false
	}
	n.flags -= childUnit
	return true
}

// isName reports whether the node is a name of the zone.
func (n *node) isName() bool { return n.flags&flagHidden == 0 }

// isDead reports whether neither a query nor a transfer meets the node: what
// made it a name was deleted. It stays, so that no other node's number changes.
func (n *node) isDead() bool { return n.sets == 0 && !n.isName() }

const (
	nodePageBits = 12
	nodePageSize = 1 << nodePageBits
)

// nodes is an array of nodes.
type nodes struct{ pages[node] }

func (n *nodes) at(i uint32) *node { return &n.all[i>>nodePageBits][i&(nodePageSize-1)] }

// edit is at for a node that is about to change.
func (n *nodes) edit(i uint32) *node { return &n.own(int(i >> nodePageBits))[i&(nodePageSize-1)] }

func (n *nodes) len() int {
	if len(n.all) == 0 {
		return 0
	}
	last := len(n.all) - 1
	return last<<nodePageBits + len(n.all[last])
}

func (n *nodes) append(x node) uint32 {
	n.push(x, nodePageSize)
	return uint32(n.len() - 1)
}

func (n *nodes) trim() {
	if last := len(n.all) - 1; last >= 0 {
		n.all[last] = append(make([]node, 0, len(n.all[last])), n.all[last]...)
	}
}

func (n *nodes) octets() int {
	last := len(n.all) - 1
	if last < 0 {
		return 0
	}
	return (last<<nodePageBits + cap(n.all[last])) * nodeSize
}

// Node is a name of a zone. It is a small value, valid as long as its zone.
type Node struct {
	zone *Zone
	i    uint32
}

func (n Node) data() *node { return n.zone.nodes.at(n.i) }

// Name returns the node's name, case as received. The caller must not change it.
func (n Node) Name() wire.Name { return n.zone.nameAt(n.data().name) }

func (z *Zone) nameAt(ref uint32) wire.Name {
	b := z.slab.at(ref)
	return wire.Name(b[1 : 1+int(b[0])])
}

// IsApex reports whether the node is the zone's apex.
func (n Node) IsApex() bool { return n.i == 0 }

// IsCut reports whether the node is a delegation.
func (n Node) IsCut() bool { return n.data().flags&flagCut != 0 }

// IsOccluded reports whether the node lies below a delegation or a DNAME: glue,
// or what nobody is answered. The zone has no authority for it.
func (n Node) IsOccluded() bool { return n.data().flags&(flagBelowCut|flagBelowName) != 0 }

// IsBelowCut reports whether the node lies below a delegation.
func (n Node) IsBelowCut() bool { return n.data().flags&flagBelowCut != 0 }

// IsHidden reports whether the node, and all below it, own nothing but NSEC3
// records: it is no name of the zone (RFC 5155 section 7.1).
func (n Node) IsHidden() bool { return !n.data().isName() }

// Parent returns the node one label up. The apex has none and must not be asked.
func (n Node) Parent() Node { return Node{n.zone, n.data().parent} }

// IsEmpty reports whether the node owns no records (an empty non-terminal).
func (n Node) IsEmpty() bool { return n.data().sets == 0 }

// Set returns the node's RRset of type t.
func (n Node) Set(t uint16) (RRset, bool) {
	for sets := n.cursor(); sets.left > 0; sets.skip() {
		if sets.kind() == t {
			set := sets.set()
			return set, set.count > 0
		}
	}
	return RRset{}, false
}

// Sets yields the node's RRsets by ascending type. A set may consist of
// signatures alone.
func (n Node) Sets() iter.Seq[RRset] {
	return func(yield func(RRset) bool) {
		for sets := n.cursor(); sets.left > 0; {
			if !yield(sets.next()) {
				return
			}
		}
	}
}
