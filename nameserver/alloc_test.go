package nameserver

import (
	"maps"
	"slices"
	"testing"
	"time"

	"secondaryd/internal/wire"
)

// pathQueries has one question for each way through the algorithm.
var pathQueries = map[string]string{
	"hit":         "www.example.org A edns",
	"hit signed":  "ns.signed.example A do",
	"additional":  "example.org NS edns",
	"NODATA":      "www.example.org AAAA",
	"NXDOMAIN":    "a.b.nothing.example.org A do",
	"referral":    "x.y.sub.example.org A do",
	"wildcard":    "x.wild.example.org A",
	"CNAME":       "alias2.example.org A",
	"DNAME":       "www.dn2.example.org A",
	"ANY":         "ns.example.org ANY",
	"truncated":   "big.signed.example TXT",
	"REFUSED":     "example.net A edns",
	"mixed case":  "wWw.eXample.org A edns",
	"no NSEC":     "x.nothing.nsec.example A do",
	"no NSEC3":    "x.nothing.nsec3.example A do",
	"many labels": "1.2.3.4.5.6.7.8.9.0.a.b.c.d.e.f.1.2.3.4.5.6.7.8.9.0.a.b.c.d.e.f.example.org PTR",
}

const signedExample = `
$ORIGIN signed.example.
$TTL 60
@	SOA	ns admin 1 1 1 1 1
@	NS	ns
ns	A	192.0.2.1
ns	RRSIG	A 8 3 60 20370101000000 20200101000000 1 signed.example. c2ln
big	TXT	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big	TXT	"1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
big	TXT	"2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
`

// Zones whose proofs of absence are looked up; what they prove is of no matter here.
const (
	nsecExample = `
$ORIGIN nsec.example.
$TTL 60
@	SOA	ns admin 1 1 1 1 1
@	NSEC	a SOA NSEC
a	NSEC	@ NSEC
`
	nsec3Example = `
$ORIGIN nsec3.example.
$TTL 60
@	SOA	ns admin 1 1 1 1 1
@	NSEC3PARAM 1 0 5 abcd
00000000000000000000000000000000 NSEC3 1 0 5 abcd 0123456789abcdefghijklmnopqrstuv A
h0000000000000000000000000000000 NSEC3 1 0 5 abcd 0123456789abcdefghijklmnopqrstuv A
`
)

// The way of a query from octets to octets, counting included, allocates nothing.
func TestQueriesAllocateNothing(t *testing.T) {
	store := newStore(t, exampleOrg, signedExample, nsecExample, nsec3Example)
	w := testWorker(store)
	w.responder.profile = fullProfile(t)
	w.byZone = 2
	out, from := make([]byte, maxUDP), by(UDP)
	queries := optionQueries(t)
	for name, question := range pathQueries {
		queries[name] = packed(t, question)
	}
	for name, query := range queries {
		if n := testing.AllocsPerRun(200, func() {
			from.at = time.Now()
			if w.handle(query, from, out) == nil {
				t.Fatal("no answer")
			}
		}); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}

// optionQueries has a query for each EDNS option and way of a cookie.
func optionQueries(t testing.TB) map[string][]byte {
	t.Helper()
	made := option(optionCookie, "12345678\x01\x00\x00\x00\x00\x00\x00\x00deadbeef")
	queries := map[string][]byte{
		"no question": append([]byte(bareHeader), optRecord(askCookie)...),
	}
	for name, options := range map[string][]string{
		"NSID": {askNSID}, "EXPIRE": {askExpire}, "new cookie": {askCookie}, "cookie to check": {made}, "keepalive": {askKeepalive},
		"ZONEVERSION": {askZoneVersion}, "all options": {askNSID, askExpire, askCookie, askKeepalive, askZoneVersion, padding, unknownOption},
		"illegal cookie": {option(optionCookie, "1")},
	} {
		queries[name] = withAdditional(t, "example.org SOA", optRecord(options...))
	}
	return queries
}

func testWorker(zones Zones) *worker {
	r := testResponder(zones)
	return &worker{responder: r, counters: r.notifies.metrics.Worker(), metrics: r.notifies.metrics, log: r.notifies.log, faults: r.notifies.lines}
}

func BenchmarkAnswer(b *testing.B) {
	r := testResponder(newStore(b, exampleOrg, signedExample, nsecExample, nsec3Example))
	out := make([]byte, maxUDP)
	for _, name := range slices.Sorted(maps.Keys(pathQueries)) {
		query := packed(b, pathQueries[name])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.answer(query, by(UDP), out)
			}
		})
	}
}

// BenchmarkHandle is the same with what timing and counting add, as it is and for each
// zone too.
func BenchmarkHandle(b *testing.B) {
	for name, byZone := range map[string]int{"all zones together": 0, "by zone": 2} {
		b.Run(name, func(b *testing.B) {
			w := testWorker(newStore(b, exampleOrg))
			w.byZone = byZone
			query, out, from := packed(b, "www.example.org A edns"), make([]byte, maxUDP), by(UDP)
			b.ReportAllocs()
			for b.Loop() {
				from.at = time.Now()
				w.handle(query, from, out)
			}
		})
	}
}

func BenchmarkLargeAnswers(b *testing.B) {
	r := testResponder(newStore(b, sizeZone()))
	out := make([]byte, wire.MaxMessage)
	for _, question := range []string{"a1000.s A", "mx1000.s MX", "x.in1000.s A", "x.out1000.s A"} {
		query := packed(b, question)
		b.Run(question, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.answer(query, by(TCP), out)
			}
		})
	}
}
