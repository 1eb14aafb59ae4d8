package dnssec

import (
	"bytes"
	"crypto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/zone"
)

// now is within the validity of all signatures in testdata.
var now = time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)

// signedZone is the text of a zone, one record a line.
type signedZone struct {
	lines  []string
	anchor string // a DS record for it
}

func load(t testing.TB, name string) signedZone {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".zone"))
	if err != nil {
		t.Fatal(err)
	}
	var z signedZone
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if anchor, ok := strings.CutPrefix(line, "; anchor: "); ok {
			z.anchor = anchor
		}
		if !strings.HasPrefix(line, ";") {
			z.lines = append(z.lines, line)
		}
	}
	return z
}

// An edit replaces what it finds in each line; a line that becomes empty is gone,
// and one that stays is found by how it begins. It must find something.
type edit struct{ find, replace string }

// without is the edit that removes the lines that begin so.
func without(start string) edit { return edit{start, ""} }

func (z signedZone) edited(t testing.TB, edits ...edit) signedZone {
	t.Helper()
	lines := slices.Clone(z.lines)
	for _, e := range edits {
		found := false
		for i, line := range lines {
			if e.replace == "" && strings.HasPrefix(line, e.find) {
				lines[i], found = "", true
			}
			if e.replace != "" && strings.Contains(line, e.find) {
				lines[i], found = strings.Replace(line, e.find, e.replace, 1), true
			}
		}
		if !found {
			t.Fatalf("no line has %q", e.find)
		}
	}
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	return signedZone{lines, z.anchor}
}

func (z signedZone) with(lines ...string) signedZone {
	return signedZone{slices.Concat(z.lines, lines), z.anchor}
}

// starting returns the only line that begins so.
func (z signedZone) starting(t testing.TB, start string) string {
	t.Helper()
	for _, line := range z.lines {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	t.Fatalf("no line begins with %q", start)
	return ""
}

func (z signedZone) records(t testing.TB) []dns.RR {
	t.Helper()
	records := make([]dns.RR, 0, len(z.lines))
	for _, line := range z.lines {
		records = append(records, wiretest.Record(t, line))
	}
	return records
}

func (z signedZone) compile(t testing.TB) *zone.Zone {
	t.Helper()
	records := z.records(t)
	b, err := zone.NewBuilder(wiretest.Name(t, records[0].Header().Name), 42, zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range records {
		h := rr.Header()
		if err := b.Add(wiretest.Name(t, h.Name), h.Rrtype, h.Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatalf("add %s: %v", rr, err)
		}
	}
	compiled, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// newKey makes a key for the zones of this package's tests.
func newKey(t testing.TB) (*dns.DNSKEY, crypto.Signer) {
	t.Helper()
	key := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	return key, private.(crypto.Signer)
}

// resigned has one new key sign all that was signed before.
func (z signedZone) resigned(t testing.TB) signedZone {
	t.Helper()
	key, private := newKey(t)
	type set struct {
		owner string
		t     uint16
	}
	sets := map[set][]dns.RR{}
	var order []set
	signed := map[set]bool{}
	for _, rr := range z.records(t) {
		h := rr.Header()
		owner := dns.CanonicalName(h.Name)
		switch rr := rr.(type) {
		case *dns.RRSIG:
			signed[set{owner, rr.TypeCovered}] = true
		case *dns.DNSKEY:
		default:
			s := set{owner, h.Rrtype}
			if sets[s] == nil {
				order = append(order, s)
			}
			sets[s] = append(sets[s], rr)
		}
	}
	keys := set{"example.org.", dns.TypeDNSKEY}
	sets[keys] = []dns.RR{key}
	result := signedZone{anchor: key.ToDS(dns.SHA256).String()}
	for _, s := range append(order, keys) {
		for _, rr := range sets[s] {
			result.lines = append(result.lines, rr.String())
		}
		if signed[s] {
			result.lines = append(result.lines, sign(t, key, private, sets[s], time.Hour))
		}
	}
	return result
}

// sign returns a signature of the set that is valid for that long from now on.
func sign(t testing.TB, key *dns.DNSKEY, private crypto.Signer, set []dns.RR, life time.Duration) string {
	t.Helper()
	sig := &dns.RRSIG{
		Inception: uint32(now.Unix() - 3600), Expiration: uint32(now.Add(life).Unix()),
		KeyTag: key.KeyTag(), SignerName: key.Hdr.Name, Algorithm: key.Algorithm,
	}
	if err := sig.Sign(private, set); err != nil {
		t.Fatal(err)
	}
	return sig.String()
}

// validate validates a zone with the anchors, records in presentation form.
func validate(t testing.TB, z *zone.Zone, at time.Time, anchors ...string) Report {
	t.Helper()
	o := Options{Now: at, Problems: 100}
	for _, text := range anchors {
		apex, a, err := ParseAnchor(text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(apex, z.Apex()) {
			t.Fatalf("the anchor is for %s", apex)
		}
		o.Anchors = append(o.Anchors, a)
	}
	report, err := Validate(t.Context(), z, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func told(r Report) []string {
	lines := []string{}
	for _, p := range r.Problems {
		lines = append(lines, p.String())
	}
	return lines
}
