package zonestore

import (
	"sync"
	"sync/atomic"

	"secondaryd/internal/wire"
)

// finder leads from a name to the zone that holds it: a hash trie whose slots
// are swapped atomically. Readers take no lock; adding or removing a zone
// touches the one path to it and copies nothing else, whether there are ten
// zones or a million.
type finder struct {
	root branch
	// depths has bit n set while a zone with n labels exists, so that a query
	// probes no more names than there can be zones for.
	depths [2]atomic.Uint64

	mu     sync.Mutex // held by writers; guards counts
	counts [wire.MaxLabels + 1]int
}

const (
	fanoutBits = 5
	fanout     = 1 << fanoutBits
	hashBits   = 64
	// maxChain is how many zones a place holds before it gets a branch, which takes
	// the memory of eight slots. To walk them is no slower.
	maxChain = 3
)

type branch struct {
	slots [fanout]atomic.Pointer[slot]
}

// slot is what a place in a branch refers to: a further branch, or a zone. It
// does not change once it is in place.
type slot struct {
	branch *branch
	hash   uint64
	served *Served
	next   *slot // another zone in the same place
}

func place(b *branch, hash uint64, shift int) *atomic.Pointer[slot] {
	return &b.slots[hash>>shift&(fanout-1)]
}

// find returns the deepest zone whose name is a suffix of the name, looking at
// suffixes from label from on, and the label where its name begins.
func (f *finder) find(s *wire.Suffixes, from int) (*Served, int) {
	count := s.Count()
	for depth := from; depth <= count; depth++ {
		labels := uint(count - depth)
		if f.depths[labels>>6].Load()&(1<<(labels&63)) == 0 {
			continue
		}
		if served := f.exact(s.Hash(depth), s.Name(depth)); served != nil {
			return served, depth
		}
	}
	return nil, 0
}

// exact returns the zone of that folded name.
func (f *finder) exact(hash uint64, name wire.Name) *Served {
	b := &f.root
	for shift := 0; ; shift += fanoutBits {
		e := place(b, hash, shift).Load()
		if e == nil {
			return nil
		}
		if e.branch != nil {
			b = e.branch
			continue
		}
		for ; e != nil; e = e.next {
			if e.hash == hash && e.served.apex.Equal(name) {
				return e.served
			}
		}
		return nil
	}
}

// insert enters a zone whose name is not there yet.
func (f *finder) insert(hash uint64, served *Served) {
	f.mu.Lock()
	defer f.mu.Unlock()
	labels := served.apex.Labels()
	if f.counts[labels]++; f.counts[labels] == 1 {
		f.depths[labels>>6].Or(1 << (labels & 63))
	}
	b := &f.root
	for shift := 0; ; shift += fanoutBits {
		at := place(b, hash, shift)
		e := at.Load()
		if e == nil || e.branch == nil && (e.chain() < maxChain || shift+fanoutBits >= hashBits) {
			at.Store(&slot{hash: hash, served: served, next: e})
			return
		}
		if e.branch == nil {
			e = &slot{branch: spread(e, shift+fanoutBits)}
			at.Store(e)
		}
		b = e.branch
	}
}

// chain counts the zones of a place.
func (s *slot) chain() (n int) {
	for ; s != nil; s = s.next {
		n++
	}
	return n
}

// spread returns a branch with the zones of a place, by the bits from shift on.
func spread(s *slot, shift int) *branch {
	b := new(branch)
	for ; s != nil; s = s.next {
		at := place(b, s.hash, shift)
		at.Store(&slot{hash: s.hash, served: s.served, next: at.Load()})
	}
	return b
}

// remove takes a zone out, and the branches that are empty after it.
func (f *finder) remove(hash uint64, served *Served) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !removeFrom(&f.root, hash, 0, served) {
		return
	}
	labels := served.apex.Labels()
	if f.counts[labels]--; f.counts[labels] == 0 {
		f.depths[labels>>6].And(^uint64(1 << (labels & 63)))
	}
}

func removeFrom(b *branch, hash uint64, shift int, served *Served) bool {
	at := place(b, hash, shift)
	e := at.Load()
	switch {
	case e == nil:
		return false
	case e.branch != nil:
		found := removeFrom(e.branch, hash, shift+fanoutBits, served)
		if found && e.branch.empty() {
			at.Store(nil)
		}
		return found
	}
	rest, found := without(e, served)
	at.Store(rest)
	return found
}

// without returns the chain of zones of one place with served left out.
func without(e *slot, served *Served) (*slot, bool) {
	if e == nil {
		return nil, false
	}
	if e.served == served {
		return e.next, true
	}
	rest, found := without(e.next, served)
	return &slot{hash: e.hash, served: e.served, next: rest}, found
}

func (b *branch) empty() bool {
	for i := range b.slots {
		if b.slots[i].Load() != nil {
			return false
		}
	}
	return true
}
