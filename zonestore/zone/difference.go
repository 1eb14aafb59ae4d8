package zone

import (
	"bytes"
	"iter"

	"secondaryd/internal/wire"
)

// Difference is a record that one version of a zone has and another does not. It
// shares the memory of the version: callers must not change it.
type Difference struct {
	Owner wire.Name
	Type  uint16
	TTL   uint32 // seconds
	Rdata []byte // uncompressed
	Added bool   // the later version has it; else the earlier one
}

// Differences yields what makes the version to of the version from, which must
// have the same apex: name by name in canonical order (RFC 4034 section 6.1), the
// SOA first, then by type with the signatures behind what they sign, and of a set
// what was removed first. A record whose TTL changed is removed and added. The
// case of owners does not count. The time that it takes follows the size of both
// versions, the memory is that of Ordered.
func Differences(from, to *Zone) iter.Seq[Difference] {
	return func(yield func(Difference) bool) {
		next, stop := iter.Pull(to.Ordered())
		defer stop()
		d := differ{yield: yield}
		after, more := next()
		for before := range from.Ordered() {
			order := -1
			for more {
				if order = after.Name().Compare(before.Name()); order >= 0 {
					break
				}
				if !d.node(Node{}, after) {
					return
				}
				after, more = next()
			}
			if !more || order > 0 {
				if !d.node(before, Node{}) {
					return
				}
				continue
			}
			if !d.node(before, after) {
				return
			}
			after, more = next()
		}
		for ; more; after, more = next() {
			if !d.node(Node{}, after) {
				return
			}
		}
	}
}

// differ compares versions name by name. The zero Node has no records.
type differ struct {
	yield         func(Difference) bool
	owner         wire.Name
	before, after []entry
}

// entry is a record of a set.
type entry struct {
	ttl   uint32
	rdata []byte
}

// node compares what the versions have of a name.
func (d *differ) node(before, after Node) bool {
	if before.zone != nil && after.zone != nil && bytes.Equal(before.octets(), after.octets()) {
		return true
	}
	x, y := before.records(), after.records()
	d.owner = nameOf(before, after)
	top := isTop(before, after)
	if top && !d.sets(before.one(wire.TypeSOA), after.one(wire.TypeSOA)) {
		return false
	}
	for x.left > 0 || y.left > 0 {
		var a, b RRset
		t := min(x.peek(), y.peek())
		if x.peek() == t {
			a = x.next()
		}
		if y.peek() == t {
			b = y.next()
		}
		if top && t == wire.TypeSOA {
			continue
		}
		if !d.sets(a, b) {
			return false
		}
	}
	return true
}

func nameOf(before, after Node) wire.Name {
	if before.zone != nil {
		return before.Name()
	}
	return after.Name()
}

func isTop(before, after Node) bool {
	return before.zone != nil && before.IsApex() || after.zone != nil && after.IsApex()
}

func (n Node) records() setCursor {
	if n.zone == nil {
		return setCursor{}
	}
	return n.cursor()
}

// one returns the set of a type, an empty one if there is none.
func (n Node) one(t uint16) RRset {
	if n.zone == nil {
		return RRset{}
	}
	set, _ := n.Set(t)
	return set
}

// peek returns the type of the next set; at the end one above all.
func (c *setCursor) peek() int {
	if c.left == 0 {
		return 1 << 16
	}
	return int(uint16(c.data[0])<<8 | uint16(c.data[1]))
}

// sets compares two sets of a type and then their signatures. An empty set is the
// zero RRset.
func (d *differ) sets(before, after RRset) bool {
	t := max(before.Type, after.Type)
	d.before, d.after = d.before[:0], d.after[:0]
	for rdata := range before.Records() {
		d.before = append(d.before, entry{before.TTL, rdata})
	}
	for rdata := range after.Records() {
		d.after = append(d.after, entry{after.TTL, rdata})
	}
	if !d.entries(t) {
		return false
	}
	d.before, d.after = d.before[:0], d.after[:0]
	for ttl, rdata := range before.Sigs() {
		d.before = append(d.before, entry{ttl, rdata})
	}
	for ttl, rdata := range after.Sigs() {
		d.after = append(d.after, entry{ttl, rdata})
	}
	return d.entries(wire.TypeRRSIG)
}

// entries tells what differs between records of one type, both in order: what is
// gone first.
func (d *differ) entries(t uint16) bool {
	return d.missing(t, d.before, d.after, false) && d.missing(t, d.after, d.before, true)
}

// missing tells of the records that are in some and not in others.
func (d *differ) missing(t uint16, some, others []entry, added bool) bool {
	for _, e := range some {
		for len(others) > 0 && wire.CompareRdata(t, others[0].rdata, e.rdata) < 0 {
			others = others[1:]
		}
		if len(others) > 0 && others[0].ttl == e.ttl && bytes.Equal(others[0].rdata, e.rdata) {
			continue
		}
		if !d.yield(Difference{Owner: d.owner, Type: t, TTL: e.ttl, Rdata: e.rdata, Added: added}) {
			return false
		}
	}
	return true
}
