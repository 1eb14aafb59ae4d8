package zone

import "hash/crc32"

// A checksum is a polynomial modulo that of CRC-32C, with bit 31 for x^0. So
// that of octets in a row follows from those of their pieces.

// joinSums returns the checksum of size octets of which those of all pieces of
// length octets are known; the last may be shorter.
func joinSums(sums []uint32, length, size int) (sum uint32) {
	shift := uint32(0)
	for i, next := range sums {
		switch i {
		case 0:
		case len(sums) - 1:
			shift = power(size - i*length)
		case 1:
			shift = power(length)
		}
		sum = multiply(sum, shift) ^ next
	}
	return sum
}

// power returns x to the number of bits in n octets.
func power(n int) uint32 {
	product := uint32(1) << 31
	for square := product >> 8; n > 0; n >>= 1 {
		if n&1 != 0 {
			product = multiply(product, square)
		}
		square = multiply(square, square)
	}
	return product
}

func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&(1<<31) != 0 {
			product ^= b
		}
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}
