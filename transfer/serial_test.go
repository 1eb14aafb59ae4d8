package transfer

import "testing"

// The points are those of RFC 1982 section 5 and of a serial's wrap.
func TestNewer(t *testing.T) {
	t.Parallel()
	const most = 1<<32 - 1
	for _, c := range []struct {
		a, b uint32
		want bool
	}{
		{1, 0, true},
		{0, 1, false},
		{44, 0, true},
		{100, 44, true},
		{200, 100, true},
		{0, 200, false},
		{0, most, true},
		{most, 0, false},
		{5, most - 5, true},
		{most - 5, 5, false},
		{7, 7, false},
		{0, 0, false},
		{most, most, false},
		{1<<31 - 1, 0, true},
		{1<<31 + 4, 5, true},
		{1 << 31, 0, false}, // undefined, so neither is newer
		{0, 1 << 31, false},
		{5, 1<<31 + 5, false},
		{1<<31 + 5, 5, false},
		{1<<31 + 1, 0, false},
		{0, 1<<31 + 1, true},
		{2026112401, 2026112400, true},
		{1, 2026112400, false},
	} {
		if got := newer(c.a, c.b); got != c.want {
			t.Errorf("newer(%d, %d): got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
