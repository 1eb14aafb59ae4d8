package zone

import (
	"slices"
	"sort"

	"secondaryd/internal/wire"
)

// An order holds nodes sorted by the canonical order of their names (RFC 4034
// section 6.1), in pages. Beside each node lies the start of its name in a form
// whose plain order is the canonical one, so that most steps of a search read
// the page alone and never the names.
type order struct {
	firsts []uint64 // the first key of each page
	pages  []orderPage
	count  int // of all nodes
}

type orderPage struct {
	keys  []uint64
	nodes []uint32
}

const orderPageSize = 2048

// sortKey returns the first eight octets of name, which lies labels labels deep
// at or below an apex of apexLabels, in sorted form: label by label from the
// apex, each octet above what ends a label, so that a shorter label sorts first.
// A zero octet in a label must sort above the end of a label: 0 and 1 become two
// octets. Equal keys leave the order open.
func sortKey(name wire.Name, apexLabels int) uint64 {
	var starts [wire.MaxLabels + 1]uint8
	count := 0
	for i := 0; name[i] != 0; i += int(name[i]) + 1 {
		starts[count] = uint8(i)
		count++
	}
	key, room := uint64(0), 8
	put := func(c byte) {
		if room > 0 {
			key, room = key<<8|uint64(c), room-1
		}
	}
	for i := count - apexLabels - 1; i >= 0 && room > 0; i-- {
		at := int(starts[i])
		for _, c := range name[at+1 : at+1+int(name[at])] {
			c = wire.Lower(c)
			if c < 2 {
				put(1)
			}
			put(c)
		}
		put(0)
	}
	return key << (8 * room)
}

// place is where a node stands in an order.
type place struct {
	key  uint64
	node uint32
}

func (z *Zone) place(i uint32) place { return place{sortKey(z.nodeName(i), int(z.labels)), i} }

func (p *orderPage) place(i int) place { return place{p.keys[i], p.nodes[i]} }

func (p *orderPage) append(x place) {
	p.keys = append(p.keys, x.key)
	p.nodes = append(p.nodes, x.node)
}

// makeOrder sorts the nodes into an order.
func (z *Zone) makeOrder(nodes []uint32) order {
	places := make([]place, len(nodes))
	for i, n := range nodes {
		places[i] = z.place(n)
	}
	slices.SortFunc(places, z.comparePlaces)
	var o order
	for _, p := range places {
		o.append(p)
	}
	o.trim()
	return o
}

// append adds a node that comes behind all others.
func (o *order) append(p place) {
	last := len(o.pages) - 1
	if last < 0 || len(o.pages[last].nodes) == orderPageSize {
		o.firsts = append(o.firsts, p.key)
		o.pages = append(o.pages, orderPage{})
		last++
	}
	o.pages[last].append(p)
	o.count++
}

// appendPage adds a page that comes behind all others: as it is, in halves if it
// is too large, not at all if it is empty.
func (o *order) appendPage(p orderPage) {
	switch n := len(p.nodes); {
	case n == 0:
	case n <= orderPageSize:
		o.firsts = append(o.firsts, p.keys[0])
		o.pages = append(o.pages, p)
		o.count += n
	default:
		half := n / 2
		o.appendPage(orderPage{slices.Clone(p.keys[:half]), slices.Clone(p.nodes[:half])})
		o.appendPage(orderPage{slices.Clone(p.keys[half:]), slices.Clone(p.nodes[half:])})
	}
}

// trim gives back what the last page has to spare.
func (o *order) trim() {
	if last := len(o.pages) - 1; last >= 0 {
		o.pages[last] = orderPage{slices.Clone(o.pages[last].keys), slices.Clone(o.pages[last].nodes)}
	}
}

func (z *Zone) nodeName(i uint32) wire.Name { return z.nameAt(z.nodes.at(i).name) }

func (o *order) len() int { return o.count }

func (o *order) octets() int { return len(o.firsts)*(8+48) + o.len()*12 }

// last returns the last node of a non-empty order.
func (o *order) last() uint32 {
	nodes := o.pages[len(o.pages)-1].nodes
	return nodes[len(nodes)-1]
}

// before returns the last node whose name is at or before name, which must be
// folded and in the zone; ok is false if all are behind it.
func (z *Zone) before(o *order, name wire.Name) (node uint32, ok bool) {
	key := sortKey(name, int(z.labels))
	// The page whose first key is above the key ends the search; names with the
	// very same key may begin in the pages before it.
	at := sort.Search(len(o.firsts), func(i int) bool { return o.firsts[i] > key })
	for at--; at >= 0; at-- {
		page := &o.pages[at]
		i := sort.Search(len(page.keys), func(i int) bool {
			if page.keys[i] != key {
				return page.keys[i] > key
			}
			return z.nodeName(page.nodes[i]).Compare(name) > 0
		})
		if i > 0 {
			return page.nodes[i-1], true
		}
	}
	return 0, false
}
