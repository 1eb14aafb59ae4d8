package zone

import (
	"unsafe"

	"secondaryd/internal/wire"
)

// A Probe brings what Find will read for a name into the processor's cache. In a
// large zone each look-up waits for memory three times, longer than all the rest
// of it takes. When the probes of many names take one step each before any takes
// the next, they all wait at the same time. A probe changes nothing and finds
// nothing: where it is wrong, Find waits.
type Probe struct {
	zone  *Zone
	tags  [probed]uint64
	count int
	node  *node
	whole bool // up to the apex
}

// probed is how many suffixes of a name are looked for, from the whole name on.
const probed = 3

// Start takes the first step for a name in z that Find could be asked for. If z
// is nil, the probe does nothing.
func (p *Probe) Start(z *Zone, s *wire.Suffixes) {
	*p = Probe{zone: z}
	if z == nil {
		return
	}
	below := s.Count() - int(z.labels)
	p.count = min(below, probed)
	p.whole = p.count == below
	for i := range p.count {
		p.tags[i] = tagOf(s.Hash(i))
		prefetch(unsafe.Pointer(z.index.slot(z.index.home(p.tags[i]))))
	}
}

// Node takes the second step: to the node that is the name or its closest encloser.
func (p *Probe) Node() {
	if p.zone == nil {
		return
	}
	x := &p.zone.index
	for _, tag := range p.tags[:p.count] {
		for i := x.home(tag); *x.slot(i) != 0; i = x.after(i) {
			if entry := *x.slot(i); entry>>32 == tag {
				p.node = p.zone.nodes.at(uint32(entry) - 1)
				prefetch(unsafe.Pointer(p.node))
				return
			}
		}
	}
	if p.whole {
		p.node = p.zone.nodes.at(0)
	}
}

// Data takes the last step: to the node's name and records.
func (p *Probe) Data() {
	if p.node == nil {
		return
	}
	slab := &p.zone.slab
	prefetch(unsafe.Pointer(&slab.at(p.node.name)[0]))
	if p.node.sets == 0 {
		return
	}
	sets := slab.at(p.node.sets)
	for at := 0; at < min(len(sets), setsAhead); at += cacheLine {
		prefetch(unsafe.Pointer(&sets[at]))
	}
}

// setsAhead is more octets than the records of a name have, as a rule.
const (
	cacheLine = 64
	setsAhead = 3 * cacheLine
)
