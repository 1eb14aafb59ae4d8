package api

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/zone"
)

func exportPath(zone string) string { return "/zones/" + zone + "/dns_records/export" }

const exportSOA = "example.org.\t3600\tIN\tSOA\tns.example.org. admin.example.org. 7 600 300 86400 60"

// copyOf makes a zone of records in presentation form.
func copyOf(t testing.TB, records ...string) *zone.Zone {
	t.Helper()
	b, err := zone.NewBuilder(wiretest.Name(t, "example.org"), 42, zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append([]string{exportSOA}, records...) {
		rr := wiretest.Record(t, text)
		if err := b.Add(wiretest.Name(t, rr.Header().Name), rr.Header().Rrtype, rr.Header().Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// export asks for a zone file.
func (w *world) export(t testing.TB, zone string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.http.Handler.ServeHTTP(recorder, w.request(t, "GET", exportPath(zone), ""))
	return recorder
}

func TestExport(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.copies[zoneOne] = copyOf(
		t, "b.example.org. 60 IN A 192.0.2.2", "b.example.org. 60 IN A 192.0.2.1", "a.b.example.org. 60 IN TXT \"x y\" \"\"",
		"example.org. 300 IN A 192.0.2.3", "A.example.org. 60 IN AAAA 2001:db8::1",
		"example.org. 3600 IN RRSIG SOA 13 2 3600 20260201000000 20260101000000 1 example.org. YWJj", "example.org. 3600 IN NS NS.example.org.",
	)
	const want = exportSOA + `
example.org.	3600	IN	RRSIG	SOA 13 2 3600 20260201000000 20260101000000 1 example.org. YWJj
example.org.	300	IN	A	192.0.2.3
example.org.	3600	IN	NS	NS.example.org.
A.example.org.	60	IN	AAAA	2001:db8::1
b.example.org.	60	IN	A	192.0.2.1
b.example.org.	60	IN	A	192.0.2.2
a.b.example.org.	60	IN	TXT	"x y" ""
`
	wantText(t, s.export(t, zoneOne), want)
}

// wantText wants an answer that is a plain text.
func wantText(t *testing.T, got *httptest.ResponseRecorder, want string) {
	t.Helper()
	if diff := cmp.Diff(want, got.Body.String()); diff != "" || got.Code != http.StatusOK {
		t.Errorf("%d: %s", got.Code, diff)
	}
	if kind := got.Header().Get("Content-Type"); kind != "text/plain; charset=UTF-8" {
		t.Errorf("Content-Type %q", kind)
	}
}

func TestExportRefusals(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for path, want := range map[string]struct {
		status int
		faults string
	}{
		exportPath(zoneTwo): {404, "1001"},
		exportPath(zoneOne): {404, "2206"},
		exportPath("a%2Fb"): {404, "7003"},
	} {
		if got := s.send(t, "GET", path, ""); got.status != want.status || got.faults() != want.faults {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := s.send(t, "POST", exportPath(zoneOne), "{}"); got.status != 405 || got.faults() != "7001" {
		t.Error(got.body)
	}
	s.copies[zoneOne] = copyOf(t)
	for range maxExports {
		s.exports.begin("")
	}
	if got := s.send(t, "GET", exportPath(zoneOne), ""); got.status != 503 || got.faults() != "2404" {
		t.Errorf("one too many: %s", got.body)
	}
	s.exports.end("")
	if got := s.export(t, zoneOne); got.Code != http.StatusOK {
		t.Errorf("with a free place: %d", got.Code)
	}
}

// records is one of every type that is written in a form of its own, and some
// in the general form.
var records = []string{
	"SOA a.example. b.example. 4294967295 1 2 3 4", "A 192.0.2.1", "AAAA 2001:db8::ffff", "NS ns.example.", "CNAME a.example.", "DNAME a.example.", "PTR a.example.", "MX 10 mx.example.",
	"SRV 1 2 65535 srv.example.", `TXT "a\"b\\c;d" "\000\255" ""`, `SPF "v=spf1 -all"`, "DS 1 13 2 " + strings.Repeat("AB", 32),
	"CDS 0 0 0 00", "DLV 1 13 2 " + strings.Repeat("AB", 32), "DNSKEY 257 3 13 YWJj", "CDNSKEY 0 3 0 AA==", "KEY 256 3 13 YWJj",
	"RRSIG A 13 2 300 20260201000000 20260101000000 12345 example.org. YWJj", "SIG A 13 2 300 20260201000000 20260101000000 12345 example.org. YWJj",
	"NSEC b.example.org. A RRSIG NSEC TYPE65280", "NSEC3 1 1 12 AABB 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A RRSIG",
	"NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM", "NSEC3PARAM 1 0 0 -", "NSEC3PARAM 1 0 5 AABB",
	"TLSA 3 1 1 " + strings.Repeat("AB", 32), "SMIMEA 3 1 1 " + strings.Repeat("AB", 32), "SSHFP 4 2 " + strings.Repeat("AB", 32),
	"ZONEMD 7 1 1 " + strings.Repeat("AB", 48), "OPENPGPKEY YWJj", "CERT PKIX 1 13 YWJj", "DHCID YWJj", `NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:a@b.example!" .`,
	`HINFO "a b" "c"`, "RP a.example. b.example.", "AFSDB 1 a.example.", "KX 1 a.example.", `URI 1 2 "https://a.example/?b=c"`, "EUI48 00-00-5e-00-53-2a",
	"EUI64 00-00-5e-ef-10-00-00-2a", `CAA 128 issue "ca.example; a=b"`, "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
	"APL 1:192.0.2.0/24 !2:2001:db8::/32", `HTTPS 1 . alpn="h2,h3" port="853" ipv4hint="192.0.2.1"`, "SVCB 0 a.example.",
	"CSYNC 66 3 A NS AAAA", "HIP 2 200100107B1A74DF365639CC39F1D578 AwEA rvs.example.", "IPSECKEY 10 1 2 192.0.2.38 YWJj", "IPSECKEY 10 0 2 . YWJj",
	"AMTRELAY 10 0 3 a.example.", "NID 10 0014:4fff:ff20:ee64", "L32 10 10.1.2.0", "L64 10 2001:0db8:1140:1000", "LP 10 a.example.",
	"MINFO a.example. b.example.", "PX 10 a.example. b.example.", "RT 10 a.example.", "TALINK a.example. b.example.", "X25 311061700956",
	`GPOS -32.6882 116.8652 10.0`, `ISDN "150862028003217" "004"`, "NSAP-PTR a.example.", "MB a.example.", "MG a.example.", "MR a.example.",
	`NINFO "a"`, `UINFO "a"`, "UID 1", "GID 2", "EID 00AB", "NIMLOC 00AB", "RKEY 0 3 13 YWJj", "TA 1 13 2 " + strings.Repeat("AB", 32),
	`AVC "a"`, `RESINFO "qnamemin"`, `TYPE65280 \# 0`, `TYPE65280 \# 3 ABCDEF`, `TYPE11 \# 6 C00002010600`,
}

// Every type comes back from the text as it was, and in the form of its type
// where others know one.
func TestExportOfEveryType(t *testing.T) {
	t.Parallel()
	var w zoneText
	seen := make(map[uint16]bool)
	for _, text := range records {
		rr := wiretest.Record(t, "a.example.org. 60 IN "+text)
		kind, rdata := rr.Header().Rrtype, wiretest.Rdata(t, rr)
		seen[kind] = true
		line := lineOf(t, &w, "a.example.org.", kind, rdata)
		got := wiretest.Record(t, line)
		if got.Header().Rrtype != kind || !bytes.Equal(wiretest.Rdata(t, got), rdata) {
			t.Errorf("%s became %s", text, line)
		}
		if written[kind] == strings.Contains(line, `\#`) {
			t.Errorf("%s is written as %s", text, line)
		}
	}
	for kind := range written {
		if !seen[kind] {
			t.Errorf("no record of type %s is tried", dns.TypeToString[kind])
		}
	}
}

func lineOf(t testing.TB, w *zoneText, owner string, kind uint16, rdata []byte) string {
	t.Helper()
	var b bytes.Buffer
	w.to = &b
	if err := w.record(owner, kind, 60, rdata); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Fatalf("%q is not a line", text)
	}
	return b.String()
}

// Whatever the octets of a record are, the text means them.
func TestExportOfOddOctets(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var w zoneText
	for kind := range dns.TypeToRR {
		for range 500 {
			rdata := oddOctets(random)
			if wire.CheckRdata(kind, rdata) != nil {
				continue // no zone has it
			}
			line := lineOf(t, &w, "a.example.org.", kind, rdata)
			if text := strings.TrimSpace(line); strings.HasSuffix(text, fmt.Sprintf(`\# %d %x`, len(rdata), rdata)) || strings.HasSuffix(text, `\# 0`) {
				continue
			}
			if got := wiretest.Record(t, line); !bytes.Equal(wiretest.Rdata(t, got), rdata) {
				t.Fatalf("%x became %s", rdata, line)
			}
		}
	}
}

func oddOctets(random *rand.Rand) []byte {
	const odd = "\x00\x00\x01\x02\x03\x05abz09 \";\\.()@$\n\xff"
	rdata := make([]byte, random.IntN(40))
	for i := range rdata {
		rdata[i] = odd[random.IntN(len(odd))]
	}
	return rdata
}

// Names with octets that mean something in a zone file come back too.
func TestExportOfOddNames(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	if err := writeZone(&text, copyOf(
		t, `\$ttl.example.org. 60 IN A 192.0.2.1`, `\@.example.org. 60 IN A 192.0.2.1`, `a\.b\032c\009\;\(\"\\.example.org. 60 IN A 192.0.2.1`,
		`*.example.org. 60 IN MX 1 \@\$\;.example.org.`)); err != nil {
		t.Fatal(err)
	}
	parser := dns.NewZoneParser(&text, "", "")
	var names []string
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		names = append(names, wiretest.Name(t, rr.Header().Name).String())
	}
	want := []string{"example.org.", `\$ttl.example.org.`, `*.example.org.`, `\@.example.org.`, `a\.b\032c\009\;\(\"\\.example.org.`}
	slices.Sort(names)
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" || parser.Err() != nil {
		t.Error(parser.Err(), diff)
	}
}

// broken is a connection that takes some octets and then none.
type broken struct {
	*httptest.ResponseRecorder
	left    int
	largest int
}

func (b *broken) Write(data []byte) (int, error) {
	b.largest = max(b.largest, len(data))
	if b.left -= len(data); b.left < 0 {
		return 0, errors.New("connection reset by peer")
	}
	return b.ResponseRecorder.Write(data)
}

// A zone is written piece by piece, and a connection that breaks is never ended
// as if all were there.
func TestExportIsCutOff(t *testing.T) {
	t.Parallel()
	s := seed(t)
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("n%04d.example.org. 60 IN TXT %q", i, strings.Repeat("x", 100)))
	}
	s.copies[zoneOne] = copyOf(t, many...)
	whole := s.export(t, zoneOne).Body.Len()
	for left, want := range map[int]any{whole: nil, whole - 1: http.ErrAbortHandler, 1: http.ErrAbortHandler} {
		to := &broken{ResponseRecorder: httptest.NewRecorder(), left: left}
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("%d of %d octets: %v, want %v", left, whole, got, want)
				}
			}()
			s.http.Handler.ServeHTTP(to, s.request(t, "GET", exportPath(zoneOne), ""))
		}()
		if to.largest > textChunk {
			t.Errorf("%d octets at once", to.largest)
		}
	}
	if s.exports.taken != 0 {
		t.Errorf("%d places are still taken", s.exports.taken)
	}
}

func BenchmarkExport(b *testing.B) {
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("n%05d.example.org. 60 IN A 192.0.2.1", i))
	}
	z := copyOf(b, many...)
	for b.Loop() {
		if err := writeZone(&bytes.Buffer{}, z); err != nil {
			b.Fatal(err)
		}
	}
}
