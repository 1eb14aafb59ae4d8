package nameserver

import (
	"testing"

	"github.com/miekg/dns"
)

func TestAnySetting(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg, signedExample, sizeZone())
	for _, tc := range []struct {
		question string
		full     bool
		want     map[uint16]int // records of the answer by type
		tc       bool
	}{
		{"ns.signed.example ANY", false, map[uint16]int{dns.TypeA: 1}, false},
		{"ns.signed.example ANY do", false, map[uint16]int{dns.TypeA: 1, dns.TypeRRSIG: 1}, false},
		{"ns.signed.example ANY", true, map[uint16]int{dns.TypeA: 1, dns.TypeRRSIG: 1}, false},
		{"signed.example ANY", true, map[uint16]int{dns.TypeSOA: 1, dns.TypeNS: 1}, false},
		{"signed.example ANY tcp", true, map[uint16]int{dns.TypeSOA: 1, dns.TypeNS: 1}, false},
		{"big.signed.example ANY", true, map[uint16]int{}, true},
		{"big.signed.example ANY tcp", true, map[uint16]int{dns.TypeTXT: 3}, false},
		{"c1.s ANY", true, map[uint16]int{dns.TypeCNAME: 1}, false},
	} {
		r := testResponder(store)
		r.anyFull = tc.full
		got := ask(t, r, tc.question)
		count := map[uint16]int{}
		for _, rr := range got.Answer {
			count[rr.Header().Rrtype]++
		}
		same := len(count) == len(tc.want)
		for rrtype, n := range tc.want {
			same = same && count[rrtype] == n
		}
		if !same || got.Truncated != tc.tc || got.Rcode != 0 {
			t.Errorf("%s, all RRsets %v: got %v, want types %v, TC %v", tc.question, tc.full, got, tc.want, tc.tc)
		}
	}
	r := testResponder(store)
	r.anyFull = true
	for question, rcode := range map[string]int{"ent.example.org ANY": rcodeNoError, "nothing.signed.example ANY": rcodeNXDomain} {
		if got := ask(t, r, question); got.Rcode != rcode || len(got.Answer) > 0 || len(got.Ns) == 0 {
			t.Errorf("%s: got %v", question, got)
		}
	}
}
