package zone

import (
	"errors"
	"slices"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// TestHiddenNames: a name that owns NSEC3 records alone is no name of the zone,
// unless there are names below it (RFC 5155 section 7.1 and RFC 8020).
func TestHiddenNames(t *testing.T) {
	t.Parallel()
	const nsec3 = " 60 IN NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A RRSIG"
	z := build(t, "example.org.", soaText,
		"hash.example.org."+nsec3,
		"both.example.org."+nsec3,
		"both.example.org. 60 IN A 192.0.2.1",
		"above.example.org."+nsec3,
		"a.above.example.org. 60 IN A 192.0.2.2",
		"*.wild.example.org."+nsec3,
		"a.wild.example.org. 60 IN A 192.0.2.3",
	)
	for _, tc := range []struct {
		query, node string
		exact       bool
	}{
		{"hash.example.org.", "example.org.", false},
		{"x.hash.example.org.", "example.org.", false},
		{"both.example.org.", "both.example.org.", true},
		{"above.example.org.", "above.example.org.", true},
		{"x.above.example.org.", "above.example.org.", false},
	} {
		m := find(t, z, tc.query)
		if got := m.Node.Name().String(); got != tc.node || m.Exact != tc.exact {
			t.Errorf("find %s: got %s exact %v, want %s exact %v", tc.query, got, m.Exact, tc.node, tc.exact)
		}
		if _, ok := z.FindName(wiretest.Name(t, tc.query)); ok != tc.exact {
			t.Errorf("find the name %s: got %v, want %v", tc.query, ok, tc.exact)
		}
	}
	var s wire.Suffixes
	s.Set(wiretest.Name(t, "x.wild.example.org."), testSeed)
	if n, ok := z.Wildcard(z.Find(&s), &s); ok {
		t.Errorf("the wildcard of x.wild.example.org. is %s, which owns NSEC3 alone", n.Name())
	}
}

// TestManySignatures: RRSIG records can claim to cover every number there is,
// one more than a count of two octets can say.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, "example.org.", Limits{})
	if err := b.Add(modelApex, wire.TypeSOA, 3600, soaRdata); err != nil {
		t.Fatal(err)
	}
	owner := wiretest.Name(t, "a.example.org.")
	for covers := range 1 << 16 {
		if err := b.Add(owner, wire.TypeRRSIG, 60, []byte(signature(uint16(covers), "a"))); err != nil {
			t.Fatal(err)
		}
	}
	z, err := b.Finish()
	if _, ok := errors.AsType[*LimitError](err); ok {
		return // refused for what it is
	}
	if err != nil {
		t.Fatal(err)
	}
	n, _ := z.FindName(owner)
	if got := len(slices.Collect(n.Sets())); got != 1<<16 || z.Records() != 1<<16+1 {
		t.Errorf("got %d sets, %d records; want %d, %d", got, z.Records(), 1<<16, 1<<16+1)
	}
}

// TestOctetsLimit: a zone that passes the limit on memory keeps it to the end,
// also when names that came in pieces are put together.
func TestOctetsLimit(t *testing.T) {
	t.Parallel()
	var records []testRecord
	for i := range 200 {
		owner := wiretest.Name(t, string(rune('a'+i%2))+".example.org.")
		rdata := append([]byte{100, byte(i)}, make([]byte, 99)...)
		records = append(records, testRecord{owner, wire.TypeTXT, 60, rdata})
	}
	for limit := 1000; limit < 200_000; limit += 1000 {
		z, err := buildFuzzed(t, records, Limits{Octets: limit})
		if err == nil && z.Octets() > limit {
			t.Fatalf("limit %d: the zone has %d octets", limit, z.Octets())
		}
	}
}
