package conformance

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
)

//go:embed testdata/*.zone
var zoneFiles embed.FS

// zone is a zone's content, and what its shape says about names.
type zone struct {
	apex    string
	text    []dns.RR
	records []record
	types   map[string][]uint16 // by owner, without RRSIG and NSEC
	nodes   []string            // owners and empty non-terminals, sorted
}

func newZone(t testing.TB, apex string, text []dns.RR) *zone {
	t.Helper()
	z := &zone{apex: apex, text: text, types: make(map[string][]uint16)}
	nodes := make(map[string]bool)
	for _, rr := range text {
		buf := make([]byte, dns.MaxMsgSize)
		n, err := dns.PackRR(rr, buf, 0, nil, false)
		if err != nil {
			t.Fatalf("zone %s: %v: %v", apex, rr, err)
		}
		r, _, err := parseRecord(buf[:n], 0)
		if err != nil {
			t.Fatalf("zone %s: %v: %v", apex, rr, err)
		}
		z.records = append(z.records, r)
		if r.rtype == dns.TypeNSEC3 || r.covers() == dns.TypeNSEC3 {
			continue // its owner is no name of the zone (RFC 5155 section 7.2.8)
		}
		nodes[r.owner] = true
		for _, parent := range above(r.owner, apex) {
			nodes[parent] = true
		}
		if r.rtype != dns.TypeRRSIG && r.rtype != dns.TypeNSEC && !slices.Contains(z.types[r.owner], r.rtype) {
			z.types[r.owner] = append(z.types[r.owner], r.rtype)
		}
	}
	z.nodes = slices.Sorted(maps.Keys(nodes))
	return z
}

// cut is the topmost delegation at or above a name, and whether there is one.
func (z *zone) cut(name string) (string, bool) {
	found, ok := "", false
	for ; name != z.apex && below(name, z.apex); _, name = first(name) {
		if slices.Contains(z.types[name], dns.TypeNS) {
			found, ok = name, true
		}
	}
	return found, ok
}

// load reads a zone file of testdata.
func load(t testing.TB, apex, file string) []dns.RR {
	t.Helper()
	text, err := zoneFiles.ReadFile("testdata/" + file + ".zone")
	if err != nil {
		t.Fatal(err)
	}
	return parseText(t, apex, string(text))
}

func parseText(t testing.TB, apex, text string) []dns.RR {
	t.Helper()
	records, err := primary.Parse(apex, text)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// hurtful is the zone of testdata with what would be too long to write down:
// names of the greatest length and RRsets of the greatest size.
func hurtful(t testing.TB, apex string) []dns.RR {
	t.Helper()
	return append(load(t, apex, "hurt"), parseText(t, apex, long(t, apex)+big())...)
}

// long is names of 255 octets and 127 labels, and DNAMEs whose rewriting makes
// names of 255, which is allowed, and 256, which is YXDOMAIN (RFC 6672 2.2).
func long(t testing.TB, apex string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s A 192.0.2.201\n", fill(t, apex, "", maxName))
	deep := strings.Repeat("x.", (maxName-len(pack(apex)))/2)
	fmt.Fprintf(&b, "%s%s TXT \"deep\"\n", deep, apex)
	fmt.Fprintf(&b, "*.%s A 192.0.2.202\n", fill(t, apex, "w.", 240))
	target := fill(t, apex, "t.", 200)
	fmt.Fprintf(&b, "dname-long DNAME %s\n", target)
	for i, end := range []int{maxName - 1, maxName, maxName + 1, maxName + 2} {
		fmt.Fprintf(&b, "to-long-%d CNAME %s.dname-long\n", i, strings.Repeat("y", end-200-1))
	}
	return b.String()
}

// fill is a name of exactly this many octets under apex, ending in suffix.
func fill(t testing.TB, apex, suffix string, octets int) string {
	t.Helper()
	name := suffix + apex
	for left := octets - len(pack(name)); left > 0; left = octets - len(pack(name)) {
		label := min(63, left-1)
		if left-1-label == 1 { // one octet is no label
			label--
		}
		name = strings.Repeat("n", label) + "." + name
	}
	if len(pack(name)) != octets {
		t.Fatalf("name of %d octets, want %d", len(pack(name)), octets)
	}
	return name
}

func big() string {
	var b strings.Builder
	long := strings.Repeat("x", 255)
	for i := range 300 {
		fmt.Fprintf(&b, "three-hundred A 198.51.%d.%d\n", i/250, i%250)
		fmt.Fprintf(&b, "three-hundred-mx MX %d host%d\n", i, i)
	}
	for i := range 40 {
		fmt.Fprintf(&b, "forty AAAA 2001:db8::%x\n", i+1)
	}
	fmt.Fprintf(&b, "txt-4k TXT%s\n", strings.Repeat(" \""+long+"\"", 17))
	fmt.Fprintf(&b, "txt-full TXT \"%s\"\n", long)
	for i := range 6 {
		fmt.Fprintf(&b, "txt-many TXT \"%d\" \"%s\"\n", i, long)
	}
	for i := range 13 { // referrals that fit 1232 octets or not, 512 hardly
		fmt.Fprintf(&b, "wide NS ns%d.some-what-longer-label.wide\nns%d.some-what-longer-label.wide A 192.0.2.%d\n", i, i, i)
		fmt.Fprintf(&b, "ns%d.some-what-longer-label.wide AAAA 2001:db8::%x\n", i, i)
	}
	for i := range 60 {
		fmt.Fprintf(&b, "wider NS ns%d.wider\nns%d.wider A 192.0.2.%d\nns%d.wider AAAA 2001:db8::%x\n", i, i, i, i, i)
	}
	for i := range 40 {
		fmt.Fprintf(&b, "widest NS a-name-server-far-away-%d.example.net.\n", i)
	}
	for i := range 24 { // longer than anybody follows
		fmt.Fprintf(&b, "link%d CNAME link%d\n", i, i+1)
	}
	b.WriteString("link24 A 192.0.2.203\n")
	return b.String()
}
