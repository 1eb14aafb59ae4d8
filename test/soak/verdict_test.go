package soak

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// TestVerdicts has wrong answers noticed and right ones not.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	const apex, held = "z.soak.test.", 10
	soa := func(serial uint32) dns.RR {
		return &dns.SOA{Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: apex, Mbox: apex, Serial: serial}
	}
	text := func(s string) dns.RR { return txt(apex, s) }
	for _, tt := range []struct {
		name       string
		label      string
		qtype      uint16
		rcode      int
		answer, ns []dns.RR
		legal      bool
	}{
		{"SOA", "", dns.TypeSOA, dns.RcodeSuccess, []dns.RR{soa(held)}, nil, true},
		{"older than seen", "", dns.TypeSOA, dns.RcodeSuccess, []dns.RR{soa(held - 2)}, nil, false},
		{"newer than the primary's", "", dns.TypeSOA, dns.RcodeSuccess, []dns.RR{soa(held + 1)}, nil, false},
		{"no SOA", "", dns.TypeSOA, dns.RcodeSuccess, nil, nil, false},
		{"servfail of a stable zone", "", dns.TypeSOA, dns.RcodeServerFailure, nil, nil, false},
		{"whole", "", dns.TypeANY, dns.RcodeSuccess, []dns.RR{text("serial 10"), soa(held)}, nil, true},
		{"torn", "", dns.TypeANY, dns.RcodeSuccess, []dns.RR{text("serial 9"), soa(held)}, nil, false},
		{"stamp", "stamp.", dns.TypeTXT, dns.RcodeSuccess, []dns.RR{text("9")}, nil, true},
		{"old stamp", "stamp.", dns.TypeTXT, dns.RcodeSuccess, []dns.RR{text("8")}, nil, false},
		{"no stamp", "stamp.", dns.TypeTXT, dns.RcodeNameError, nil, []dns.RR{soa(held)}, false},
		{"even", "even.", dns.TypeTXT, dns.RcodeSuccess, []dns.RR{text("10")}, nil, true},
		{"not even", "even.", dns.TypeTXT, dns.RcodeNameError, nil, []dns.RR{soa(9)}, true},
		{"even is hidden", "even.", dns.TypeTXT, dns.RcodeNameError, nil, []dns.RR{soa(held)}, false},
		{"missing", "no-such-name.", dns.TypeA, dns.RcodeNameError, nil, []dns.RR{soa(held)}, true},
		{"missing without SOA", "no-such-name.", dns.TypeA, dns.RcodeNameError, nil, nil, false},
		{"no data", "stamp.", dns.TypeAAAA, dns.RcodeSuccess, nil, []dns.RR{soa(held)}, true},
		{"NXDOMAIN for no data", "stamp.", dns.TypeAAAA, dns.RcodeNameError, nil, []dns.RR{soa(held)}, false},
	} {
		z := &zone{name: apex, stable: true}
		z.latest.Store(held)
		z.seen.Store(held - 1)
		at := slices.IndexFunc(everywhere, func(k kind) bool { return k.label == tt.label && k.qtype == tt.qtype })
		q := &question{msg: new(dns.Msg).SetQuestion(tt.label+apex, tt.qtype), zone: z, judge: everywhere[at].judge, floor: z.seen.Load()}
		m := new(dns.Msg).SetRcode(q.msg, tt.rcode)
		m.Authoritative, m.Answer, m.Ns = true, tt.answer, tt.ns
		raw, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if err := new(asker).check(q, raw); (err == nil) != tt.legal {
			t.Errorf("%s: got %v, want it legal: %t", tt.name, err, tt.legal)
		}
	}
}
