package dnssec

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// nsecChain follows the NSEC records of a zone in canonical order (RFC 4035
// section 2.3): each name has one, which leads to the next, and the last to the
// apex.
type nsecChain struct {
	w    *worker
	last zone.Node
	next wire.Name // where the NSEC record of last leads
}

// take takes the next name with records that the zone has authority for.
func (c *nsecChain) take(n zone.Node) {
	set, ok := n.Set(wire.TypeNSEC)
	if !ok {
		c.w.problem(n.Name(), wire.TypeNSEC, "the name has no NSEC record")
		return
	}
	if set.Len() > 1 {
		c.w.problem(n.Name(), wire.TypeNSEC, "the name has %d NSEC records", set.Len())
	}
	c.reach(n)
	rdata, _ := set.Record(0)
	end, err := wire.SkipName(rdata, 0)
	if err != nil || end > len(rdata) {
		c.w.problem(n.Name(), wire.TypeNSEC, "the record is malformed")
		return
	}
	c.last, c.next = n, wire.Name(rdata[:end])
	c.w.checkTypes(n, wire.TypeNSEC, n.Name(), rdata[end:])
}

// reach wants the record before to lead to n.
func (c *nsecChain) reach(n zone.Node) {
	if c.next != nil && !c.next.Equal(n.Name()) {
		c.w.problem(c.last.Name(), wire.TypeNSEC, "it leads to %s, not to %s", c.next, n.Name())
	}
}
