package zone

import "slices"

// show makes node i a name of the zone, or takes it out, as its own records
// want it, and with it the ancestors that exist for its sake (RFC 4592 section
// 2.2.2).
func (d *Delta) show(i uint32, visible bool) {
	z := d.zone
	for i != 0 {
		visible = visible || z.nodes.at(i).children() > 0
		if visible == z.nodes.at(i).isName() {
			return
		}
		n := z.nodes.edit(i)
		n.flags ^= flagHidden
		d.touched = append(d.touched, i)
		d.tell(n.parent, visible, z.nameAt(n.name).IsWildcard())
		i = n.parent
		visible = z.owned(i).visible
	}
}

// tell notes at a parent that one of its children became a name, or is none any
// more.
func (d *Delta) tell(parent uint32, became, wildcard bool) {
	above := d.zone.nodes.edit(parent)
	if wildcard {
		above.flags ^= flagWildcard
	}
	if became {
		above.gain()
		return
	}
	if !above.lose() {
		d.recount = true
	}
}

// consequences works out what the changes mean for other names.
func (d *Delta) consequences() {
	z := d.zone
	for i := d.base.nodes.len(); i < z.nodes.len(); i++ {
		d.touched = append(d.touched, uint32(i))
	}
	slices.Sort(d.touched)
	d.touched = slices.Compact(d.touched)
	for _, i := range d.touched {
		z.inherit(i)
	}
	z.dead = uint32(int(z.dead) + d.died())
	switch {
	case d.recount:
		z.resettle()
	case d.disinherits():
		z.settleDownward()
	}
	d.rechain()
}

// died counts the nodes that died, less those that came to life again.
func (d *Delta) died() int {
	count := 0
	for _, i := range d.touched {
		if d.zone.nodes.at(i).isDead() {
			count++
		}
		if d.was(i) && d.base.nodes.at(i).isDead() {
			count--
		}
	}
	return count
}

// was reports whether the base has node i.
func (d *Delta) was(i uint32) bool { return int(i) < d.base.nodes.len() }

// disinherits reports whether a delegation or DNAME came or went above names
// that the changes did not reach. A delegation that comes or goes with its glue
// does not do that.
func (d *Delta) disinherits() bool {
	left := map[uint32]uint32{} // children not reached
	for _, i := range d.touched {
		if n := d.zone.nodes.at(i); d.was(i) && bequest(n.flags) != bequest(d.base.nodes.at(i).flags) && n.children() > 0 {
			left[i] = n.children()
		}
	}
	if len(left) == 0 {
		return false
	}
	for _, i := range d.touched {
		n := d.zone.nodes.at(i)
		if _, ok := left[n.parent]; !ok || !n.isName() {
			continue
		}
		if left[n.parent]--; left[n.parent] == 0 {
			delete(left, n.parent)
		}
	}
	return len(left) > 0
}

const (
	leastWaste = 64 << 10
	leastDead  = 1024
)

// wasteful reports whether half of the zone is of no more use.
func (z *Zone) wasteful() bool {
	return z.waste > max(z.slab.span()/2, leastWaste) || int(z.dead) > max(z.nodes.len()/2, leastDead)
}

// rebuilt returns the zone without what is of no more use. So many changes led
// here that each of them pays little for it.
func (z *Zone) rebuilt() (*Zone, error) {
	b, err := NewBuilder(z.apex, z.seed, Limits{})
	if err != nil {
		return nil, err
	}
	for i := range uint32(z.nodes.len()) {
		n := Node{z, i}
		if n.data().sets == 0 {
			continue
		}
		if err := b.move(n.Name()); err != nil {
			return nil, err
		}
		for set := range n.Sets() {
			b.pending.addSet(set)
		}
	}
	return b.Finish()
}
