package zone

import (
	"hash/crc32"
	"testing"

	"pgregory.net/rapid"
)

// TestJoinSums compares the joined checksum of pieces with that of the whole.
func TestJoinSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		length := rapid.IntRange(1, 100).Draw(t, "length")
		var sums []uint32
		for from := 0; from < len(data); from += length {
			sums = append(sums, crc32.Checksum(data[from:min(from+length, len(data))], castagnoli))
		}
		if got, want := joinSums(sums, length, len(data)), crc32.Checksum(data, castagnoli); got != want {
			t.Fatalf("%d octets in pieces of %d: got %08x, want %08x", len(data), length, got, want)
		}
	})
}
