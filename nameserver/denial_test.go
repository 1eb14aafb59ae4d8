package nameserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// denialZone has a name for each kind of proof. It has no signatures: a proof is
// the records alone.
const denialZone = `
$ORIGIN n.
$TTL 60
@	SOA	ns admin 1 1 1 1 1
@	NS	ns
b	A	192.0.2.1
cut	NS	ns.elsewhere.
x.ent	A	192.0.2.2
ns	A	192.0.2.3
sec	NS	ns.elsewhere.
sec	DS	1 8 2 00
*.w	A	192.0.2.4
is.w	A	192.0.2.5
`

// proof is what the records of an answer must prove. Names are below n.
type proof struct {
	question string
	rcode    int
	nsec     string // owners of the NSEC records
	matched  string // names that an NSEC3 record matches
	covered  string // names that one covers
}

var proofsOf = []proof{
	{"c.n A", dns.RcodeNameError, "b @", "@", "c *"},                    // RFC 5155 section 7.2.2
	{"y.x.c.n A", dns.RcodeNameError, "b @", "@", "c *"},                // the next closer name, not the name itself
	{"a.n A", dns.RcodeNameError, "@", "@", "a *"},                      // one NSEC for both
	{"q.is.w.n A", dns.RcodeNameError, "is.w", "is.w", "q.is.w *.is.w"}, // a name that exists blocks the wildcard
	{"b.n TXT", dns.RcodeSuccess, "b", "b", ""},                         // section 7.2.3
	{"n TXT", dns.RcodeSuccess, "@", "@", ""},
	{"ent.n A", dns.RcodeSuccess, "cut", "ent", ""}, // an empty non-terminal owns no NSEC
	{"w.n A", dns.RcodeSuccess, "sec", "w", ""},
	{"q.w.n TXT", dns.RcodeSuccess, "is.w *.w", "w *.w", "q.w"}, // section 7.2.5
	{"q.w.n A", dns.RcodeSuccess, "is.w", "", "q.w"},            // section 7.2.6
	{"y.q.w.n A", dns.RcodeSuccess, "is.w", "", "q.w"},
	{"b.n DS", dns.RcodeSuccess, "b", "b", ""},
	{"sec.n DS", dns.RcodeSuccess, "", "", ""},
	{"x.sec.n A", dns.RcodeSuccess, "", "", ""}, // the DS itself
}

// With a record for each delegation, or none for those without DS (RFC 5155
// sections 7.2.4 and 7.2.7).
var (
	delegationProofs = []proof{
		{"cut.n DS", dns.RcodeSuccess, "cut", "cut", ""},
		{"x.cut.n A", dns.RcodeSuccess, "cut", "cut", ""},
		{"cut.n NS", dns.RcodeSuccess, "cut", "cut", ""},
	}
	optOutProofs = []proof{
		{"cut.n DS", dns.RcodeSuccess, "", "@", "cut"},
		{"x.cut.n A", dns.RcodeSuccess, "", "@", "cut"},
	}
)

func TestProofsByNSEC(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(denialZone)
	chain := []string{"@", "b", "cut", "x.ent", "ns", "sec", "*.w", "is.w"}
	for i, name := range chain {
		fmt.Fprintf(&b, "%s NSEC %s A NSEC\n", name, chain[(i+1)%len(chain)])
	}
	r := testResponder(newStore(t, b.String()))
	for _, p := range slices.Concat(proofsOf, delegationProofs) {
		var want []string
		for name := range strings.FieldsSeq(p.nsec) {
			want = append(want, below(name))
		}
		checkProof(t, r, p, dns.TypeNSEC, want)
	}
}

func TestProofsByNSEC3(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		chain  nsec3Chain
		proofs []proof
	}{
		"every name": {nsec3Of("@", "b", "cut", "ent", "x.ent", "ns", "sec", "w", "*.w", "is.w"), delegationProofs},
		"opt-out":    {nsec3Of("@", "b", "ent", "x.ent", "ns", "sec", "w", "*.w", "is.w"), optOutProofs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := testResponder(newStore(t, denialZone+tc.chain.text()))
			for _, p := range slices.Concat(proofsOf, tc.proofs) {
				want := tc.chain.owners(t, p.matched, true)
				want = append(want, tc.chain.owners(t, p.covered, false)...)
				checkProof(t, r, p, dns.TypeNSEC3, want)
			}
		})
	}
}

// An owner of the chain is no name of the zone: its absence is proved like any
// other's (RFC 5155 section 7.2.8).
func TestNSEC3OwnerIsNoName(t *testing.T) {
	t.Parallel()
	chain := nsec3Of("@", "b", "cut", "ent", "x.ent", "ns", "sec", "w", "*.w", "is.w")
	r := testResponder(newStore(t, denialZone+chain.text()))
	for _, hash := range chain {
		want := append(chain.owners(t, "@", true), chain.owners(t, hash+" *", false)...)
		checkProof(t, r, proof{question: hash + ".n NSEC3", rcode: dns.RcodeNameError}, dns.TypeNSEC3, want)
	}
}

// checkProof asks with DO, and wants records of a type with these owners, each
// once, and no others; and none without DO.
func checkProof(t *testing.T, r *responder, p proof, rrtype uint16, owners []string) {
	t.Helper()
	var got []string
	answer := ask(t, r, p.question+" do")
	for _, rr := range answer.Ns {
		if rr.Header().Rrtype == rrtype {
			got = append(got, strings.ToLower(rr.Header().Name))
		}
	}
	slices.Sort(got)
	slices.Sort(owners)
	if diff := cmp.Diff(slices.Compact(owners), got); diff != "" || answer.Rcode != p.rcode {
		t.Errorf("%s: got %s, proofs (-want +got):\n%s", p.question, dns.RcodeToString[answer.Rcode], diff)
	}
	for _, rr := range ask(t, r, p.question+" edns").Ns {
		if rr.Header().Rrtype == rrtype {
			t.Errorf("%s without DO: got %v", p.question, rr)
		}
	}
}

func below(name string) string {
	if name == "@" {
		return "n."
	}
	return name + ".n."
}

// nsec3Chain is the hashes of a chain in their order, with the parameters of nsec3Hash.
type nsec3Chain []string

func nsec3Hash(name string) string {
	return strings.ToLower(dns.HashName(name, dns.SHA1, 5, "ABCD"))
}

func nsec3Of(names ...string) nsec3Chain {
	var c nsec3Chain
	for _, name := range names {
		c = append(c, nsec3Hash(below(name)))
	}
	slices.Sort(c)
	return c
}

func (c nsec3Chain) text() string {
	var b strings.Builder
	b.WriteString("@ NSEC3PARAM 1 0 5 ABCD\n")
	for i, hash := range c {
		fmt.Fprintf(&b, "%s NSEC3 1 1 5 ABCD %s A\n", hash, c[(i+1)%len(c)])
	}
	return b.String()
}

// owners returns the owners of the records that match names, or else cover them.
func (c nsec3Chain) owners(t *testing.T, names string, matching bool) []string {
	t.Helper()
	var owners []string
	for name := range strings.FieldsSeq(names) {
		i, matches := slices.BinarySearch(c, nsec3Hash(below(name)))
		if matches != matching {
			t.Fatalf("%s is in the chain: %v", name, matches)
		}
		if !matches {
			i += len(c) - 1 // the one before
		}
		owners = append(owners, c[i%len(c)]+".n.")
	}
	return owners
}
