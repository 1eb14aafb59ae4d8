package zone

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

const testSeed = 42

// build makes a zone of records in presentation form.
func build(t testing.TB, apex string, records ...string) *Zone {
	t.Helper()
	b := newBuilder(t, apex, Limits{})
	for _, text := range records {
		if err := add(t, b, text); err != nil {
			t.Fatalf("add %q: %v", text, err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatalf("finish %s: %v", apex, err)
	}
	return z
}

func newBuilder(t testing.TB, apex string, limits Limits) *Builder {
	t.Helper()
	b, err := NewBuilder(wiretest.Name(t, apex), testSeed, limits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func add(t testing.TB, b *Builder, text string) error {
	t.Helper()
	rr := wiretest.Record(t, text)
	h := rr.Header()
	return b.Add(wiretest.Name(t, h.Name), h.Rrtype, h.Ttl, wiretest.Rdata(t, rr))
}

const soaText = "example.org. 3600 IN SOA ns.example.org. admin.example.org. 7 600 300 86400 60"

func find(t testing.TB, z *Zone, name string) Match {
	t.Helper()
	var s wire.Suffixes
	s.Set(wiretest.Name(t, name).Fold(), testSeed)
	return z.Find(&s)
}

func TestFind(t *testing.T) {
	t.Parallel()
	z := build(t, "example.org.",
		soaText,
		"example.org. 3600 IN NS ns.example.org.",
		"ns.example.org. 3600 IN A 192.0.2.1",
		"a.b.c.example.org. 60 IN A 192.0.2.2",
		"*.wild.example.org. 60 IN TXT hello",
		"sub.example.org. 60 IN NS ns.deep.sub.example.org.",
		"ns.deep.sub.example.org. 60 IN A 192.0.2.3",
		"below.sub.example.org. 60 IN NS elsewhere.",
		"dn.example.org. 60 IN DNAME target.",
		"x.dn.example.org. 60 IN A 192.0.2.4",
	)
	for _, tc := range []struct {
		query, node string
		exact       bool
		above       string
	}{
		{"example.org.", "example.org.", true, ""},
		{"NS.Example.ORG.", "ns.example.org.", true, ""},
		{"b.c.example.org.", "b.c.example.org.", true, ""},
		{"z.c.example.org.", "c.example.org.", false, ""},
		{"no.such.name.example.org.", "example.org.", false, ""},
		{"q.wild.example.org.", "wild.example.org.", false, ""},
		{"sub.example.org.", "sub.example.org.", true, "sub.example.org."},
		{"ns.deep.sub.example.org.", "ns.deep.sub.example.org.", true, "sub.example.org."},
		{"no.below.sub.example.org.", "below.sub.example.org.", false, "sub.example.org."},
		{"dn.example.org.", "dn.example.org.", true, ""},
		{"x.dn.example.org.", "x.dn.example.org.", true, "dn.example.org."},
		{"y.z.dn.example.org.", "dn.example.org.", false, "dn.example.org."},
	} {
		m := find(t, z, tc.query)
		if got := m.Node.Name().String(); got != tc.node || m.Exact != tc.exact {
			t.Errorf("find %s: got %s exact %v, want %s exact %v", tc.query, got, m.Exact, tc.node, tc.exact)
		}
		if m.Covered != (tc.above != "") {
			t.Errorf("find %s: covered %v, want %q", tc.query, m.Covered, tc.above)
		} else if m.Covered && m.Above.Name().String() != tc.above {
			t.Errorf("find %s: above %s, want %s", tc.query, m.Above.Name(), tc.above)
		}
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	z := build(t, "example.org.", soaText, "*.Wild.example.org. 60 IN TXT hello", "*.example.org. 60 IN TXT top")
	for query, want := range map[string]string{
		"q.wild.example.org.":   "*.Wild.example.org.",
		"a.b.wild.example.org.": "*.Wild.example.org.",
		"other.example.org.":    "*.example.org.",
	} {
		var s wire.Suffixes
		s.Set(wiretest.Name(t, query).Fold(), testSeed)
		n, ok := z.Wildcard(z.Find(&s), &s)
		if !ok || n.Name().String() != want {
			t.Errorf("wildcard of %s: got %v, want %s", query, ok, want)
		}
	}
}

func TestOrderAndDuplicates(t *testing.T) {
	t.Parallel()
	z := build(t, "example.org.",
		soaText,
		"a.example.org. 60 IN MX 10 Mail.example.org.",
		"b.example.org. 60 IN A 192.0.2.9",
		"A.example.org. 30 IN MX 10 mail.EXAMPLE.org.",
		"b.example.org. 60 IN AAAA 2001:db8::1",
		"a.example.org. 90 IN MX 5 other.example.org.",
		soaText,
	)
	if got, want := z.Records(), 5; got != want {
		t.Errorf("records: got %d, want %d", got, want)
	}
	n, ok := z.FindName(wiretest.Name(t, "a.example.org."))
	if !ok {
		t.Fatal("a.example.org. is missing")
	}
	set, ok := n.Set(wire.TypeMX)
	if !ok || set.Len() != 2 || set.TTL != 30 {
		t.Errorf("MX: got %d records, TTL %d; want 2 and the lowest TTL, 30", set.Len(), set.TTL)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	fill := func(limits Limits, record func(i int) string) error {
		b := newBuilder(t, "example.org.", limits)
		if err := add(t, b, soaText); err != nil {
			return err
		}
		for i := range 300 {
			if err := add(t, b, record(i)); err != nil {
				return err
			}
		}
		_, err := b.Finish()
		return err
	}
	oneSet := func(i int) string { return fmt.Sprintf("a.example.org. 60 IN A 192.0.%d.%d", i/250, i%250) }
	split := func(i int) string {
		return fmt.Sprintf("%c.example.org. 60 IN A 192.0.%d.%d", 'a'+rune(i%2), i/250, i%250)
	}
	types := func(i int) string { return fmt.Sprintf("a.example.org. 60 IN TYPE%d \\# 1 00", 1000+i) }
	for name, tc := range map[string]struct {
		limits Limits
		record func(int) string
		what   string
	}{
		"records":                {Limits{Records: 300}, oneSet, "records"},
		"records of a set":       {Limits{RRsetRecords: 299}, oneSet, "records in an RRset"},
		"records of a split set": {Limits{RRsetRecords: 149}, split, "records in an RRset"},
		"types":                  {Limits{Types: 299}, types, "types at a name"},
		"memory":                 {Limits{Octets: 4000}, split, "octets of memory"},
	} {
		limit, ok := errors.AsType[*LimitError](fill(tc.limits, tc.record))
		if !ok || limit.What != tc.what {
			t.Errorf("%s: got %v, want a limit on %s", name, limit, tc.what)
		}
	}
	within := Limits{Records: 301, RRsetRecords: 300, Types: 300, Octets: 1 << 20}
	for _, record := range []func(int) string{oneSet, split, types} {
		if err := fill(within, record); err != nil {
			t.Errorf("at the limit: %v", err)
		}
	}
}

// TestLimitsWithoutEnd: a name that never ends is refused while it comes, and
// what it repeats takes no memory.
func TestLimitsWithoutEnd(t *testing.T) {
	t.Parallel()
	name := wiretest.Name(t, "a.example.org.")
	for what, record := range map[string]func(i uint32) (uint16, []byte){
		"records in an RRset": func(i uint32) (uint16, []byte) { return wire.TypeA, binary.BigEndian.AppendUint32(nil, i) },
		"types at a name":     func(i uint32) (uint16, []byte) { return uint16(1000 + i), nil },
	} {
		b := newBuilder(t, "example.org.", Limits{RRsetRecords: 1000, Types: 100})
		added := uint32(0)
		var err error
		for ; err == nil && added <= 2*firstLook; added++ {
			rtype, rdata := record(added)
			err = b.Add(name, rtype, 60, rdata)
		}
		if limit, ok := errors.AsType[*LimitError](err); !ok || limit.What != what || added > firstLook+1 {
			t.Errorf("after %d records: got %v, want a limit on %s", added, err, what)
		}
	}
	b := newBuilder(t, "example.org.", Limits{})
	const size = 1000
	for i := range 4 * firstLook {
		if err := b.Add(name, 1000, 60, bytes.Repeat([]byte{byte(i % 2)}, size)); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Octets(); got > 2*firstLook*size {
		t.Errorf("two records, repeated, take %d octets", got)
	}
}

func TestNoZone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		records []string
		want    error
	}{
		"no SOA":      {[]string{"a.example.org. 60 IN A 192.0.2.1"}, ErrNoSOA},
		"two SOAs":    {[]string{soaText, "example.org. 60 IN SOA a. b. 8 1 1 1 1"}, ErrManySOA},
		"foreign SOA": {[]string{soaText, "a.example.org. 60 IN SOA a. b. 8 1 1 1 1"}, ErrForeignSOA},
		"outside":     {[]string{soaText, "xexample.org. 60 IN A 192.0.2.1"}, ErrOutOfZone},
		"above":       {[]string{soaText, "org. 60 IN A 192.0.2.1"}, ErrOutOfZone},
	} {
		b := newBuilder(t, "example.org.", Limits{})
		var err error
		for _, text := range tc.records {
			if err = add(t, b, text); err != nil {
				break
			}
		}
		if err == nil {
			_, err = b.Finish()
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestRootZone(t *testing.T) {
	t.Parallel()
	z := build(t, ".", ". 60 IN SOA a. b. 1 2 3 4 5", ". 60 IN NS a.", "org. 60 IN NS ns.org.", "ns.org. 60 IN A 192.0.2.1")
	if m := find(t, z, "www.example.org."); !m.Covered || m.Above.Name().String() != "org." {
		t.Errorf("www.example.org. in the root zone: %+v", m)
	}
	if m := find(t, z, "."); !m.Exact || !m.Node.IsApex() {
		t.Errorf("the root itself: %+v", m)
	}
}

func TestBigObjects(t *testing.T) {
	t.Parallel()
	b := newBuilder(t, "example.org.", Limits{})
	if err := add(t, b, soaText); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 60000)
	owner := wiretest.Name(t, "big.example.org.")
	for i := range 40 { // 2.4 MB: more than two chunks
		big[0] = byte(i)
		if err := b.Add(owner, 65280, 60, big); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2000 {
		if err := add(t, b, fmt.Sprintf("n%d.example.org. 60 IN A 192.0.2.1", i)); err != nil {
			t.Fatal(err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	n, _ := z.FindName(owner)
	set, ok := n.Set(65280)
	if !ok || set.Len() != 40 {
		t.Fatalf("big set: got %d records, want 40", set.Len())
	}
	i := 0
	for rdata := range set.Records() {
		if len(rdata) != len(big) || rdata[0] != byte(i) {
			t.Errorf("record %d: %d octets beginning with %d", i, len(rdata), rdata[0])
		}
		i++
	}
	for i := range 2000 {
		if _, ok := z.FindName(wiretest.Name(t, fmt.Sprintf("n%d.example.org.", i))); !ok {
			t.Fatalf("n%d is missing", i)
		}
	}
}
