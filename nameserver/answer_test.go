package nameserver

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore"
)

const (
	soa    = "example.org. 60 IN SOA ns.example.org. admin.example.org. 7 600 300 86400 60"
	rrsig  = " 8 2 3600 20370101000000 20200101000000 1 example.org. c2ln"
	orgSOA = "org. 60 IN SOA ns.org. admin.org. 9 600 300 86400 60"
)

const exampleOrg = `
$ORIGIN example.org.
$TTL 3600
@		SOA	ns admin 7 600 300 86400 60
@		NS	ns
@		NS	ns.sub
@		NS	ns.elsewhere.net.
@		MX	10 mail
@		MX	20 mail
@		MX	30 ns.elsewhere.net.
ns		A	192.0.2.1
ns		AAAA	2001:db8::1
mail		A	192.0.2.2
www		A	192.0.2.3
www		A	192.0.2.4
Mixed		TXT	"Case"
a.b.c		A	192.0.2.5
_dns._udp	SRV	0 0 53 ns
svc		HTTPS	1 . alpn=h2
svc		A	192.0.2.6
svcalias	SVCB	0 ns
odd		TYPE65280 \# 3 010203
odd		TYPE65281 \# 0

; wildcards
*.wild		A	192.0.2.10
*.wild		MX	10 mail
is.wild		TXT	"here"
ent.below.wild	A	192.0.2.11
*.*.star	A	192.0.2.12
*.empty		TXT	"x"
x.*.ent		A	192.0.2.13
*.cwild		CNAME	www
*.loopwild	CNAME	q.loopwild
*.nswild	NS	ns.elsewhere.net.

; delegations
sub		NS	ns.sub
sub		NS	ns.sib
sub		NS	ns
sub		NS	ns.elsewhere.net.
ns.sub		A	192.0.2.20
ns.sub		AAAA	2001:db8::20
hidden.sub	A	192.0.2.21
sib		NS	ns.sib
ns.sib		A	192.0.2.22
deep.sib	NS	ns.deep.sib
ns.deep.sib	A	192.0.2.23

; aliases
alias		CNAME	www
alias2		CNAME	alias
out		CNAME	www.example.net.
dead		CNAME	nothing
tosub		CNAME	x.sub
self		CNAME	self
loop1		CNAME	loop2
loop2		CNAME	loop1
todn		CNAME	www.dn
typed		CNAME	mail
dn		DNAME	@
dn		TXT	"beside"
x.dn		A	192.0.2.30
dn2		DNAME	dn
dnloop1		DNAME	dnloop2
dnloop2		DNAME	dnloop1
dnout		DNAME	example.net.
dnroot		DNAME	.
`

func TestPositive(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for question, want := range map[string]wantAnswer{
		"www.example.org A":       {answer: "www.example.org. 3600 IN A 192.0.2.3\nwww.example.org. 3600 IN A 192.0.2.4"},
		"WWW.eXample.org A":       {answer: "WWW.eXample.org. 3600 IN A 192.0.2.3\nWWW.eXample.org. 3600 IN A 192.0.2.4"},
		"mixed.example.org TXT":   {answer: `mixed.example.org. 3600 IN TXT "Case"`},
		"example.org SOA":         {answer: "example.org. 3600 IN SOA ns.example.org. admin.example.org. 7 600 300 86400 60"},
		"odd.example.org TYPE0":   {authority: soa},
		"a.b.c.example.org A tcp": {answer: "a.b.c.example.org. 3600 IN A 192.0.2.5"},
		"*.wild.example.org A":    {answer: "*.wild.example.org. 3600 IN A 192.0.2.10"},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// Types nobody knows go out as they came, down to RDATA of no octets.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for qtype, want := range map[uint16]string{65280: "010203", 65281: ""} {
		m := new(dns.Msg).SetQuestion("odd.example.org.", qtype)
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := exchange(t, r, query, UDP)
		if len(got.Answer) != 1 || got.Answer[0].(*dns.RFC3597).Rdata != want {
			t.Errorf("type %d: got %v, want %q", qtype, got.Answer, want)
		}
	}
}

func TestNegative(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for question, want := range map[string]wantAnswer{
		"www.example.org AAAA":       {authority: soa},
		"nothing.example.org A":      {rcode: dns.RcodeNameError, authority: soa},
		"x.www.example.org A":        {rcode: dns.RcodeNameError, authority: soa},
		"c.example.org A":            {authority: soa}, // empty non-terminals
		"b.c.example.org ANY":        {authority: soa},
		"_udp.example.org SRV":       {authority: soa},
		"x.c.example.org A":          {rcode: dns.RcodeNameError, authority: soa},
		"wild.example.org A":         {authority: soa},
		"www.example.org RRSIG":      {authority: soa},
		"www.example.org NSEC":       {authority: soa},
		"example.org DS":             {authority: soa}, // nobody above is ours
		"dnroot.example.org CNAME":   {authority: soa},
		"nothing.eXaMpLe.oRg A":      {rcode: dns.RcodeNameError, authority: "eXaMpLe.oRg. 60 IN SOA ns.example.org. admin.example.org. 7 600 300 86400 60"},
		"nothing.example.org ANY":    {rcode: dns.RcodeNameError, authority: soa},
		"nothing.example.org MAILA":  {rcode: dns.RcodeNameError, authority: soa},
		"www.example.org MAILB":      {authority: soa},
		"nothing.example.org NSEC3":  {rcode: dns.RcodeNameError, authority: soa},
		"nothing.example.org A edns": {rcode: dns.RcodeNameError, authority: soa},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// The SOA of a negative answer lives as long as the lesser of its TTL and MINIMUM says.
func TestNegativeTTL(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, "high. 90 IN SOA a. b. 1 1 1 1 60\n", "low. 30 IN SOA a. b. 1 1 1 1 60\n", "zero. 30 IN SOA a. b. 1 1 1 1 0\n"))
	for zone, ttl := range map[string]uint32{"high": 60, "low": 30, "zero": 0} {
		for _, question := range []string{zone + " A", "x." + zone + " A"} {
			got := ask(t, r, question)
			if len(got.Ns) != 1 || got.Ns[0].Header().Rrtype != dns.TypeSOA || got.Ns[0].Header().Ttl != ttl {
				t.Errorf("%s: got %v, want the SOA with TTL %d", question, got.Ns, ttl)
			}
		}
		if got := ask(t, r, zone+" SOA"); len(got.Answer) != 1 || got.Answer[0].Header().Ttl == 60 {
			t.Errorf("%s SOA: got %v, want the record's own TTL", zone, got.Answer)
		}
	}
}

func TestReferral(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	sub := wantAnswer{
		noAA: true,
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
	}
	sib := wantAnswer{
		noAA:       true,
		authority:  "sib.example.org. 3600 IN NS ns.sib.example.org.",
		additional: "ns.sib.example.org. 3600 IN A 192.0.2.22",
	}
	for question, want := range map[string]wantAnswer{
		"sub.example.org A":            sub,
		"sub.example.org NS":           sub,
		"sub.example.org ANY":          sub,
		"sub.example.org NSEC":         sub,
		"hidden.sub.example.org A":     sub, // occluded
		"ns.sub.example.org A":         sub, // glue is no answer
		"x.y.sub.example.org DS":       sub,
		"sub.example.org DS":           {authority: soa},
		"x.deep.sib.example.org A":     sib, // the topmost cut wins
		"deep.sib.example.org NS":      sib,
		"ns.deep.sib.example.org AAAA": sib,
		"*.nswild.example.org A":       {noAA: true, authority: "*.nswild.example.org. 3600 IN NS ns.elsewhere.net."},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for question, want := range map[string]wantAnswer{
		"x.wild.example.org A":     {answer: "x.wild.example.org. 3600 IN A 192.0.2.10"},
		"X.y.Wild.example.org A":   {answer: "X.y.Wild.example.org. 3600 IN A 192.0.2.10"},
		"x.wild.example.org AAAA":  {authority: soa},
		"x.wild.example.org MX":    {answer: "x.wild.example.org. 3600 IN MX 10 mail.example.org.", additional: "mail.example.org. 3600 IN A 192.0.2.2"},
		"is.wild.example.org A":    {authority: soa}, // an existing name is not covered
		"x.is.wild.example.org A":  {rcode: dns.RcodeNameError, authority: soa},
		"below.wild.example.org A": {authority: soa}, // nor is an empty non-terminal
		"z.below.wild.example.org A": {
			rcode: dns.RcodeNameError, authority: soa,
		},
		"x.star.example.org A":       {authority: soa}, // "*.star" is an empty non-terminal, and so matches with nothing
		"x.*.star.example.org A":     {answer: "x.*.star.example.org. 3600 IN A 192.0.2.12"},
		"x.y.star.example.org A":     {authority: soa},
		"a.ent.example.org A":        {authority: soa}, // a wildcard that is itself empty
		"y.*.ent.example.org A":      {rcode: dns.RcodeNameError, authority: soa},
		"q.cwild.example.org TXT":    {answer: "q.cwild.example.org. 3600 IN CNAME www.example.org.", authority: soa},
		"x.nswild.example.org NS":    {answer: "x.nswild.example.org. 3600 IN NS ns.elsewhere.net."},
		"x.nswild.example.org A":     {authority: soa},
		"p.loopwild.example.org A":   {answer: "p.loopwild.example.org. 3600 IN CNAME q.loopwild.example.org.\nq.loopwild.example.org. 3600 IN CNAME q.loopwild.example.org."},
		"x.wild.example.org ANY":     {answer: "x.wild.example.org. 3600 IN A 192.0.2.10"},
		"x.wild.example.org ANY tcp": {answer: "x.wild.example.org. 3600 IN A 192.0.2.10"},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

func TestAdditional(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	ns := "ns.example.org. 3600 IN A 192.0.2.1\nns.example.org. 3600 IN AAAA 2001:db8::1\n"
	for question, want := range map[string]wantAnswer{
		"example.org MX": {
			answer: `example.org. 3600 IN MX 10 mail.example.org.
				example.org. 3600 IN MX 20 mail.example.org.
				example.org. 3600 IN MX 30 ns.elsewhere.net.`,
			additional: "mail.example.org. 3600 IN A 192.0.2.2", // once
		},
		"example.org NS": {
			answer: `example.org. 3600 IN NS ns.sub.example.org.
				example.org. 3600 IN NS ns.example.org.
				example.org. 3600 IN NS ns.elsewhere.net.`,
			additional: "ns.sub.example.org. 3600 IN A 192.0.2.20\nns.sub.example.org. 3600 IN AAAA 2001:db8::20\n" + ns,
		},
		"_dns._udp.example.org SRV": {answer: "_dns._udp.example.org. 3600 IN SRV 0 0 53 ns.example.org.", additional: ns},
		"svc.example.org HTTPS":     {answer: `svc.example.org. 3600 IN HTTPS 1 . alpn="h2"`, additional: "svc.example.org. 3600 IN A 192.0.2.6"},
		"svcalias.example.org SVCB": {answer: "svcalias.example.org. 3600 IN SVCB 0 ns.example.org.", additional: ns},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// What a wildcard stands for has addresses too, each name its own; not so below
// a delegation.
func TestAdditionalFromWildcard(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, "w. 60 IN SOA a. b. 1 1 1 1 1\nw. 60 IN MX 1 x.wild.w.\nw. 60 IN MX 1 y.wild.w.\nw. 60 IN MX 2 z.cut.w.\n"+
		"*.wild.w. 60 IN A 192.0.2.1\ncut.w. 60 IN NS ns.elsewhere.net.\n*.cut.w. 60 IN A 192.0.2.2\n"))
	checkAnswer(t, "MX", ask(t, r, "w. MX"), wantAnswer{
		answer:     "w. 60 IN MX 1 x.wild.w.\nw. 60 IN MX 1 y.wild.w.\nw. 60 IN MX 2 z.cut.w.",
		additional: "x.wild.w. 60 IN A 192.0.2.1\ny.wild.w. 60 IN A 192.0.2.1",
	})
}

// A target should be no alias (RFC 2181 section 10.3). Where it is one, it is
// given as it is, and the alias is not followed.
func TestTargetsAsGiven(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, "t. 60 IN SOA a. b. 1 1 1 1 1\nt. 60 IN MX 1 alias.t.\nt. 60 IN NS alias.t.\nalias.t. 60 IN CNAME www.t.\nwww.t. 60 IN A 192.0.2.1\n"))
	checkAnswer(t, "MX", ask(t, r, "t MX"), wantAnswer{answer: "t. 60 IN MX 1 alias.t."})
	checkAnswer(t, "NS", ask(t, r, "t NS"), wantAnswer{answer: "t. 60 IN NS alias.t."})
}

func TestAny(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	checkAnswer(t, "ns ANY", ask(t, r, "ns.example.org ANY"), wantAnswer{answer: "ns.example.org. 3600 IN A 192.0.2.1"})
	checkAnswer(t, "alias ANY", ask(t, r, "alias.example.org ANY"), wantAnswer{answer: "alias.example.org. 3600 IN CNAME www.example.org."})
	checkAnswer(t, "dn ANY", ask(t, r, "dn.example.org ANY"), wantAnswer{answer: `dn.example.org. 3600 IN TXT "beside"`})
}

// The zone of a query is the deepest that is configured, whatever its state.
func TestZones(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg, `
$ORIGIN org.
@	60	SOA	ns admin 9 600 300 86400 60
@	60	NS	ns
ns	60	A	192.0.2.1
example	60	NS	ns.example
example	60	DS	1 8 2 00
ns.example 60	A	192.0.2.9
plain	60	NS	ns
empty	60	A	192.0.2.66
`)
	store.Configure("empty", wiretest.Name(t, "empty.org"))
	store.Expire(publish(t, store, "expired.org. 60 IN SOA ns.expired.org. a.expired.org. 1 1 1 1 1\nexpired.org. 60 IN NS ns.expired.org."))
	r := testResponder(store)
	servFail := wantAnswer{rcode: dns.RcodeServerFailure, noAA: true}
	refused := wantAnswer{rcode: dns.RcodeRefused, noAA: true}
	for _, tc := range []struct {
		question string
		extended int
		want     wantAnswer
	}{
		{"www.example.org AAAA edns", -1, wantAnswer{authority: soa}},
		{"example.org NSEC edns", -1, wantAnswer{authority: soa}},
		{"example.org DS edns", -1, wantAnswer{answer: "example.org. 60 IN DS 1 8 2 00"}}, // from the parent
		{"www.example.org DS edns", -1, wantAnswer{authority: soa}},
		{"plain.org DS edns", -1, wantAnswer{authority: orgSOA}},
		{"org DS edns", -1, wantAnswer{authority: orgSOA}}, // whose parent is not ours
		{"empty.org A edns", 14, servFail},
		{"x.empty.org A edns", 14, servFail},
		{"expired.org A edns", 24, servFail},
		{"net A edns", 20, refused},
		{". NS edns", 20, refused},
		{". DS edns", 20, refused},
		{"xexample.net A edns", 20, refused},
	} {
		got := ask(t, r, tc.question)
		checkAnswer(t, tc.question, got, tc.want)
		codes := extendedCodes(got)
		if tc.extended < 0 && len(codes) != 0 || tc.extended >= 0 && (len(codes) != 1 || codes[0] != tc.extended) {
			t.Errorf("%s: got extended errors %v, want %d", tc.question, codes, tc.extended)
		}
	}
}

func TestRootZone(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, `
.	60	IN	SOA	ns. admin. 1 2 3 4 5
.	60	IN	NS	a.root.
a.root.	60	IN	A	192.0.2.1
tld.	60	IN	NS	ns.tld.
tld.	60	IN	DS	1 8 2 00
ns.tld.	60	IN	A	192.0.2.2
`))
	for question, want := range map[string]wantAnswer{
		". NS":      {answer: ". 60 IN NS a.root.", additional: "a.root. 60 IN A 192.0.2.1"},
		". DS":      {authority: ". 5 IN SOA ns. admin. 1 2 3 4 5"},
		"tld DS":    {answer: "tld. 60 IN DS 1 8 2 00"},
		"x.tld A":   {noAA: true, authority: "tld. 60 IN NS ns.tld.", additional: "ns.tld. 60 IN A 192.0.2.2"},
		"missing A": {rcode: dns.RcodeNameError, authority: ". 5 IN SOA ns. admin. 1 2 3 4 5"},
	} {
		checkAnswer(t, question, ask(t, r, question), want)
	}
}

// A query that starts with one version of a zone ends with it; the next has the new one.
func TestNewVersion(t *testing.T) {
	t.Parallel()
	store := newStore(t, "v. 60 IN SOA a. b. 1 1 1 1 1\nx.v. 60 IN A 192.0.2.1")
	r := testResponder(store)
	checkAnswer(t, "old", ask(t, r, "x.v A"), wantAnswer{answer: "x.v. 60 IN A 192.0.2.1"})
	publish(t, store, "v. 60 IN SOA a. b. 2 1 1 1 1\nx.v. 60 IN A 192.0.2.2")
	checkAnswer(t, "new", ask(t, r, "x.v A"), wantAnswer{answer: "x.v. 60 IN A 192.0.2.2"})
	store.Remove("v.")
	checkAnswer(t, "gone", ask(t, r, "x.v A"), wantAnswer{rcode: dns.RcodeRefused, noAA: true})
}

var _ Zones = (*zonestore.Store)(nil)

// Names whose labels hold dots, zeros and escapes, and names at the limits.
func TestBinaryLabels(t *testing.T) {
	t.Parallel()
	long := "a23456789012345678901234567890123456789012345678901234567890123.b23456789012345678901234567890123456789012345678901234567890123.c23456789012345678901234567890123456789012345678901234567890123.d2345678901234567890123456789012345678901234567890123456789."
	r := testResponder(newStore(t, `
b.	60 IN SOA a. b. 1 1 1 1 1
a\.c.b.	60 IN A 192.0.2.1
a.c.b.	60 IN A 192.0.2.2
\000.b.	60 IN A 192.0.2.3
\255x.b. 60 IN A 192.0.2.4
\065\066.b. 60 IN A 192.0.2.5
`+long+"b. 60 IN A 192.0.2.6\n"))
	for name, address := range map[string]string{
		`a\.c.b.`: "192.0.2.1", `a.c.b.`: "192.0.2.2", `\000.b.`: "192.0.2.3", `\255x.b.`: "192.0.2.4", `ab.b.`: "192.0.2.5",
		long + "b.": "192.0.2.6",
	} {
		got := ask(t, r, name+" A")
		if len(got.Answer) != 1 || got.Answer[0].(*dns.A).A.String() != address {
			t.Errorf("%s: got %v, want %s", name, got.Answer, address)
		}
	}
	if n := len(wiretest.Name(t, long+"b.")); n != wire.MaxName {
		t.Errorf("the long name has %d octets, want %d", n, wire.MaxName)
	}
}
