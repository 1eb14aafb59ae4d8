package transfer

import "slices"

// places bounds the refreshes that are with one peer address, so that a peer
// that stalls holds up its own zones and no others. The engine's mutex guards it.
type places struct {
	taken   int
	waiting []*job // first come, first served
}

// enter takes a place for j, or has it wait. An order does not wait: it takes one beyond
// the limit.
func (p *places) enter(j *job, limit int, order bool) bool {
	if p.taken >= limit && !order {
		p.waiting = append(p.waiting, j)
		return false
	}
	p.taken++
	return true
}

// forget has j wait no longer.
func (p *places) forget(j *job) {
	p.waiting = slices.DeleteFunc(p.waiting, func(other *job) bool { return other == j })
}

// leave gives a place back and returns the zone that gets it, which may be nil. A place
// beyond the limit is nobody's.
func (p *places) leave(limit int) *job {
	for p.taken <= limit && len(p.waiting) > 0 {
		j := p.waiting[0]
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		if j.queued == p { // else it was removed meanwhile, or ordered
			return j
		}
	}
	p.taken--
	return nil
}
