package zone

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"secondaryd/internal/wire"
)

func differencesOf(from, to *Zone) (texts []string) {
	for d := range Differences(from, to) {
		sign := "-"
		if d.Added {
			sign = "+"
		}
		texts = append(texts, fmt.Sprintf("%s %s %d %d", sign, d.Owner, d.Type, d.TTL))
	}
	return texts
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	const (
		laterSOA = "example.org. 60 IN SOA ns.example.org. host.example.org. 2 2 3 4 5"
		address  = "a.example.org. 60 IN A 192.0.2.1"
		other    = "a.example.org. 60 IN A 192.0.2.2"
		text     = "a.example.org. 60 IN TXT x"
	)
	base := build(t, "example.org.", soaText, nsText, address, text)
	soa := base.Top().one(wire.TypeSOA)
	apex := []string{fmt.Sprintf("- example.org. 6 %d", soa.TTL), "+ example.org. 6 60"}
	for _, tc := range []struct {
		what    string
		records []string
		want    []string
	}{
		{"the same", []string{address, soaText, text, nsText}, nil},
		{"another case", []string{soaText, nsText, text, "A.Example.org. 60 IN A 192.0.2.1"}, nil},
		{"another serial", []string{laterSOA, nsText, text, address}, apex},
		{"SOA first", []string{laterSOA, nsText, text, address, "example.org. 60 IN A 192.0.2.1"}, append(apex[:2:2], "+ example.org. 1 60")},
		{"a record more", []string{soaText, nsText, text, address, other}, []string{"+ a.example.org. 1 60"}},
		{"one changed", []string{soaText, nsText, text, other}, []string{"- a.example.org. 1 60", "+ a.example.org. 1 60"}},
		{"another TTL", []string{soaText, nsText, text, "a.example.org. 61 IN A 192.0.2.1"}, []string{"- a.example.org. 1 60", "+ a.example.org. 1 61"}},
		{"a type gone", []string{soaText, nsText, address}, []string{"- a.example.org. 16 60"}},
		{
			"names moved",
			[]string{soaText, nsText, "z.b.example.org. 60 IN A 192.0.2.1", "0.example.org. 60 IN A 192.0.2.1"},
			[]string{"+ 0.example.org. 1 60", "- a.example.org. 1 60", "- a.example.org. 16 60", "+ z.b.example.org. 1 60"},
		},
	} {
		got := differencesOf(base, build(t, "example.org.", tc.records...))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tc.what, diff)
		}
	}
}

// TestDifferencesLead: made one after the other, the differences lead from one
// version to the other, whatever the two hold, and each is told once, in order.
func TestDifferencesLead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, to := buildFrom(t, drawRecords(t)), buildFrom(t, drawRecords(t))
		d := NewDelta(from, Limits{})
		var last wire.Name
		for r := range Differences(from, to) {
			if last != nil && last.Compare(r.Owner) > 0 {
				t.Fatalf("%s comes after %s", r.Owner, last)
			}
			last = r.Owner
			change := testChange{deletion, testRecord{r.Owner, r.Type, r.TTL, r.Rdata}}
			if r.Added {
				change.kind = addition
			}
			if err := change.applyTo(d); err != nil {
				t.Fatalf("%v: %v", change, err)
			}
		}
		got, err := d.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if !got.SameAs(to) {
			t.Fatalf("the differences lead elsewhere, -want +got:\n%s", cmp.Diff(dumpOf(to), dumpOf(got)))
		}
		if more := differencesOf(got, to); more != nil {
			t.Fatalf("and differ from that by %q", more)
		}
	})
}

// TestDifferencesEnd: whoever has seen enough may stop at any record.
func TestDifferencesEnd(t *testing.T) {
	t.Parallel()
	from := build(t, "example.org.", soaText, nsText, "a.example.org. 60 IN A 192.0.2.1", "b.example.org. 60 IN A 192.0.2.1")
	to := build(t, "example.org.", soaText, nsText, "c.example.org. 60 IN A 192.0.2.1", "d.example.org. 60 IN A 192.0.2.1")
	for most := range 4 {
		seen := 0
		for range Differences(from, to) {
			if seen++; seen > most {
				break
			}
		}
		if seen != most+1 {
			t.Errorf("saw %d, want %d", seen, most+1)
		}
	}
}

func BenchmarkDifferences(b *testing.B) {
	from, to := zoneOf(100_000), zoneOf(100_001)
	for b.Loop() {
		n := 0
		for range Differences(from, to) {
			n++
		}
	}
}
