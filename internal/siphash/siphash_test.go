package siphash

import "testing"

// The vectors of the algorithm's authors: key 00 01 .. 0f, message 00 01 .. of
// each length.
func TestReferenceVectors(t *testing.T) {
	t.Parallel()
	var key [KeySize]byte
	var message [63]byte
	for i := range message {
		message[i] = byte(i)
	}
	copy(key[:], message[:])
	for length, want := range map[int]uint64{
		0:  0x726fdb47dd0e0e31,
		1:  0x74f839c593dc67fd,
		2:  0x0d6c8009d9a94f5a,
		3:  0x85676696d7fb7e2d,
		4:  0xcf2794e0277187b7,
		5:  0x18765564cd99a68d,
		6:  0xcbc9466e58fee3ce,
		7:  0xab0200f58b01d137,
		8:  0x93f5f5799a932462,
		15: 0xa129ca6149be45e5,
		63: 0x958a324ceb064572,
	} {
		if got := Sum64(&key, message[:length]); got != want {
			t.Errorf("%d octets: got %016x, want %016x", length, got, want)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var key [KeySize]byte
	message := make([]byte, 32)
	if n := testing.AllocsPerRun(100, func() { Sum64(&key, message) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
