package dnssec

import (
	"math/rand/v2"
	"testing"
)

// TestKeys reads keys of all sizes and of random octets: what is no usable key is
// none, and what looks like one verifies nothing.
func TestKeys(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	// rsa returns the octets of a key with that exponent and a modulus of so many.
	rsa := func(exponent []byte, modulus int) []byte {
		b := append([]byte{byte(len(exponent))}, exponent...)
		if modulus == 0 {
			return b
		}
		b = append(b, random(modulus)...)
		b[1+len(exponent)] |= 0x80
		return b
	}
	for _, tc := range []struct {
		what      string
		algorithm uint8
		octets    []byte
		usable    bool
	}{
		{"RSA", rsaSHA256, rsa([]byte{1, 0, 1}, 128), true},
		{"RSA of 4096 bits", rsaSHA256, rsa([]byte{3}, 512), true},
		{"RSA with a long form of the exponent", rsaSHA1, append([]byte{0, 0, 3, 1, 0, 1, 0x80}, random(127)...), true},
		{"even exponent", rsaSHA256, rsa([]byte{4}, 128), true},
		{"short modulus", rsaSHA256, rsa([]byte{3}, 127), false},
		{"long modulus", rsaSHA256, rsa([]byte{3}, 513), false},
		{"no modulus", rsaSHA512, rsa([]byte{1, 0, 1}, 0), false},
		{"no exponent", rsaSHA512, rsa(nil, 128), false},
		{"exponent of one", rsaSHA512, rsa([]byte{1}, 128), false},
		{"large exponent", rsaSHA512, rsa([]byte{1, 0, 0, 0, 1}, 128), false},
		{"exponent that is cut", rsaSHA256, []byte{9, 1, 0, 1}, false},
		{"long form that is cut", rsaSHA256, []byte{0, 1}, false},
		{"empty", rsaSHA256, nil, false},
		{"no point", ecdsaP256, random(64), false},
		{"point that is cut", ecdsaP384, random(95), false},
		{"ED25519", ed25519Pure, random(32), true},
		{"ED25519 that is cut", ed25519Pure, random(31), false},
		{"algorithm", 16, random(57), false},
		{"no algorithm", 0, random(64), false},
	} {
		k, ok := parseKey(append([]byte{1, 1, 3, tc.algorithm}, tc.octets...))
		if ok != tc.usable {
			t.Errorf("%s: usable %v, want %v", tc.what, ok, tc.usable)
		}
		for size := range 600 {
			if ok && size%8 == 0 && k.verifies([]byte("data"), random(size)) {
				t.Errorf("%s: %d random octets are a signature", tc.what, size)
			}
		}
	}
	for size := range keyHead + 1 {
		if _, ok := parseKey(make([]byte, size)); ok {
			t.Errorf("%d octets are a key", size)
		}
	}
}
