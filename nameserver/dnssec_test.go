package nameserver

import (
	"testing"

	"github.com/miekg/dns"
)

const signedZone = `
$ORIGIN example.org.
$TTL 3600
@	SOA	ns admin 7 600 300 86400 60
@	RRSIG	SOA` + rrsig + `
@	NS	ns
@	RRSIG	NS` + rrsig + `
ns	A	192.0.2.1
ns	900 RRSIG A` + rrsig + `
ns	RRSIG	NSEC` + rrsig + `
ns	NSEC	www A RRSIG NSEC
alias	CNAME	ns
alias	RRSIG	CNAME` + rrsig + `
alias	NSEC	ns CNAME RRSIG NSEC
plainalias CNAME ns
mx	MX	1 ns
mx	RRSIG	MX` + rrsig + `
*.wild	A	192.0.2.10
*.wild	RRSIG	A 8 3 3600 20370101000000 20200101000000 1 example.org. c2ln
dn	DNAME	@
dn	RRSIG	DNAME` + rrsig + `
signed	NS	ns.elsewhere.net.
signed	DS	1 8 2 00
signed	RRSIG	DS` + rrsig + `
dsonly	NS	ns.elsewhere.net.
dsonly	DS	1 8 2 00
unsigned	NS	ns.unsigned
ns.unsigned	A	192.0.2.20
onlysig	RRSIG	A` + rrsig + `
abcdefghijklmnopqrstuvwxyz012345	NSEC3	1 0 0 - 0123456789abcdefghijklmnopqrstuv A
`

func TestSignatures(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, signedZone))
	sig := func(owner, covered string, ttl string) string {
		return "\n" + owner + ".example.org. " + ttl + " IN RRSIG " + covered + rrsig + "\n"
	}
	signedSOA := soa + "\nexample.org. 60 IN RRSIG SOA" + rrsig
	a := "ns.example.org. 3600 IN A 192.0.2.1"
	signedA := a + sig("ns", "A", "900")
	for question, want := range map[string]wantAnswer{
		"ns.example.org A":         {answer: a},
		"ns.example.org A edns":    {answer: a},
		"ns.example.org A do":      {answer: signedA}, // an RRSIG keeps its own TTL
		"ns.example.org ANY do":    {answer: signedA},
		"ns.example.org ANY":       {answer: a},
		"ns.example.org TXT do":    {authority: signedSOA}, // its TTL goes down with the SOA's
		"nothing.example.org A do": {rcode: dns.RcodeNameError, authority: signedSOA},
		"nothing.example.org A":    {rcode: dns.RcodeNameError, authority: soa},
		"ns.example.org NSEC":      {answer: "ns.example.org. 3600 IN NSEC www.example.org. A RRSIG NSEC"},
		"ns.example.org RRSIG":     {answer: sig("ns", "A", "900") + sig("ns", "NSEC", "3600")},
		"alias.example.org A do": {
			answer: "alias.example.org. 3600 IN CNAME ns.example.org." + sig("alias", "CNAME", "3600") + signedA,
		},
		"alias.example.org NSEC":      {answer: "alias.example.org. 3600 IN NSEC ns.example.org. CNAME RRSIG NSEC"}, // beside a CNAME
		"alias.example.org RRSIG":     {answer: sig("alias", "CNAME", "3600")},
		"plainalias.example.org NSEC": {answer: "plainalias.example.org. 3600 IN CNAME ns.example.org.\nns.example.org. 3600 IN NSEC www.example.org. A RRSIG NSEC"},
		"onlysig.example.org A":       {authority: soa},
		"onlysig.example.org ANY":     {authority: soa},
		"mx.example.org MX do": {
			answer:     "mx.example.org. 3600 IN MX 1 ns.example.org." + sig("mx", "MX", "3600"),
			additional: signedA,
		},
		"q.wild.example.org A do": {
			answer: "q.wild.example.org. 3600 IN A 192.0.2.10\nq.wild.example.org. 3600 IN RRSIG A 8 3 3600 20370101000000 20200101000000 1 example.org. c2ln",
		},
		"ns.dn.example.org A do": { // the CNAME that is made up has none
			answer: "dn.example.org. 3600 IN DNAME example.org." + sig("dn", "DNAME", "3600") +
				"ns.dn.example.org. 3600 IN CNAME ns.example.org.\n" + signedA,
		},
		"signed.example.org DS":    {answer: "signed.example.org. 3600 IN DS 1 8 2 00"},
		"signed.example.org DS do": {answer: "signed.example.org. 3600 IN DS 1 8 2 00" + sig("signed", "DS", "3600")},
		"x.signed.example.org A":   {noAA: true, authority: "signed.example.org. 3600 IN NS ns.elsewhere.net."},
		"x.signed.example.org A do": {
			noAA:      true,
			authority: "signed.example.org. 3600 IN NS ns.elsewhere.net.\nsigned.example.org. 3600 IN DS 1 8 2 00" + sig("signed", "DS", "3600"),
		},
		"x.dsonly.example.org A do": { // a DS that nothing signs proves nothing
			noAA: true, authority: "dsonly.example.org. 3600 IN NS ns.elsewhere.net.",
		},
		"x.unsigned.example.org A do": {
			noAA: true, authority: "unsigned.example.org. 3600 IN NS ns.unsigned.example.org.",
			additional: "ns.unsigned.example.org. 3600 IN A 192.0.2.20",
		},
		"abcdefghijklmnopqrstuvwxyz012345.example.org NSEC3": {rcode: dns.RcodeNameError, authority: soa}, // no name of the zone
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// Signatures of additional data go before the data, and neither is worth TC.
func TestAdditionalSignaturesAreOptional(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, signedZone))
	seen := map[int]bool{}
	for size := uint16(512); size > 100; size-- {
		r.udpSize = int(size) // below what is allowed, to get small numbers
		m, _ := parseQuestion(t, "mx.example.org MX do")
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := exchange(t, r, query, UDP)
		if len(got.Answer) < 2 {
			if !got.Truncated {
				t.Errorf("size %d: the answer is incomplete and TC clear", size)
			}
			continue
		}
		if got.Truncated {
			t.Errorf("size %d: TC for additional data", size)
		}
		seen[len(withoutOPT(got.Extra))] = true
	}
	if !seen[0] || !seen[1] || !seen[2] {
		t.Errorf("got additional sections of %v records, want of 0, 1 and 2", seen)
	}
}
