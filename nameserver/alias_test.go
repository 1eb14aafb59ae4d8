package nameserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const www = "\nwww.example.org. 3600 IN A 192.0.2.3\nwww.example.org. 3600 IN A 192.0.2.4"

func TestAlias(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for question, want := range map[string]wantAnswer{
		"alias.example.org A":     {answer: "alias.example.org. 3600 IN CNAME www.example.org." + www},
		"alias.example.org CNAME": {answer: "alias.example.org. 3600 IN CNAME www.example.org."},
		"alias2.example.org A":    {answer: "alias2.example.org. 3600 IN CNAME alias.example.org.\nalias.example.org. 3600 IN CNAME www.example.org." + www},
		"alias.example.org AAAA":  {answer: "alias.example.org. 3600 IN CNAME www.example.org.", authority: soa},
		"dead.example.org A":      {rcode: dns.RcodeNameError, answer: "dead.example.org. 3600 IN CNAME nothing.example.org.", authority: soa},
		"out.example.org A":       {answer: "out.example.org. 3600 IN CNAME www.example.net."},
		"self.example.org A":      {answer: "self.example.org. 3600 IN CNAME self.example.org."},
		"loop1.example.org A":     {answer: "loop1.example.org. 3600 IN CNAME loop2.example.org.\nloop2.example.org. 3600 IN CNAME loop1.example.org."},
		"x.cwild.example.org A":   {answer: "x.cwild.example.org. 3600 IN CNAME www.example.org." + www},
		"tosub.example.org A": {
			answer: "tosub.example.org. 3600 IN CNAME x.sub.example.org.",
			authority: `
				sub.example.org. 3600 IN NS ns.sib.example.org.
				sub.example.org. 3600 IN NS ns.sub.example.org.
				sub.example.org. 3600 IN NS ns.example.org.
				sub.example.org. 3600 IN NS ns.elsewhere.net.`,
			additional: `
				ns.sub.example.org. 3600 IN A 192.0.2.20
				ns.sub.example.org. 3600 IN AAAA 2001:db8::20
				ns.sib.example.org. 3600 IN A 192.0.2.22
				ns.example.org. 3600 IN A 192.0.2.1
				ns.example.org. 3600 IN AAAA 2001:db8::1`,
		},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

func TestDNAME(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	dn := "dn.example.org. 3600 IN DNAME example.org.\n"
	for question, want := range map[string]wantAnswer{
		"dn.example.org DNAME":     {answer: dn},
		"dn.example.org TXT":       {answer: `dn.example.org. 3600 IN TXT "beside"`},
		"dn.example.org A":         {authority: soa}, // not at its own owner
		"www.dn.example.org A":     {answer: dn + "www.dn.example.org. 3600 IN CNAME www.example.org." + www},
		"www.dn.example.org CNAME": {answer: dn + "www.dn.example.org. 3600 IN CNAME www.example.org."},
		"WwW.dn.example.org A":     {answer: dn + "WwW.dn.example.org. 3600 IN CNAME WwW.example.org.\nWwW.example.org. 3600 IN A 192.0.2.3\nWwW.example.org. 3600 IN A 192.0.2.4"},
		"x.dn.example.org A":       {rcode: dns.RcodeNameError, answer: dn + "x.dn.example.org. 3600 IN CNAME x.example.org.", authority: soa}, // occluded
		"mail.dn.example.org MX":   {answer: dn + "mail.dn.example.org. 3600 IN CNAME mail.example.org.", authority: soa},
		"www.dn2.example.org A": {answer: "dn2.example.org. 3600 IN DNAME dn.example.org.\nwww.dn2.example.org. 3600 IN CNAME www.dn.example.org.\n" +
			dn + "www.dn.example.org. 3600 IN CNAME www.example.org." + www},
		"todn.example.org A":    {answer: "todn.example.org. 3600 IN CNAME www.dn.example.org.\n" + dn + "www.dn.example.org. 3600 IN CNAME www.example.org." + www},
		"q.dnout.example.org A": {answer: "dnout.example.org. 3600 IN DNAME example.net.\nq.dnout.example.org. 3600 IN CNAME q.example.net."},
		"q.dnroot.example.org A": {
			answer: "dnroot.example.org. 3600 IN DNAME .\nq.dnroot.example.org. 3600 IN CNAME q.",
		},
		"q.dnloop1.example.org A": {answer: `
			dnloop1.example.org. 3600 IN DNAME dnloop2.example.org.
			q.dnloop1.example.org. 3600 IN CNAME q.dnloop2.example.org.
			dnloop2.example.org. 3600 IN DNAME dnloop1.example.org.
			q.dnloop2.example.org. 3600 IN CNAME q.dnloop1.example.org.`},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// A DNAME may stand at the apex, where SOA and NS stay what they are (RFC 6672
// section 2.3). At a wildcard it is data, and renames only what is below the
// literal "*" (section 3.3).
func TestDNAMEAtApexAndWildcard(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, "a. 60 IN SOA ns. b. 1 1 1 1 1\na. 60 IN NS ns.\na. 60 IN DNAME b.\nx.a. 60 IN A 192.0.2.1\n",
		"w. 60 IN SOA ns. b. 1 1 1 1 1\n*.w. 60 IN DNAME b.\n"))
	wSOA := "w. 1 IN SOA ns. b. 1 1 1 1 1"
	for question, want := range map[string]wantAnswer{
		"a NS":      {answer: "a. 60 IN NS ns."},
		"a SOA":     {answer: "a. 60 IN SOA ns. b. 1 1 1 1 1"},
		"a DNAME":   {answer: "a. 60 IN DNAME b."},
		"a A":       {authority: "a. 1 IN SOA ns. b. 1 1 1 1 1"},
		"x.a A":     {answer: "a. 60 IN DNAME b.\nx.a. 60 IN CNAME x.b."},
		"y.a A":     {answer: "a. 60 IN DNAME b.\ny.a. 60 IN CNAME y.b."},
		"q.w A":     {authority: wSOA},
		"q.w DNAME": {answer: "q.w. 60 IN DNAME b."},
		"p.q.w A":   {authority: wSOA},
		"q.*.w A":   {answer: "*.w. 60 IN DNAME b.\nq.*.w. 60 IN CNAME q.b."},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// TestAliasIntoZoneBelow: what a zone of ours below has is not said by the zone
// above, whether or not it delegates it.
func TestAliasIntoZoneBelow(t *testing.T) {
	t.Parallel()
	const soaOf = "%s 60 IN SOA a. b. 1 1 1 1 1\n"
	r := testResponder(newStore(t, fmt.Sprintf(soaOf, "p.")+"child.p. 60 IN NS ns.\n"+
		"c1.p. 60 IN CNAME www.child.p.\nc2.p. 60 IN CNAME www.stray.p.\nc3.p. 60 IN CNAME child.p.",
		fmt.Sprintf(soaOf, "child.p.")+"www.child.p. 60 IN A 192.0.2.1", fmt.Sprintf(soaOf, "stray.p.")))
	for question, want := range map[string]wantAnswer{
		"c1.p A":  {answer: "c1.p. 60 IN CNAME www.child.p."},
		"c2.p A":  {answer: "c2.p. 60 IN CNAME www.stray.p."},
		"c3.p A":  {answer: "c3.p. 60 IN CNAME child.p."},
		"c3.p DS": {answer: "c3.p. 60 IN CNAME child.p.", authority: "p. 1 IN SOA a. b. 1 1 1 1 1"}, // DS is the parent's
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// A name of 255 octets may come of a DNAME, one of 256 is YXDOMAIN.
func TestDNAMETooLong(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("x", 63) + "."
	r := testResponder(newStore(t, "t. 60 IN SOA a. b. 1 1 1 1 1\nd.t. 60 IN DNAME "+label+label+label+"t.\n"+
		"*.x.t. 60 IN CNAME "+strings.Repeat("y", 60)+"."+label+label+"d.t.\n"))
	dname := "d.t. 60 IN DNAME " + label + label + label + "t.\n"
	fits, tooLong := strings.Repeat("y", 59), strings.Repeat("y", 60)
	checkAnswer(t, "255 octets", ask(t, r, fits+".d.t A edns"), wantAnswer{
		rcode:     dns.RcodeNameError,
		answer:    dname + fits + ".d.t. 60 IN CNAME " + fits + "." + label + label + label + "t.",
		authority: "t. 1 IN SOA a. b. 1 1 1 1 1",
	})
	checkAnswer(t, "256 octets", ask(t, r, tooLong+".d.t A"), wantAnswer{rcode: dns.RcodeYXDomain, answer: dname})
	if got := ask(t, r, tooLong+"."+label+label+"x.t A"); !got.Truncated || got.Rcode != dns.RcodeYXDomain {
		t.Errorf("256 octets and no room for the DNAME: got %s, TC %v", dns.RcodeToString[got.Rcode], got.Truncated)
	}
}

// A chain is followed for 16 links.
func TestLongChain(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("c. 60 IN SOA a. b. 1 1 1 1 1\n")
	for i := 1; i <= 18; i++ {
		fmt.Fprintf(&text, "n%d.c. 60 IN CNAME n%d.c.\n", i, i-1)
	}
	text.WriteString("n0.c. 60 IN A 192.0.2.1\n")
	r := testResponder(newStore(t, text.String()))
	for links, records := range map[int]int{1: 2, 15: 16, 16: 17, 17: 16, 18: 16} {
		got := ask(t, r, fmt.Sprintf("n%d.c A", links))
		if len(got.Answer) != records || got.Rcode != dns.RcodeSuccess {
			t.Errorf("chain of %d: got %d records and %s, want %d and NOERROR",
				links, len(got.Answer), dns.RcodeToString[got.Rcode], records)
		}
	}
}
