package transfer

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// BenchmarkStream tells what a record takes from the message to the finished zone,
// in one of delegations that come in canonical order, as most primaries send them.
func BenchmarkStream(b *testing.B) {
	messages, count := delegations(b, 50_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := feed(b, defaultLimits(), messages...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/record")
}

// delegations are the messages of a stream, and how many records it has: each name has
// two name servers, some with their addresses and a third with DS.
func delegations(tb testing.TB, n int) (messages [][]byte, count int) {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%x%s.example.org.", random.Uint32(), strings.Repeat("x", random.IntN(8)))
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(x, y) })
	names = slices.Compact(names)
	apex := records(tb, soaLine+nsLine)
	all := slices.Clone(apex)
	for i, name := range names {
		all = append(all, delegation(name, i, random)...)
	}
	all = append(all, apex[0])
	for part := range slices.Chunk(all, 500) {
		messages = append(messages, answer(tb, dns.TypeAXFR, part, nil))
	}
	return messages, len(all)
}

func delegation(name string, i int, random *rand.Rand) (rrs []dns.RR) {
	head := func(owner string, t uint16) dns.RR_Header {
		return dns.RR_Header{Name: owner, Rrtype: t, Class: dns.ClassINET, Ttl: 3600}
	}
	inZone := i%7 == 0
	for server := range 2 {
		host := fmt.Sprintf("ns%d.hoster%d.example.", server+1, random.IntN(2000))
		if inZone {
			host = fmt.Sprintf("ns%d.%s", server+1, name)
		}
		rrs = append(rrs, &dns.NS{Hdr: head(name, dns.TypeNS), Ns: host})
	}
	if i%3 == 0 {
		digest := fmt.Sprintf("%064x", random.Uint64())
		rrs = append(rrs, &dns.DS{Hdr: head(name, dns.TypeDS), KeyTag: uint16(i), Algorithm: 13, DigestType: 2, Digest: digest})
	}
	if inZone {
		for server := range 2 {
			rrs = append(rrs, &dns.A{Hdr: head(fmt.Sprintf("ns%d.%s", server+1, name), dns.TypeA), A: []byte{10, 0, byte(i >> 8), byte(i)}})
		}
	}
	return rrs
}
