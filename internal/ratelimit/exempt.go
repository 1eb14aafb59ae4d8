package ratelimit

import (
	"net/netip"
	"slices"
)

// exemptions are the addresses without a limit: for each family ranges that
// don't overlap, in ascending order.
type exemptions struct{ v4, v6 ranges }

type ranges []addressRange

type addressRange struct{ first, last address }

func newExemptions(prefixes []netip.Prefix) exemptions {
	var e exemptions
	for _, p := range prefixes {
		length := p.Bits()
		if p.Addr().Is4() {
			length += mappedBits
		}
		mask := maskOf(length)
		first := addressOf(p.Addr()).masked(mask)
		r := addressRange{first, address{first.high | ^mask.high, first.low | ^mask.low}}
		if first.is4() {
			e.v4 = append(e.v4, r)
		} else {
			e.v6 = append(e.v6, r)
		}
	}
	e.v4, e.v6 = e.v4.ordered(), e.v6.ordered()
	return e
}

func (e *exemptions) contain(a address) bool {
	if a.is4() {
		return e.v4.contain(a)
	}
	return e.v6.contain(a)
}

// ordered sorts r and drops the ranges inside others. Ranges of prefixes never
// overlap otherwise.
func (r ranges) ordered() ranges {
	slices.SortFunc(r, func(x, y addressRange) int {
		switch {
		case x.first.less(y.first), x.first == y.first && y.last.less(x.last):
			return -1
		case x == y:
			return 0
		}
		return 1
	})
	var outer ranges
	for _, inner := range r {
		if len(outer) == 0 || outer[len(outer)-1].last.less(inner.first) {
			outer = append(outer, inner)
		}
	}
	return outer
}

func (r ranges) contain(a address) bool {
	low, high := 0, len(r)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if r[middle].last.less(a) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(r) && !a.less(r[low].first)
}
