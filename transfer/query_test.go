package transfer

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

func testQuery(t testing.TB, qtype uint16) *query {
	t.Helper()
	return newQuery(testID, question{apex: wiretest.Name(t, testZone), qtype: qtype}, time.Now())
}

func TestQueryOctets(t *testing.T) {
	t.Parallel()
	q := testQuery(t, wire.TypeAXFR)
	want := "126700000001000000000000" + "076578616d706c65036f726700" + "00fc0001"
	if got := hex.EncodeToString(q.bytes); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	key, err := tsig.NewKey("k.example.", "hmac-sha256", "c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	signed := newQuery(testID, question{apex: wiretest.Name(t, testZone), qtype: wire.TypeSOA, key: key}, time.Now())
	if err := dns.TsigVerify(slices.Clone(signed.bytes), "c2VjcmV0", "", false); err != nil {
		t.Errorf("signed query: %v", err)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	q := testQuery(t, wire.TypeSOA)
	for _, c := range []struct {
		name string
		msg  []byte
		want bool
	}{
		{"answer", answer(t, dns.TypeSOA, nil, nil), true},
		{"question in capitals", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Question[0].Name = "EXAMPLE.org." }), true},
		{"other id", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Id++ }), false},
		{"a query", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Response = false }), false},
		{"other name", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Question[0].Name = "example.net." }), false},
		{"other type", answer(t, dns.TypeNS, nil, nil), false},
		{"other class", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), false},
		{"no question", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Question = nil }), false},
		{"error without question", answer(t, dns.TypeSOA, nil, func(m *dns.Msg) { m.Question, m.Rcode = nil, dns.RcodeFormatError }), true},
		{"shorter than a header", make([]byte, 11), false},
		{"nothing", nil, false},
		{"ends in the question", answer(t, dns.TypeSOA, nil, nil)[:20], false},
	} {
		if got := q.matches(c.msg); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	q := testQuery(t, wire.TypeAXFR)
	plain := func(change func(*dns.Msg)) []byte { return answer(t, dns.TypeAXFR, nil, change) }
	rcode := func(code int) []byte { return plain(func(m *dns.Msg) { m.Rcode = code }) }
	for _, c := range []struct {
		name  string
		msg   []byte
		first bool
		want  Cause // empty: it passes
	}{
		{"first", plain(nil), true, ""},
		{"later, with the question", plain(nil), false, ""},
		{"later, without", plain(func(m *dns.Msg) { m.Question = nil }), false, ""},
		{"first without the question", plain(func(m *dns.Msg) { m.Question = nil }), true, CauseNotAnswer},
		{"two questions", plain(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), true, CauseNotAnswer},
		{"wrong id", plain(func(m *dns.Msg) { m.Id++ }), true, CauseNotAnswer},
		{"wrong id later", plain(func(m *dns.Msg) { m.Id++ }), false, CauseNotAnswer},
		{"QR clear", plain(func(m *dns.Msg) { m.Response = false }), true, CauseNotAnswer},
		{"opcode NOTIFY", plain(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), true, CauseNotAnswer},
		{"question of another zone", plain(func(m *dns.Msg) { m.Question[0].Name = "example.net." }), true, CauseWrongZone},
		{"later question of another zone", plain(func(m *dns.Msg) { m.Question[0].Name = "example.net." }), false, CauseWrongZone},
		{"question of another type", plain(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeIXFR }), true, CauseNotAnswer},
		{"question of another class", plain(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), true, CauseNotAnswer},
		{"short", make([]byte, 5), true, CauseMalformed},
		{"question that is not there", count(plain(func(m *dns.Msg) { m.Question = nil }), 4, 1), true, CauseMalformed},
		{"REFUSED", rcode(dns.RcodeRefused), true, CauseRefused},
		{"NOTAUTH", rcode(dns.RcodeNotAuth), true, CauseNotAuth},
		{"SERVFAIL", rcode(dns.RcodeServerFailure), true, CauseServFail},
		{"SERVFAIL later", rcode(dns.RcodeServerFailure), false, CauseServFail},
		{"FORMERR", rcode(dns.RcodeFormatError), true, CauseFormErr},
		{"NXDOMAIN", rcode(dns.RcodeNameError), true, CauseRcode},
		{"NOTIMP", rcode(dns.RcodeNotImplemented), true, CauseNotImp},
		{"a code without a name", flags(plain(nil), 0, 15), true, CauseRcode},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := q.checkHeader(StepAXFR, c.msg, c.first)
			if c.want != "" {
				wantFailure(t, err, StepAXFR, c.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
