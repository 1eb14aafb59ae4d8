package zone

import "unsafe"

// An index finds nodes by the hash of their names: open addressing with linear
// probing in pages of slots. A slot holds 32 bits of the hash, which also say
// where it belongs, above the node's number plus one. So most misses end
// without touching a name, and the table can be laid out anew without hashing
// again.
//
// The zero value is a list: it takes entries as they come, and must be laid out
// by rebuild before anything is looked up.
type index struct {
	pages[uint64]
	size uint64 // slots in all
	used int
}

const (
	slotPageBits = 12
	slotPageSize = 1 << slotPageBits
)

// makeIndex returns an empty index with room for n nodes.
func makeIndex(n int) index {
	size := max(n+n/3+1, 8)
	x := index{size: uint64(size)}
	for size > 0 {
		page := min(size, slotPageSize)
		x.all = append(x.all, make([]uint64, page))
		size -= page
	}
	return x
}

func tagOf(hash uint64) uint64 { return hash >> 32 }

// home returns the slot where the search for a tag begins.
func (x *index) home(tag uint64) uint64 { return tag * x.size >> 32 }

func (x *index) slot(i uint64) *uint64 { return &x.all[i>>slotPageBits][i&(slotPageSize-1)] }

func (x *index) after(i uint64) uint64 {
	if i++; i < x.size {
		return i
	}
	return 0
}

// insert enters a node that is not there yet. The table grows when it is five
// sixths full, and is laid out three quarters full: a version made of another
// must not begin with laying out the table anew. How much it grows by is up to
// the caller, who knows whether more is to come: growth is in halves.
func (x *index) insert(hash uint64, number uint32, growth int) {
	entry := tagOf(hash)<<32 | uint64(number+1)
	if x.size == 0 {
		x.push(entry, slotPageSize)
		x.used++
		return
	}
	if uint64(x.used+1)*6 > x.size*5 {
		x.grow(growth)
	}
	x.place(entry)
}

func (x *index) grow(growth int) { x.rebuild(x.used + growth*x.used/2 + 8) }

func (x *index) place(entry uint64) {
	i := x.home(entry >> 32)
	for *x.slot(i) != 0 {
		i = x.after(i)
	}
	x.own(int(i >> slotPageBits))[i&(slotPageSize-1)] = entry
	x.used++
}

// slotsAhead is how far ahead of an entry its slot is brought into the cache.
const slotsAhead = 8

// rebuild lays the table out for n nodes.
func (x *index) rebuild(n int) {
	old := x.all
	*x = makeIndex(n)
	for _, page := range old {
		for i, entry := range page {
			if ahead := i + slotsAhead; ahead < len(page) {
				prefetch(unsafe.Pointer(x.slot(x.home(page[ahead] >> 32))))
			}
			if entry != 0 {
				x.place(entry)
			}
		}
	}
}

func (x *index) octets() int { return max(int(x.size), x.used) * slotSize }
