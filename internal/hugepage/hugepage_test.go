package hugepage

import (
	"testing"
	"unsafe"
)

type pair struct{ a, b uint32 }

// TestTake: arrays of a block are as long as they were asked for, zeroed, and
// lie apart, whatever the block is made for.
func TestTake(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, octets := range []int{0, 1, 4096, least - 1, least, least + 12345, 9 * mib, 7*mib - 1} {
		b := New(octets)
		words := Take[uint64](&b, octets/32)
		pairs := Take[pair](&b, octets/32)
		rest := Take[byte](&b, octets-octets/32*16)
		more := Take[byte](&b, 10) // more than there is
		if cap(words) != octets/32 || cap(pairs) != octets/32 || cap(rest) != octets-octets/32*16 || len(more) != 10 {
			t.Errorf("%d octets: room for %d, %d, %d, %d", octets, cap(words), cap(pairs), cap(rest), len(more))
		}
		for i := range words {
			words[i] += 1 << 63
		}
		for i := range pairs {
			pairs[i].a, pairs[i].b = pairs[i].a+2, pairs[i].b+3
		}
		for i := range rest {
			rest[i] += 4
		}
		b.Filled()
		check(t, words, 1<<63)
		check(t, pairs, pair{2, 3})
		check(t, rest, 4)
		check(t, more, 0)
	}
}

func check[T comparable](t *testing.T, all []T, want T) {
	t.Helper()
	for i, got := range all {
		if got != want {
			t.Fatalf("element %d of %d: got %v, want %v", i, len(all), got, want)
		}
	}
}

// TestReserve: what the heap needs next lies in what was reserved.
func TestReserve(t *testing.T) {
	t.Parallel()
	const octets, piece = 64 << 20, 64 << 10
	w := reserve(octets)
	defer w.drop()
	var kept [][]byte
	for range 4 * octets / piece {
		b := make([]byte, piece)
		if uintptr(unsafe.Pointer(unsafe.SliceData(b)))-w.start < w.octets {
			return
		}
		kept = append(kept, b)
	}
	t.Errorf("none of %d pieces lies there", len(kept))
}

// TestReserveLittle: too little is no reason to collect garbage.
func TestReserveLittle(t *testing.T) {
	t.Parallel()
	if w := reserve(least - 1); w != (wish{}) {
		t.Errorf("got %+v", w)
	}
	Reserve(0)()
}
