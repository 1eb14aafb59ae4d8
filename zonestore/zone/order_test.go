package zone

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// TestSortKey: the key never contradicts the canonical order, whatever octets
// the labels hold.
func TestSortKey(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	octets := []byte{0, 1, 2, 'a', 'A', 'b', 255}
	label := func() string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			fmt.Fprintf(&b, "\\%03d", octets[r.IntN(len(octets))])
		}
		return b.String()
	}
	name := func() wire.Name {
		text := "example.org."
		for range r.IntN(4) {
			text = label() + "." + text
		}
		return wiretest.Name(t, text)
	}
	for range 50_000 {
		a, b := name(), name()
		ka, kb := sortKey(a, 2), sortKey(b, 2)
		if c := a.Compare(b); c < 0 && ka > kb || c > 0 && ka < kb || c == 0 && ka != kb {
			t.Fatalf("%s and %s: names compare %d, keys %016x %016x", a, b, c, ka, kb)
		}
	}
}

const nsecText = " 60 IN NSEC next.example.org. A NSEC"

// TestNSECBefore compares the search with a walk over all names, with enough
// names that share a key to fill pages.
func TestNSECBefore(t *testing.T) {
	t.Parallel()
	records := []string{soaText, "example.org." + nsecText}
	var names []wire.Name
	names = append(names, wiretest.Name(t, "example.org."))
	for i := range 3000 {
		owner := fmt.Sprintf("%s%04d.example.org.", []string{"n", "same-start-", "x.y."}[i%3], i)
		records = append(records, owner+nsecText)
		names = append(names, wiretest.Name(t, owner))
	}
	z := build(t, "example.org.", records...)
	if !z.HasNSEC() {
		t.Fatal("the zone has no NSEC chain")
	}
	slices.SortFunc(names, wire.Name.Compare)
	check := func(query wire.Name) {
		t.Helper()
		i, exact := slices.BinarySearchFunc(names, query, wire.Name.Compare)
		if !exact {
			i--
		}
		if got, want := z.NSECBefore(query).Name(), names[i]; !got.Equal(want) {
			t.Fatalf("before %s: got %s, want %s", query, got, want)
		}
	}
	for _, n := range names {
		check(n)
		check(wiretest.Name(t, "!."+n.String()))
	}
	for i := range 3000 {
		check(wiretest.Name(t, fmt.Sprintf("same-start-%d.example.org.", i*3)))
		check(wiretest.Name(t, fmt.Sprintf("m%d.example.org.", i)))
	}
}

func TestNSEC3Before(t *testing.T) {
	hash := func(first byte) (h [NSEC3HashSize]byte) { h[0] = first; return h }
	owner := func(first byte) string {
		h := hash(first)
		return base32hex.EncodeToString(h[:]) + ".example.org."
	}
	const rdata = " 60 IN NSEC3 1 0 5 abcd 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A"
	z := build(t, "example.org.", soaText,
		"example.org. 0 IN NSEC3PARAM 1 0 5 abcd",
		owner(0x10)+rdata, owner(0x80)+rdata, strings.ToLower(owner(0xf0))+rdata,
		owner(0x90)+" 60 IN NSEC3 1 0 6 abcd 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A", // another chain
	)
	p, ok := z.NSEC3()
	if !ok || p.Iterations != 5 || string(p.Salt) != "\xab\xcd" {
		t.Fatalf("parameters: got %+v, %v", p, ok)
	}
	for _, tc := range []struct {
		hash, want byte
		matches    bool
	}{{0x10, 0x10, true}, {0x11, 0x10, false}, {0x80, 0x80, true}, {0x95, 0x80, false}, {0xff, 0xf0, false}, {0x05, 0xf0, false}} {
		h := hash(tc.hash)
		n, matches, ok := z.NSEC3Before(&h)
		if !ok || matches != tc.matches || !n.Name().Equal(wiretest.Name(t, owner(tc.want))) {
			t.Errorf("hash %02x: got %s matches %v, want %02x %v", tc.hash, n.Name(), matches, tc.want, tc.matches)
		}
	}
	h := hash(0x95)
	if allocs := testing.AllocsPerRun(100, func() { z.NSEC3Before(&h) }); allocs != 0 {
		t.Errorf("NSEC3Before allocates %v times", allocs)
	}
	if plain := build(t, "example.org.", soaText); plain.HasNSEC() || plain.hashed {
		t.Error("an unsigned zone has a chain")
	}
}

// TestChainsDecoded: the chains of a zone are the same after a restart.
func TestChainsDecoded(t *testing.T) {
	t.Parallel()
	const nsec3 = " 60 IN NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A"
	z := build(t, "example.org.", soaText,
		"example.org."+nsecText, "b.example.org."+nsecText, "a.example.org."+nsecText,
		"example.org. 0 IN NSEC3PARAM 1 0 0 -",
		strings.Repeat("0", 32)+".example.org."+nsec3, strings.Repeat("A", 32)+".example.org."+nsec3,
	)
	got, err := Decode(encoded(t, z), testSeed+1)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]order{{got.nsec, z.nsec}, {got.nsec3, z.nsec3}} {
		if pair[1].len() == 0 || !slices.EqualFunc(pair[0].pages, pair[1].pages, func(a, b orderPage) bool {
			return slices.Equal(a.keys, b.keys) && slices.Equal(a.nodes, b.nodes)
		}) {
			t.Errorf("got %v, want %v", pair[0], pair[1])
		}
	}
	z.nsec.pages[0].nodes[0], z.nsec.pages[0].nodes[1] = z.nsec.pages[0].nodes[1], z.nsec.pages[0].nodes[0]
	if _, err := Decode(encoded(t, z), testSeed); !errors.Is(err, ErrDamaged) {
		t.Errorf("a chain out of order: got %v", err)
	}
}

// TestChainPages decodes a chain of several pages: one that is out of order where
// two pages meet is found.
func TestChainPages(t *testing.T) {
	t.Parallel()
	const names = 2*orderPageSize + 100
	records := []string{soaText, "example.org." + nsecText}
	for i := range names {
		records = append(records, fmt.Sprintf("n%05d.example.org.%s", i, nsecText))
	}
	z := build(t, "example.org.", records...)
	got, err := Decode(encoded(t, z), testSeed)
	if err != nil {
		t.Fatal(err)
	}
	if got.nsec.len() != names+1 || len(got.nsec.pages) != 3 || !slices.Equal(got.nsec.firsts, z.nsec.firsts) {
		t.Errorf("%d names in %d pages", got.nsec.len(), len(got.nsec.pages))
	}
	for _, spoil := range []struct {
		what string
		a, b *uint32
	}{
		{"where pages meet", &z.nsec.pages[0].nodes[orderPageSize-1], &z.nsec.pages[1].nodes[0]},
		{"at the end", &z.nsec.pages[2].nodes[99], &z.nsec.pages[2].nodes[100]},
	} {
		*spoil.a, *spoil.b = *spoil.b, *spoil.a
		if _, err := Decode(encoded(t, z), testSeed); !errors.Is(err, errOrder) || !errors.Is(err, ErrDamaged) {
			t.Errorf("out of order %s: got %v", spoil.what, err)
		}
		*spoil.a, *spoil.b = *spoil.b, *spoil.a
	}
}

// TestOrdered: the walk meets every name once and in canonical order, in
// whatever order they came and whatever octets the labels hold. The models check
// it for all their zones too.
func TestOrdered(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	octets := []byte{0, 1, 2, '-', 'a', 'A', 'b', 255}
	b := newBuilder(t, "example.org.", Limits{})
	for range 5000 {
		owner := wire.Name("\x07example\x03org\x00")
		for range 1 + r.IntN(4) {
			label := make([]byte, 1+r.IntN(10))
			for i := range label {
				label[i] = octets[r.IntN(len(octets))]
			}
			owner = slices.Concat([]byte{byte(len(label))}, label, owner)
		}
		if err := b.Add(owner, wire.TypeTXT, 60, []byte{1, 'x'}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(modelApex, wire.TypeSOA, 60, soaRdata); err != nil {
		t.Fatal(err)
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	checkOrdered(t, z)
	for range z.Ordered() {
		break // a walk may end early
	}
}

// checkOrdered compares the walk in canonical order with the names sorted.
func checkOrdered(t rapid.TB, z *Zone) {
	t.Helper()
	var got, want []wire.Name
	for n := range z.All() {
		want = append(want, n.Name())
	}
	slices.SortFunc(want, wire.Name.Compare)
	for n := range z.Ordered() {
		got = append(got, n.Name())
	}
	if !slices.EqualFunc(got, want, wire.Name.Equal) {
		t.Errorf("walk in order: got %v, want %v", got, want)
	}
}
