package transfer

// places bounds the refreshes that begin with one peer address, so that a peer
// that stalls holds up its own zones and no others. The engine's mutex guards it.
type places struct {
	taken   int
	waiting []*job // first come, first served
}

// enter takes a place for j, or has it wait.
func (p *places) enter(j *job, limit int) bool {
	if p.taken >= limit {
		p.waiting = append(p.waiting, j)
		return false
	}
	p.taken++
	return true
}

// leave gives a place back and returns the zone that gets it, which may be nil.
func (p *places) leave() *job {
	for len(p.waiting) > 0 {
		j := p.waiting[0]
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		if j.queued == p { // else it was removed meanwhile
			return j
		}
	}
	p.taken--
	return nil
}
