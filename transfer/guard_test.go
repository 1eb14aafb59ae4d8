package transfer

import (
	"fmt"
	"strings"
	"testing"

	"secondaryd/zonestore/zone"
)

// zoneWith builds a zone with so many plain records, SOA and NS included, and so
// many signatures.
func zoneWith(t *testing.T, plain, signatures int) *zone.Zone {
	t.Helper()
	var b strings.Builder
	for i := range plain - 2 {
		fmt.Fprintf(&b, "n%d.example.org. 60 IN A 192.0.2.1\n", i)
	}
	for i := range signatures {
		fmt.Fprintf(&b, "n%d.example.org. 60 IN RRSIG A 8 3 60 20300101000000 20200101000000 1 example.org. AAAA\n", i)
	}
	z, err := feed(t, defaultLimits(), axfrAnswer(t, soaLine+nsLine+b.String()+soaLine))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestShrinks(t *testing.T) {
	t.Parallel()
	half := Guard{ShrinkPercent: 50, ShrinkFrom: 50}
	type size struct{ plain, signatures int }
	for _, c := range []struct {
		name     string
		guard    Guard
		old, new size
		deleted  int
		held     bool
	}{
		{"as large", half, size{100, 0}, size{100, 0}, -1, false},
		{"larger", half, size{100, 0}, size{300, 0}, -1, false},
		{"half", half, size{100, 0}, size{50, 0}, -1, false},
		{"less than half", half, size{100, 0}, size{49, 0}, -1, true},
		{"too small to matter", half, size{49, 0}, size{2, 0}, -1, false},
		{"just large enough to matter", half, size{50, 0}, size{24, 0}, -1, true},
		{"no longer signed", half, size{100, 500}, size{100, 0}, -1, false},
		{"signed at last, and empty", half, size{100, 0}, size{40, 400}, -1, true},
		{"nothing may be lost", Guard{0, 50}, size{100, 0}, size{99, 0}, -1, true},
		{"all may be lost", Guard{100, 50}, size{100, 0}, size{2, 0}, -1, false},
		{"by few differences", half, size{100, 0}, size{75, 0}, 25, false},
		{"by many differences", half, size{100, 0}, size{40, 0}, 60, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			old, z := zoneWith(t, c.old.plain, c.old.signatures), zoneWith(t, c.new.plain, c.new.signatures)
			err := c.guard.shrinks(old, z, c.deleted)
			if held := err != nil; held != c.held {
				t.Fatalf("held: %v (%v), want %v", held, err, c.held)
			}
			if c.held {
				wantFailure(t, err, StepCheck, CauseShrink)
			}
		})
	}
}
