package conformance

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wiretest"
)

// reply is an answer as one server may give it.
type reply struct {
	rcode                         int
	noAA, tc                      bool
	answer, authority, additional []string
}

func (r reply) read(t *testing.T, q *question) *answer {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(q.pack(1)); err != nil {
		t.Fatal(err)
	}
	m.Response, m.Authoritative, m.Truncated, m.Rcode = true, !r.noAA, r.tc, r.rcode
	for _, section := range []struct {
		to   *[]dns.RR
		from []string
	}{{&m.Answer, r.answer}, {&m.Ns, r.authority}, {&m.Extra, r.additional}} {
		for _, text := range section.from {
			*section.to = append(*section.to, wiretest.Record(t, text))
		}
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return read(q, msg)
}

var (
	chain    = []string{"a.x.test. 60 CNAME b.x.test.", "b.x.test. 60 A 192.0.2.1", "b.x.test. 60 A 192.0.2.2"}
	negative = []string{"x.test. 60 SOA ns.x.test. host.x.test. 1 2 3 4 60"}
	apexNS   = []string{"x.test. 60 NS ns.x.test."}
	cutNS    = []string{"cut.x.test. 60 NS ns.cut.x.test."}
	glue     = []string{"ns.cut.x.test. 60 A 192.0.2.3"}
	address  = []string{"ns.x.test. 60 A 192.0.2.4"}
)

// TestJudge has a difference found in each part of an answer, and none where
// servers are free.
func TestJudge(t *testing.T) {
	t.Parallel()
	z := newZone(t, "x.test.", "@ 60 SOA ns host 1 2 3 4 60\n@ 60 NS ns\ncut 60 NS ns.cut\nns.cut 60 A 192.0.2.3\n")
	world := newServed([]*zone{z})
	positive := reply{answer: chain}
	referral := reply{noAA: true, authority: cutNS, additional: glue}
	nodata := reply{authority: negative}
	tests := []struct {
		name  string
		peers [len(peerNames)]reply
		ours  reply
		fails bool
	}{
		{"all the same", [...]reply{positive, positive, positive}, positive, false},
		{"other order in the RRset", [...]reply{positive, positive, positive}, reply{answer: []string{chain[0], chain[2], chain[1]}}, false},
		{"other order of the chain", [...]reply{positive, positive, positive}, reply{answer: []string{chain[1], chain[2], chain[0]}}, true},
		{"record missing", [...]reply{positive, positive, positive}, reply{answer: chain[:2]}, true},
		{"other TTL", [...]reply{nodata, nodata, nodata}, reply{authority: []string{"x.test. 61 SOA ns.x.test. host.x.test. 1 2 3 4 60"}}, true},
		{"other rcode", [...]reply{nodata, nodata, nodata}, reply{rcode: dns.RcodeNameError, authority: negative}, true},
		{"AA missing", [...]reply{nodata, nodata, nodata}, reply{noAA: true, authority: negative}, true},
		{"AA on a referral", [...]reply{referral, referral, referral}, reply{authority: cutNS, additional: glue}, true},
		{"no SOA", [...]reply{nodata, nodata, nodata}, reply{}, true},
		{"no glue", [...]reply{referral, referral, referral}, reply{noAA: true, authority: cutNS}, true},
		{"glue that does not fit", [...]reply{referral, referral, referral}, reply{noAA: true, tc: true}, false},
		{"TC on an answer", [...]reply{positive, positive, positive}, reply{tc: true}, true},
		{"NS beside the answer", [...]reply{{answer: chain, authority: apexNS, additional: address}, positive, positive}, positive, false},
		{"NS in place of the SOA", [...]reply{nodata, nodata, nodata}, reply{authority: apexNS}, true},
		{"as one of two", [...]reply{nodata, positive, positive}, nodata, false},
		{"as none of two", [...]reply{nodata, positive, positive}, referral, true},
	}
	for _, test := range tests {
		x := &exchange{question: &question{world, z, wiretest.Name(t, "a.x.test."), dns.TypeA, &forms[0]}}
		for i, r := range test.peers {
			x.peers[i] = r.read(t, x.question)
		}
		x.ours = test.ours.read(t, x.question)
		if v := judge(x); (v.failure != "") != test.fails {
			t.Errorf("%s: fails %t, want %t\n%s", test.name, !test.fails, test.fails, v.failure)
		}
	}
}

// TestIncomplete holds an answer by UDP against the whole one.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	z := newZone(t, "x.test.", "@ 60 SOA ns host 1 2 3 4 60\n@ 60 NS ns\n")
	whole := reply{answer: chain, additional: address}
	for name, test := range map[string]struct {
		ours reply
		want bool
	}{
		"whole":                      {whole, false},
		"without helpful addresses":  {reply{answer: chain}, false},
		"a record less":              {reply{answer: chain[:2]}, true},
		"TC although there was room": {reply{tc: true}, true},
	} {
		q := &question{newServed([]*zone{z}), z, wiretest.Name(t, "a.x.test."), dns.TypeA, &forms[0]}
		x := &exchange{question: q, ours: test.ours.read(t, q), whole: whole.read(t, q)}
		if got := incomplete(x); (got != "") != test.want {
			t.Errorf("%s: found %q, want something %t", name, got, test.want)
		}
	}
}
