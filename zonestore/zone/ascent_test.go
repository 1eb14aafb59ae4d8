package zone

import (
	"errors"
	"slices"
	"strings"
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
		owners    []string
		unordered bool
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
			b := fill(t, records)
			if b.unordered != tc.unordered || (b.zone.index.size > 0) != tc.unordered {
				t.Errorf("out of order %v with %d slots, want %v", b.unordered, b.zone.index.size, tc.unordered)
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

// TestAscentFlags: what follows for a name from those above it is the same when they
// come before it, and it need not be worked out at the end.
func TestAscentFlags(t *testing.T) {
	t.Parallel()
	ns, target := []byte("\x02ns\x04host\x00"), []byte("\x04host\x00")
	records := []testRecord{
		{modelApex, wire.TypeSOA, 3600, soaRdata},
		{modelApex, wire.TypeNS, 3600, ns},
		{wiretest.Name(t, "alias.example.org."), wire.TypeDNAME, 60, target},
		{wiretest.Name(t, "occluded.alias.example.org."), wire.TypeA, 60, []byte{192, 0, 2, 1}},
		{wiretest.Name(t, "cut.example.org."), wire.TypeNS, 60, ns},
		{wiretest.Name(t, "x.y.cut.example.org."), wire.TypeA, 60, []byte{192, 0, 2, 1}},
		{wiretest.Name(t, "ns.x.y.cut.example.org."), wire.TypeNS, 60, ns},
		{wiretest.Name(t, "glue.ns.x.y.cut.example.org."), wire.TypeA, 60, []byte{192, 0, 2, 1}},
		{wiretest.Name(t, "cut2.example.org."), wire.TypeNS, 60, ns},
		{wiretest.Name(t, "cut2.example.org."), wire.TypeDNAME, 60, target},
		{wiretest.Name(t, "a.cut2.example.org."), wire.TypeA, 60, []byte{192, 0, 2, 1}},
		{wiretest.Name(t, "hash.example.org."), wire.TypeNSEC3, 60, []byte("\x01\x00\x00\x00\x00\x01a")},
		{wiretest.Name(t, "*.a.b.example.org."), wire.TypeA, 60, []byte{192, 0, 2, 1}},
	}
	slices.SortStableFunc(records, func(a, b testRecord) int { return a.owner.Compare(b.owner) })
	flags := func(records []testRecord, unordered bool) map[string]uint32 {
		b := fill(t, records)
		if b.unordered != unordered {
			t.Fatalf("out of order %v, want %v", b.unordered, unordered)
		}
		z, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]uint32{}
		for n := range z.All() {
			all[n.Name().String()] = n.data().flags
		}
		return all
	}
	ordered := flags(records, false)
	slices.Reverse(records)
	if diff := cmp.Diff(flags(records, true), ordered); diff != "" {
		t.Errorf("flags (-backwards +forwards):\n%s", diff)
	}
	if ordered["glue.ns.x.y.cut.example.org."]&flagBelowCut == 0 || ordered["occluded.alias.example.org."]&flagBelowName == 0 {
		t.Errorf("flags %v", ordered)
	}
}

// TestAscentApex: the apex may be the root, or a wildcard.
func TestAscentApex(t *testing.T) {
	t.Parallel()
	for apex, owners := range map[string][]string{
		".":              {".", "com.", "a.com.", "b.A.com.", "org.", "*.org."},
		"*.example.org.": {"*.example.org.", "*.*.example.org.", "a.*.example.org."},
	} {
		b := newBuilder(t, apex, Limits{})
		for _, text := range append([]string{apex + " 60 IN SOA n. m. 7 7 7 7 7"}, owners...) {
			if len(text) < 20 {
				text += " 60 IN A 192.0.2.1"
			}
			if err := add(t, b, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		z, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		checkOrder(t, z)
		checkDecoded(t, z)
		for _, owner := range owners {
			if m := find(t, z, owner); !m.Exact {
				t.Errorf("%s is not found in %s", owner, apex)
			}
		}
		if m := find(t, z, "none."+owners[len(owners)-1]); m.Exact {
			t.Errorf("found what is not in %s", apex)
		}
	}
}

// TestAscentDeep goes from the deepest name there can be up to the first level.
func TestAscentDeep(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("a.", 123) + "example."
	z := build(t, "example.", "example. 60 IN SOA n. m. 7 7 7 7 7", deep+" 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.1")
	if z.Names() != 125 {
		t.Errorf("%d names, want 125", z.Names())
	}
	for _, name := range []string{deep, "b.example.", "a.a.example."} {
		if m := find(t, z, name); !m.Exact {
			t.Errorf("%s is not found", name)
		}
	}
}

// TestAscentLong has more names than fit in a page of the index, in order, and one
// out of order behind them.
func TestAscentLong(t *testing.T) {
	t.Parallel()
	for _, names := range []int{slotPageSize - 2, slotPageSize - 1, slotPageSize, slotPageSize + 1, 3 * slotPageSize} {
		for _, last := range []string{"\x02zz", "\x03a00"} {
			b := newBuilder(t, "example.org.", Limits{})
			owners := []wire.Name{modelApex}
			for i := range names {
				owners = append(owners, nth(i))
			}
			owners = append(owners, append(wire.Name(last), modelApex...))
			if err := b.Add(modelApex, wire.TypeSOA, 60, soaRdata); err != nil {
				t.Fatal(err)
			}
			for _, owner := range owners {
				if err := b.Add(owner, wire.TypeA, 60, []byte{192, 0, 2, 1}); err != nil {
					t.Fatal(err)
				}
			}
			if b.unordered != (last == "\x03a00") {
				t.Errorf("%q: out of order %v", last, b.unordered)
			}
			z, err := b.Finish()
			if err != nil {
				t.Fatal(err)
			}
			for _, owner := range owners {
				if n, ok := z.FindName(owner.Fold()); !ok || !n.Name().Equal(owner) {
					t.Fatalf("%s of %d names is not found", owner, names)
				}
			}
		}
	}
}

func nth(i int) wire.Name { return append(numbered(i), modelApex...) }

// TestAscentLimit: memory is bounded while owners come in order too.
func TestAscentLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	b := newBuilder(t, "example.org.", Limits{Octets: limit})
	var err error
	n := 0
	for ; err == nil && n < limit; n++ {
		err = b.Add(nth(n), wire.TypeA, 60, []byte{192, 0, 2, 1})
	}
	var over *LimitError
	if !errors.As(err, &over) || b.unordered {
		t.Fatalf("after %d names: %v, out of order %v", n, err, b.unordered)
	}
	if n > limit/40 {
		t.Errorf("%d names were taken within %d octets", n, limit)
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
		t.Errorf("%s (out of order %v): got %v, want %v", owner, b.unordered, err, ErrOutOfZone)
	}
}
