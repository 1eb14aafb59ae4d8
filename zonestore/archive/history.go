package archive

import (
	"cmp"
	"slices"
	"sort"
)

// generation is a whole copy that another has replaced, with the deltas that led
// on from it: what older versions of a zone are made of. The base of a large one
// lies in a file of its own, see oldName.
type generation struct {
	base   place
	seq    uint64 // of the base
	prev   uint64 // what that follows; for the start alone
	serial uint32 // of the base
	links  []link
	octets int64 // of the links
}

// history is the older generations of a zone, the newest first.
type history []generation

// last returns the seq of the last record.
func (g *generation) last() uint64 {
	if n := len(g.links); n > 0 {
		return g.links[n-1].seq
	}
	return g.seq
}

// end returns the serial of the last version.
func (g *generation) end() uint32 {
	if n := len(g.links); n > 0 {
		return g.links[n-1].serial
	}
	return g.serial
}

func (g *generation) size() int64 { return int64(g.base.size) + g.octets }

func (g *generation) heldBy(number uint32) bool {
	return g.base.segment == number || linksIn(g.links, number)
}

// older returns the older generations, the newest first.
func (e *entry) older() history {
	if e.chain == nil || e.chain.older == nil {
		return nil
	}
	return *e.chain.older
}

func (e *entry) setOlder(h history) {
	switch {
	case len(h) > 0:
		e.more().older = &h
	case e.chain == nil:
	case len(e.chain.links) == 0:
		e.chain = nil
	default:
		e.chain.older = nil
	}
}

// present is the generation that the entry's copy is of.
func (e *entry) present() generation {
	g := generation{base: e.base, seq: e.seq, serial: e.serial}
	if e.chain != nil {
		g.serial, g.links, g.octets = e.chain.from, e.chain.links, e.chain.octets
	}
	return g
}

// inForce reports whether the copy is one that an operator went back to, and
// nothing has followed it.
func (e *entry) inForce() bool { return e.rolledBack && len(e.links()) == 0 && len(e.older()) > 0 }

// follows returns the seq that the next whole copy says it follows, 0 for none:
// it begins the history anew, as after a removal. One that repeats the copy takes
// its place in the history, and so does a rollback that another one follows.
func (e *entry) follows(versions int, serial uint32, isRollback bool) uint64 {
	switch {
	case !e.there() || e.removed || e.damaged != 0 || e.seq == unnumbered || e.seq == unreadable:
		return 0
	case versions < 2 && !isRollback:
		return 0
	case len(e.links()) == 0 && (e.serial == serial || isRollback && e.inForce()):
		if older := e.older(); len(older) > 0 {
			return older[0].last()
		}
		return 0
	}
	return e.last()
}

// behind returns the generations behind a whole copy that follows seq.
func (e *entry) behind(seq uint64) history {
	older := e.older()
	switch {
	case seq == 0:
		return nil
	case seq == e.last():
		return slices.Concat(history{e.present()}, older)
	case len(older) > 0 && seq == older[0].last():
		return older
	}
	return nil
}

// without returns the generations that are not among those left.
func without(all, left history) (gone []generation) {
	for _, g := range all {
		if !slices.ContainsFunc(left, func(l generation) bool { return l.seq == g.seq }) {
			gone = append(gone, g)
		}
	}
	return gone
}

// minHistory is how many octets of older generations a zone may always have.
const minHistory = 64 << 10

// kept returns how many of the older generations are kept: those that hold one
// of the last versions, the first of them whatever its size, since a zone that
// has lost most of its records is the one that is rolled back, and the others as
// long as all together take no more than twice the present one. What an operator
// went back from is kept until another version has come, and does not count.
func (x *index) kept(e *entry) int {
	older := e.older()
	if len(older) == 0 {
		return 0
	}
	present := e.present()
	var serials []uint32
	if !e.inForce() { // else it is one of the older ones
		serials = present.serials(serials, x.versions)
	}
	octets := int64(0)
	for i, g := range older {
		if i > 0 || !e.inForce() {
			octets += g.size()
			if len(serials) >= x.versions || i > 0 && octets > max(minHistory, 2*present.size()) {
				return i
			}
		}
		serials = g.serials(serials, x.versions)
	}
	return len(older)
}

// serials adds those of the generation's versions, the newest first, that are not
// among them, up to most in all.
func (g *generation) serials(among []uint32, most int) []uint32 {
	for n := len(g.links); n >= 0 && len(among) < most; n-- {
		serial := g.serial
		if n > 0 {
			serial = g.links[n-1].serial
		}
		if !slices.Contains(among, serial) {
			among = append(among, serial)
		}
	}
	return among
}

// trim drops the generations that are not kept, and returns them.
func (x *index) trim(e *entry) []generation { return x.cut(e, x.kept(e)) }

// cut drops all older generations but the first n, and returns them.
func (x *index) cut(e *entry, n int) []generation {
	older := e.older()
	if n == len(older) {
		return nil
	}
	for _, g := range older[n:] {
		x.countGeneration(g, -1)
	}
	e.setOlder(slices.Clone(older[:n]))
	return older[n:]
}

// learnOlder notes a whole copy, found at the start, that may be the base of an
// older generation.
func (x *index) learnOlder(e *entry, h head, p place) {
	if h.kind == kindRemoved {
		return
	}
	c := e.more()
	if c.older == nil {
		c.older = new(history)
	}
	*c.older = append(*c.older, generation{base: p, seq: h.seq, prev: h.prev &^ rollback, serial: h.serial})
}

// assemble makes a history of the bases and deltas found at the start, the deltas
// in order: it begins with the generation whose last record is seq, and ends
// where something is missing.
func assemble(bases history, links []link, seq uint64) (h history) {
	slices.SortStableFunc(bases, func(a, b generation) int { return cmp.Compare(b.seq, a.seq) })
	for _, g := range bases {
		if g.seq > seq {
			continue // another copy of one before, or what was rolled back from
		}
		for _, l := range links[sort.Search(len(links), func(i int) bool { return links[i].seq > g.seq }):] {
			if l.seq > seq || l.prev != g.last() {
				break
			}
			g.links = append(g.links, l)
			g.octets += int64(l.place.size)
		}
		if g.last() != seq {
			break
		}
		h = append(h, g)
		if seq = g.prev; seq == 0 {
			break
		}
	}
	return h
}
