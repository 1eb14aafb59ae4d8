package zone

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// zoneFile makes a zone of a file of testdata, without what is not in it. Its
// apex is the owner of the first record.
func zoneFile(t testing.TB, path string) *Zone {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return readZone(t, string(text))
}

func readZone(t testing.TB, text string) *Zone {
	t.Helper()
	var b *Builder
	parser := dns.NewZoneParser(strings.NewReader(text), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		h := rr.Header()
		if b == nil {
			b = newBuilder(t, h.Name, Limits{})
		}
		owner := wiretest.Name(t, h.Name)
		if !owner.In(b.zone.apex) {
			continue
		}
		if err := b.Add(owner, h.Rrtype, h.Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatalf("add %s: %v", rr, err)
		}
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func verifyZONEMD(t testing.TB, z *Zone) DigestCheck {
	t.Helper()
	check, err := z.VerifyZONEMD(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return check
}

// TestZONEMDVectors verifies the examples of RFC 8976 appendix A, and a zone of
// odd names that Knot DNS signed and digested.
func TestZONEMDVectors(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"simple", "complex", "multiple", "uri.arpa", "root-servers", "odd.example"} {
		z := zoneFile(t, "zonemd/"+file+".zone")
		if got := verifyZONEMD(t, z); got.State != DigestVerified || got.Reason != "" {
			t.Errorf("%s: got %s: %s", file, got.State, got.Reason)
		}
	}
}

// The digests of appendix A.3.
const (
	sha384Text = "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306"
	sha512Text = "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27"
	serialText = "2018031900"
)

// TestZONEMDStates gives the zone of appendix A.3 other ZONEMD records.
func TestZONEMDStates(t *testing.T) {
	t.Parallel()
	base := []string{
		"example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400",
		"example. 86400 IN NS ns1.example.",
		"example. 86400 IN NS ns2.example.",
		"ns1.example. 3600 IN A 203.0.113.63",
		"ns2.example. 86400 IN TXT \"This example has multiple digests\"",
		"ns2.example. 3600 IN AAAA 2001:db8::63",
	}
	wrong384, wrong512 := strings.Repeat("0", len(sha384Text)), strings.Repeat("0", len(sha512Text))
	for _, tc := range []struct {
		what    string
		records []string
		state   DigestState
		reason  string
	}{
		{"none", nil, DigestNone, ""},
		{"SHA-384", []string{serialText + " 1 1 " + sha384Text}, DigestVerified, ""},
		{"SHA-512", []string{serialText + " 1 2 " + sha512Text}, DigestVerified, ""},
		{"one of two wrong", []string{serialText + " 1 1 " + wrong384, serialText + " 1 2 " + sha512Text}, DigestVerified, ""},
		{"the other wrong", []string{serialText + " 1 1 " + sha384Text, serialText + " 1 2 " + wrong512}, DigestVerified, ""},
		{"both wrong", []string{serialText + " 1 1 " + wrong384, serialText + " 1 2 " + wrong512}, DigestFailed, "SHA-512 digest of the zone begins with 08cfa1115c7b948c"},
		{"wrong", []string{serialText + " 1 1 " + wrong384}, DigestFailed, "begins with 62e6cf51b02e54b9, that of the ZONEMD record with 0000000000000000"},
		{"serial", []string{"2018031899 1 1 " + sha384Text}, DigestFailed, "for serial 2018031899, the zone has 2018031900"},
		{"serial of one", []string{"2018031899 1 1 " + sha384Text, serialText + " 1 2 " + sha512Text}, DigestVerified, ""},
		{"cut short", []string{serialText + " 1 1 " + sha384Text[:24]}, DigestFailed, "has 12 octets, not 48"},
		{"of another algorithm", []string{serialText + " 1 2 " + sha384Text}, DigestFailed, "has 48 octets, not 64"},
		{"shorter than any", []string{serialText + " 1 1 " + sha384Text[:22]}, DigestFailed, "too short"},
		{"too short beside one that fits", []string{serialText + " 1 2 0102", serialText + " 1 1 " + sha384Text}, DigestVerified, ""},
		{"twice, one right", []string{serialText + " 1 1 " + sha384Text, serialText + " 1 1 " + wrong384}, DigestFailed, "there are 2 ZONEMD records with SHA-384"},
		{"twice, another algorithm right", []string{serialText + " 1 1 " + sha384Text, serialText + " 1 1 " + wrong384, serialText + " 1 2 " + sha512Text}, DigestVerified, ""},
		{"scheme", []string{serialText + " 2 1 " + sha384Text}, DigestUnsupported, "scheme 2 with algorithm 1 is not known"},
		{"algorithm", []string{serialText + " 1 3 " + sha384Text}, DigestUnsupported, "scheme 1 with algorithm 3 is not known"},
		{"algorithm and wrong", []string{serialText + " 1 3 " + sha384Text, serialText + " 1 1 " + wrong384}, DigestFailed, "scheme 1 with algorithm 3 is not known"},
		{"algorithm and right", []string{serialText + " 1 3 " + sha384Text, serialText + " 1 1 " + sha384Text}, DigestVerified, ""},
		{
			"many",
			[]string{serialText + " 3 1 " + sha384Text, serialText + " 4 1 " + sha384Text, serialText + " 5 1 " + sha384Text, serialText + " 6 1 " + sha384Text, serialText + " 7 1 " + sha384Text},
			DigestUnsupported, "scheme 6 with algorithm 1 is not known; and 1 more",
		},
	} {
		records := slices.Clone(base)
		for _, rdata := range tc.records {
			records = append(records, "example. 86400 IN ZONEMD "+rdata)
		}
		got := verifyZONEMD(t, build(t, "example.", records...))
		if got.State != tc.state || !strings.Contains(got.Reason, tc.reason) || (got.Reason == "") != (tc.reason == "") {
			t.Errorf("%s: got %s: %q, want %s: %q", tc.what, got.State, got.Reason, tc.state, tc.reason)
		}
	}
}

// TestZONEMDNotices: whatever changes in a zone changes its digest, and what
// must not count does not.
func TestZONEMDNotices(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "zonemd", "odd.example.zone"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range lines {
		if i < 2 || strings.HasPrefix(line, ";") { // the SOA stays
			continue
		}
		z := readZone(t, strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n"))
		want := DigestFailed
		switch {
		case strings.HasPrefix(line, "odd.example. 3600 IN ZONEMD "):
			want = DigestNone
		case strings.HasPrefix(line, "odd.example. 3600 IN RRSIG ZONEMD "):
			want = DigestVerified
		}
		if got := verifyZONEMD(t, z); got.State != want {
			t.Errorf("without %.60s: got %s, want %s", line, got.State, want)
		}
	}
	for _, change := range [][2]string{
		{`60 IN TXT "one"`, `61 IN TXT "one"`},
		{"ns.sub.odd.example. 60 IN AAAA 2001:db8::1", "ns.sub.odd.example. 60 IN AAAA 2001:db8::2"},
		{`"occluded"`, `"occluded."`},
	} {
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			t.Fatalf("the zone has no %s", change[0])
		}
		if got := verifyZONEMD(t, readZone(t, changed)); got.State != DigestFailed {
			t.Errorf("with %s: got %s", change[1], got.State)
		}
	}
	upper := strings.Replace(string(text), "\nns.sub.odd.example. ", "\nNS.sub.Odd.example. ", 1)
	if got := verifyZONEMD(t, readZone(t, upper)); upper == string(text) || got.State != DigestVerified {
		t.Errorf("with a name in upper case: got %s: %s", got.State, got.Reason)
	}
}

func TestZONEMDEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := zoneOf(2*digestNodes).digest(ctx, sha512.New384()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestZONEMDMemory: what a verification takes does not follow the size of a zone
// whose names came in order.
func TestZONEMDMemory(t *testing.T) {
	allocated := func(names int) float64 {
		z, h := zoneOf(names), sha512.New384()
		return testing.AllocsPerRun(5, func() {
			if err := z.digest(t.Context(), h); err != nil {
				t.Fatal(err)
			}
		})
	}
	if small, large := allocated(100), allocated(50_000); large > small {
		t.Errorf("%v allocations for a small zone, %v for a large one", small, large)
	}
}

// BenchmarkZONEMD tells the time for each record, the names in order and not.
func BenchmarkZONEMD(b *testing.B) {
	shuffled := func() *Zone {
		builder, err := NewBuilder(modelApex, testSeed, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range benchNames {
			owner := wire.Name(fmt.Sprintf("\x0Bname-%06d\x07example\x03org\x00", i*7919%benchNames))
			if err := builder.Add(owner, wire.TypeA, 3600, []byte{192, 0, 2, 1}); err != nil {
				b.Fatal(err)
			}
		}
		if err := builder.Add(modelApex, wire.TypeSOA, 3600, soaRdata); err != nil {
			b.Fatal(err)
		}
		z, err := builder.Finish()
		if err != nil {
			b.Fatal(err)
		}
		return z
	}
	for _, tc := range []struct {
		name string
		zone *Zone
	}{{"in order", benchZone()}, {"shuffled", shuffled()}} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := tc.zone.digest(b.Context(), sha512.New384()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tc.zone.Records()), "ns/record")
		})
	}
}
