package transfer

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

const soaLine = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 7 3600 600 86400 60\n"

func TestSOAAnswer(t *testing.T) {
	t.Parallel()
	soa := records(t, soaLine)
	for _, c := range []struct {
		name      string
		msg       []byte
		truncated bool
		want      Cause
	}{
		{"plain", answer(t, dns.TypeSOA, soa, nil), false, ""},
		{"with OPT", answer(t, dns.TypeSOA, soa, func(m *dns.Msg) { m.SetEdns0(1232, false) }), false, ""},
		{"with a signature and authority", answer(t, dns.TypeSOA, append(records(t,
			"example.org. 60 IN RRSIG SOA 8 2 60 20300101000000 20200101000000 1 example.org. AAAA"), soa...),
			func(m *dns.Msg) { m.Ns = records(t, "example.org. 60 IN NS ns1.example.org.") }), false, ""},
		{"owner in capitals", answer(t, dns.TypeSOA, records(t, "EXAMPLE.org. 60 IN SOA ns1.example.org. admin.example.org. 7 3600 600 86400 60"), nil), false, ""},
		{"truncated", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Truncated = true }), true, ""},
		{"no authority", answer(t, dns.TypeSOA, soa, func(m *dns.Msg) { m.Authoritative = false }), false, CauseLame},
		{"nothing", answer(t, dns.TypeSOA, nil, nil), false, CauseNoSOA},
		{"SOA in the authority section only", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Ns = soa }), false, CauseNoSOA},
		{"another zone", answer(t, dns.TypeSOA, records(t, "example.net. 60 IN SOA a. b. 1 2 3 4 5"), nil), false, CauseWrongZone},
		{"another class", answer(t, dns.TypeSOA, records(t, "example.org. 60 CH SOA a. b. 1 2 3 4 5"), nil), false, CauseNoSOA},
		{"REFUSED", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), false, CauseRefused},
		{"record that is not there", count(answer(t, dns.TypeSOA, nil, nil), 6, 1), false, CauseMalformed},
		{"second record that is not there", count(answer(t, dns.TypeSOA, soa, nil), 6, 1), false, CauseMalformed},
		{"additional record that is not there", count(answer(t, dns.TypeSOA, soa, nil), 10, 1), false, CauseMalformed},
		{"octets at the end", append(answer(t, dns.TypeSOA, soa, nil), 0, 0), false, CauseMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, truncated, err := soaAnswer(testQuery(t, wire.TypeSOA), c.msg)
			if c.want != "" {
				wantFailure(t, err, StepSOA, c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if truncated != c.truncated {
				t.Fatalf("truncated: got %v, want %v", truncated, c.truncated)
			}
			want := zone.SOA{Serial: 7, Refresh: 3600, Retry: 600, Expire: 86400, Minimum: 60}
			if !truncated && got.soa != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
