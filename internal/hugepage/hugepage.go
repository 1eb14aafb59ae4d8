// Package hugepage gives memory that is about to be filled huge pages, where the
// system has them. Touching a small page for the first time takes longer than
// filling it, on a virtual machine many times longer.
//
// All memory is the garbage collector's, and all of this is advice: a system that
// can't follow it uses small pages, as it would have done.
package hugepage

import (
	"runtime"
	"sync"
	"unsafe"
)

const (
	// size is that of a huge page; where it is another, the advice is less good.
	size = 2 << 20
	// least is from how many octets on a block is worth while.
	least = 2 * size
)

// A Block is memory for arrays that live and die together: each keeps the whole
// block. The zero value gives each array memory of its own.
type Block struct {
	rest []byte // not taken yet
	wish wish
}

// New makes a block for arrays of that many octets in all.
func New(octets int) Block {
	if octets < least {
		return Block{}
	}
	// Untouched, what is too much costs nothing.
	b := make([]byte, octets+2*size)
	b = b[-uintptr(unsafe.Pointer(unsafe.SliceData(b)))%size:]
	w := wish{uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(octets+size/2) / size * size}
	w.make()
	return Block{rest: b[:octets:octets], wish: w}
}

// Take returns the next n elements of a block, zeroed. They must not hold
// pointers, nor be aligned more strictly than what was taken before.
func Take[T any](b *Block, n int) []T {
	var element T
	octets := n * int(unsafe.Sizeof(element))
	if n == 0 || octets > len(b.rest) {
		return make([]T, n)
	}
	all := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b.rest))), n)
	b.rest = b.rest[octets:]
	return all
}

// Filled ends the wish for huge pages, without which memory that the collector
// frees later, and uses for small things, would fill up with them.
func (b *Block) Filled() { b.wish.drop() }

// Reserve has the heap grow into huge pages by the next octets that it needs,
// until filled is called. It collects garbage, which takes long unless there is
// hardly any.
func Reserve(octets int) (filled func()) { return reserve(octets).drop }

func reserve(octets int) wish {
	w := New(octets).wish
	if w.octets > 0 {
		// That takes the block back untouched, and hands it out in small pieces from now
		// on. The caller's thread may be of low priority, and the world, which stops
		// twice, must not wait for it.
		var collected sync.WaitGroup
		collected.Go(runtime.GC)
		collected.Wait()
	}
	return w
}

// A wish is for whole huge pages. It is no pointer: the memory may be freed.
type wish struct{ start, octets uintptr }
