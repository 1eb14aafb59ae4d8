package ratelimit

import (
	"encoding/binary"
	"net/netip"
)

// address is an IPv6 address, or an IPv4 address mapped to one, as a number.
type address struct{ high, low uint64 }

const (
	mapped     = 0xffff // what is before an IPv4 address in the low half
	mappedBits = 96
)

func addressOf(a netip.Addr) address {
	if a.Is4() {
		octets := a.As4() // much faster than As16
		return address{0, mapped<<32 | uint64(binary.BigEndian.Uint32(octets[:]))}
	}
	octets := a.As16()
	return address{binary.BigEndian.Uint64(octets[:8]), binary.BigEndian.Uint64(octets[8:])}
}

func (a address) is4() bool { return a.high == 0 && a.low>>32 == mapped }

func (a address) less(b address) bool {
	return a.high < b.high || a.high == b.high && a.low < b.low
}

// masked returns a with only its bits of mask.
func (a address) masked(mask address) address {
	return address{a.high & mask.high, a.low & mask.low}
}

// maskOf returns a mask of the first length bits.
func maskOf(length int) address {
	return address{^(^uint64(0) >> min(length, 64)), ^(^uint64(0) >> max(length-64, 0))}
}

// blocks cuts addresses into those that share buckets.
type blocks struct {
	v4, v6             address // masks
	v4Length, v6Length int     // of the prefixes
}

func newBlocks(v4Length, v6Length int) blocks {
	return blocks{
		v4: maskOf(mappedBits + v4Length), v4Length: v4Length,
		v6: maskOf(v6Length), v6Length: v6Length,
	}
}

// of returns the first address of a's block. No block of IPv6 looks like one of
// IPv4, for a mapped address counts as IPv4.
func (b *blocks) of(a address) address {
	if a.is4() {
		return a.masked(b.v4)
	}
	return a.masked(b.v6)
}
