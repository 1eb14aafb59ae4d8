package zone

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// TestAscent gives owners in canonical order and out of it: what comes out is the
// same, and only in the second case is a name looked up before the end.
func TestAscent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		owners []string
		over   bool
	}{
		"nothing but the apex": {[]string{"example.org."}, false},
		"siblings":             {[]string{"example.org.", "a.example.org.", "b.example.org.", "c.example.org."}, false},
		"another case":         {[]string{"EXAMPLE.org.", "A.example.org.", "a.Example.ORG.", "B.example.org."}, false},
		"down and up":          {[]string{"example.org.", "x.y.a.example.org.", "z.y.a.example.org.", "c.example.org.", "d.c.example.org."}, false},
		"a label at once":      {[]string{"example.org.", `\001.example.org.`, `\001.a.example.org.`, "*.b.example.org."}, false},
		"back to a sibling":    {[]string{"example.org.", "b.example.org.", "a.example.org.", "c.example.org."}, true},
		"back to the apex":     {[]string{"example.org.", "b.example.org.", "example.org.", "c.example.org."}, true},
		"back above":           {[]string{"example.org.", "x.y.example.org.", "y.example.org.", "*.y.example.org."}, true},
		"apart from the rest":  {[]string{"example.org.", "b.example.org.", "d.example.org.", "a.b.example.org.", "c.d.example.org."}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := []testRecord{{modelApex, wire.TypeSOA, 3600, soaRdata}}
			for i, owner := range tc.owners {
				records = append(records, testRecord{wiretest.Name(t, owner), wire.TypeA, 60, []byte{192, 0, 2, byte(i)}})
			}
			b, err := NewBuilder(modelApex, testSeed, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				if err := b.Add(r.owner, r.t, r.ttl, r.rdata); err != nil {
					t.Fatal(err)
				}
			}
			if b.over != tc.over || (b.zone.index.size > 0) != tc.over {
				t.Errorf("out of order %v with %d slots, want %v", b.over, b.zone.index.size, tc.over)
			}
			z, err := b.Finish()
			if err != nil {
				t.Fatal(err)
			}
			checkOrder(t, z)
			checkDecoded(t, z)
			slices.Reverse(records)
			if diff := cmp.Diff(dumpOf(buildFrom(t, records)), dumpOf(z)); diff != "" {
				t.Errorf("contents (-backwards +forwards):\n%s", diff)
			}
			for n := range z.All() {
				if found, ok := z.FindName(n.Name().Fold()); !ok || found != n {
					t.Errorf("%s is not found", n.Name())
				}
			}
		})
	}
}

// TestAscentForeign: a name outside the zone is refused in order and out of it.
func TestAscentForeign(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"org.", ".", "example.com.", "a.example.net.", "xexample.org.", "zz.example.zone."} {
		b := newBuilder(t, "example.org.", Limits{})
		if err := add(t, b, soaText); err != nil {
			t.Fatal(err)
		}
		wantOutOfZone(t, b, owner)
		b = newBuilder(t, "example.org.", Limits{})
		for _, text := range []string{soaText, "b.example.org. 60 IN A 192.0.2.1", "a.example.org. 60 IN A 192.0.2.1"} {
			if err := add(t, b, text); err != nil {
				t.Fatal(err)
			}
		}
		wantOutOfZone(t, b, owner)
	}
}

func wantOutOfZone(t *testing.T, b *Builder, owner string) {
	t.Helper()
	if err := add(t, b, owner+" 60 IN A 192.0.2.1"); !errors.Is(err, ErrOutOfZone) {
		t.Errorf("%s (out of order %v): got %v, want %v", owner, b.over, err, ErrOutOfZone)
	}
}
