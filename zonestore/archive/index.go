package archive

import (
	"cmp"
	"slices"
)

// place is where a record lies. Segment 0 stands for the zone's own file, of
// which size is the length if that fits; the zero place is none.
type place struct {
	segment, offset, size uint32
}

func (p place) ownFile() bool { return p.segment == 0 && p.size > 0 }

// link is a delta of a chain.
type link struct {
	seq, prev uint64
	place     place
	serial    uint32
}

// entry is what is known of a zone's records: its base (a whole copy, or the
// removal of one) and the deltas that lead on from there. It is kept small:
// there may be a million.
type entry struct {
	base      place
	serial    uint32 // at the end of the chain
	seq       uint64 // of the base
	records   uint32 // of the zone in all segments, those that no longer count too
	damaged   uint32 // the segment where one that counts was found damaged
	removed   bool
	abandoned bool // what there is belongs to a zone that was removed, see Archive.Delete
	// rolledBack tells that an operator had the base take the place of a newer
	// version, see Archive.Rollback.
	rolledBack bool
	chain      *chain // nil while there are neither deltas nor older generations
}

// chain is what an entry has besides its base.
type chain struct {
	links  []link
	octets int64
	from   uint32   // serial of the base
	older  *history // nil for none
}

// links returns the deltas in order.
func (e *entry) links() []link {
	if e.chain == nil {
		return nil
	}
	return e.chain.links
}

// last returns the seq of the chain's last record.
func (e *entry) last() uint64 {
	if links := e.links(); len(links) > 0 {
		return links[len(links)-1].seq
	}
	return e.seq
}

// there reports whether the entry stands for a copy, be it damaged.
func (e *entry) there() bool {
	return !e.abandoned && (e.damaged != 0 || e.base.size > 0 && !e.removed)
}

// more returns what the entry has besides its base, made if need be.
func (e *entry) more() *chain {
	if e.chain == nil {
		e.chain = &chain{from: e.serial}
	}
	return e.chain
}

// at returns where the entry keeps that place, nil if the record there no
// longer counts. A removal counts while there are records that it hides.
func (e *entry) at(p place) *place {
	if e.base == p && (!e.removed || e.records > 1) {
		return &e.base
	}
	if at := placeOf(e.links(), p); at != nil {
		return at
	}
	for i := range e.older() {
		g := &e.older()[i]
		if g.base == p {
			return &g.base
		}
		if at := placeOf(g.links, p); at != nil {
			return at
		}
	}
	return nil
}

// placeOf returns where the links keep that place, nil if they do not.
func placeOf(links []link, p place) *place {
	for i := range links {
		if links[i].place == p {
			return &links[i].place
		}
	}
	return nil
}

// heldBy reports whether the copy depends on what is in that segment.
func (e *entry) heldBy(number uint32) bool {
	return e.damaged == number || e.base.segment == number && e.base.size > 0 || linksIn(e.links(), number)
}

func linksIn(links []link, number uint32) bool {
	return slices.ContainsFunc(links, func(l link) bool { return l.place.segment == number })
}

// add appends a delta to the chain.
func (e *entry) add(l link) {
	c := e.more()
	c.links = append(c.links, l)
	c.octets += int64(l.place.size)
	e.serial = l.serial
}

// index knows every zone's entry and the segments they lie in.
type index struct {
	entries  map[key]*entry
	segments map[uint32]*segment
	versions int // of a zone that are kept

	// before says at the start which seq the base of an entry follows; it holds
	// those alone that follow one.
	before map[key]uint64
}

// entry returns the entry of a zone, made if need be.
func (x *index) entry(k key) *entry {
	e, ok := x.entries[k]
	if !ok {
		e = &entry{}
		x.entries[k] = e
	}
	return e
}

// enter takes in a record that was written to p; a delta continues the chain,
// anything else begins a generation. It returns the generations that are kept no
// longer.
func (x *index) enter(h head, p place) (dropped []generation) {
	e := x.entry(h.key)
	if h.kind == kindDelta {
		e.add(link{seq: h.seq, prev: h.prev, place: p, serial: h.serial})
		e.records++
		x.weigh(p, 1)
		return x.trim(e)
	}
	x.count(e, -1)
	if p.segment != 0 {
		e.records++
	}
	older := e.behind(h.before())
	dropped = without(e.older(), older)
	*e = entry{base: p, serial: h.serial, seq: h.seq, records: e.records, removed: h.kind == kindRemoved, rolledBack: h.rolledBack()}
	e.setOlder(older)
	x.count(e, 1)
	return append(dropped, x.trim(e)...)
}

// count adds the records of an entry to what is live in their segments, or with
// sign -1 takes them away.
func (x *index) count(e *entry, sign int64) {
	if e.at(e.base) != nil {
		x.weigh(e.base, sign)
	}
	for _, l := range e.links() {
		x.weigh(l.place, sign)
	}
	for _, g := range e.older() {
		x.countGeneration(g, sign)
	}
}

func (x *index) countGeneration(g generation, sign int64) {
	x.weigh(g.base, sign)
	for _, l := range g.links {
		x.weigh(l.place, sign)
	}
}

func (x *index) weigh(p place, sign int64) {
	if s, ok := x.segments[p.segment]; ok {
		s.live += sign * int64(p.size)
	}
}

// move notes that the record at *from was copied to p; both are there until
// the segment of the first is gone.
func (x *index) move(e *entry, from *place, p place) {
	x.weigh(*from, -1)
	*from = p
	e.records++
	x.weigh(p, 1)
}

// gone notes that a record of the zone is no longer on disk.
func (x *index) gone(k key) {
	e, ok := x.entries[k]
	if !ok || e.records == 0 {
		return
	}
	hid := e.at(e.base) != nil
	e.records--
	if hid && e.at(e.base) == nil {
		x.weigh(e.base, -1)
	}
	if e.records == 0 && !e.base.ownFile() {
		delete(x.entries, k)
	}
}

// learn takes in a record found at the start; settle must follow, since they
// come in any order.
func (x *index) learn(h head, p place) {
	e := x.entry(h.key)
	e.records++
	if h.kind == kindDelta {
		c := e.more()
		c.links = append(c.links, link{seq: h.seq, prev: h.prev, place: p, serial: h.serial})
		return
	}
	x.learnBase(h, p)
}

// learnBase takes in a whole copy or a removal found at the start. That with the
// highest seq is the zone's, the others may be older generations of it.
func (x *index) learnBase(h head, p place) {
	e := x.entry(h.key)
	if e.base.size > 0 && h.seq < e.seq {
		x.learnOlder(e, h, p)
		return
	}
	if e.base.segment != 0 && e.seq != h.seq && !e.removed {
		x.learnOlder(e, head{kind: kindCopy, seq: e.seq, prev: x.before[h.key], serial: e.serial}, e.base)
	}
	e.base, e.seq, e.removed, e.rolledBack = p, h.seq, h.kind == kindRemoved, h.rolledBack()
	e.serial = h.serial
	delete(x.before, h.key)
	if h.before() != 0 {
		x.before[h.key] = h.before()
	}
}

// settle puts in order what was learned of a zone. Of records that were copied
// to another segment either will do. lost is the highest seq of a record of the
// zone that was found damaged, and where.
func (x *index) settle(k key, e *entry, lost link) {
	links, older := e.links(), e.older()
	e.chain = nil // the new one has a memory of its own
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(a.seq, b.seq) })
	links = slices.CompactFunc(links, func(a, b link) bool { return a.seq == b.seq })
	for _, l := range links {
		if l.seq <= e.seq && e.base.size > 0 {
			continue
		}
		if l.prev != e.last() || e.base.size == 0 || e.removed {
			e.damaged = l.place.segment
		}
		e.add(l)
	}
	if lost.seq > e.seq || e.base.size == 0 {
		e.damaged = cmp.Or(lost.place.segment, e.damaged)
	}
	if e.damaged == 0 && !e.removed && x.before[k] != 0 {
		e.setOlder(assemble(older, links, x.before[k]))
	}
	x.count(e, 1)
	x.trim(e)
}
