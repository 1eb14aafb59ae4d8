package dnssec

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// chained is a zone with an NSEC3 chain without salt and iterations.
type chained struct {
	signedZone
	t testing.TB
}

// hash returns the label of a name's NSEC3 record.
func hash(name string) string { return dns.HashName(name, dns.SHA1, 0, "") }

// record returns the NSEC3 record of a name.
func (z chained) record(name string) string {
	z.t.Helper()
	return z.starting(z.t, hash(name)+".example.org. 60 IN NSEC3 ")
}

// leader returns the owner of the record that leads to that of name.
func (z chained) leader(name string) string {
	z.t.Helper()
	for _, line := range z.lines {
		if f := strings.Fields(line); f[3] == "NSEC3" && f[8] == hash(name) {
			return f[0]
		}
	}
	z.t.Fatalf("nothing leads to %s", name)
	return ""
}

// ends returns the first and the last hash of the chain.
func (z chained) ends() (first, last string) {
	var hashes []string
	for _, line := range z.lines {
		if owner, rest, _ := strings.Cut(line, "."); strings.Contains(rest, " IN NSEC3 ") {
			hashes = append(hashes, owner)
		}
	}
	return slices.Min(hashes), slices.Max(hashes)
}

// skip takes a name's record out of the chain, which closes behind it; to be
// signed again.
func (z chained) skip(name string) []edit {
	next := strings.Fields(z.record(name))[8]
	return []edit{without(hash(name)), {" " + hash(name), " " + next}}
}

// TestCorruptedNSEC3 spoils the NSEC3 chains of signed zones, each in one way.
func TestCorruptedNSEC3(t *testing.T) {
	t.Parallel()
	plain, opt := chained{load(t, "nsec3"), t}, chained{load(t, "optout"), t}
	first, last := plain.ends()
	const ns, empty = "ns.example.org.", "b.deep.example.org."
	for _, tc := range []struct {
		what          string
		zone          chained
		before, after []edit // as in TestCorrupted
		added         []string
		want          []string
	}{
		{what: "nothing", zone: plain, before: []edit{{`"Text"`, `"Other"`}}},
		{what: "nothing of opt-out", zone: opt, before: []edit{{`"Text"`, `"Other"`}}},
		{what: "insecure delegation more under opt-out", zone: opt, added: []string{"new.example.org. 60 IN NS ns.elsewhere."}},
		{what: "insecure delegation more under an empty non-terminal", zone: opt, added: []string{"x.y.z.example.org. 60 IN NS ns.elsewhere."}},
		{what: "the name of an NSEC3 record in lower case", zone: plain, after: []edit{{hash(ns) + ".example.org. 60 IN NSEC3 ", strings.ToLower(hash(ns)) + ".example.org. 60 IN NSEC3 "}}},
		{what: "signature too many at a delegation", zone: plain, added: []string{"sub.example.org. 60 IN RRSIG NS 13 3 60 20500101000000 20200101000000 1 example.org. AAAA"}},

		{what: "record gone", zone: plain, after: []edit{without(hash(ns))}, want: []string{
			ns + " NSEC3: the name has no NSEC3 record",
			plain.leader(ns) + " NSEC3: it leads to " + hash(ns) + ", not to the next hash",
		}},
		{what: "chain that does not close", zone: plain, before: []edit{{" - " + first, " - " + last}}, want: []string{last + ".example.org. NSEC3: it leads to " + last + ", not to the next hash"}},
		{what: "name below an empty non-terminal, behind all others", zone: plain, added: []string{"x.zz.example.org. 60 IN TXT x"}, want: []string{
			"x.zz.example.org. TXT: it has no signature",
			"x.zz.example.org. NSEC3: the name has no NSEC3 record",
			"zz.example.org. NSEC3: the name has no NSEC3 record",
		}},
		{what: "name left out", zone: plain, before: plain.skip(ns), want: []string{ns + " NSEC3: the name has no NSEC3 record"}},
		{what: "name left out with opt-out", zone: opt, before: opt.skip(ns), want: []string{ns + " NSEC3: the name has no NSEC3 record"}},
		{what: "empty non-terminal left out", zone: plain, before: plain.skip(empty), want: []string{empty + " NSEC3: the name has no NSEC3 record"}},
		{what: "empty non-terminal left out with opt-out", zone: opt, before: opt.skip(empty), want: []string{empty + " NSEC3: the name has no NSEC3 record"}},
		{what: "secure delegation left out with opt-out", zone: opt, before: opt.skip("secure.example.org."), want: []string{"secure.example.org. NSEC3: the name has no NSEC3 record"}},
		{what: "insecure delegation left out", zone: plain, before: plain.skip("sub.example.org."), want: []string{"sub.example.org. NSEC3: the name has no NSEC3 record, and what covers its hash has no opt-out"}},
		{what: "empty non-terminal above one left out", zone: plain, before: plain.skip("insecure.example.org."), want: []string{"insecure.example.org. NSEC3: the name has no NSEC3 record, and what covers its hash has no opt-out"}},
		{what: "name that is none", zone: plain, after: []edit{without("Upper.example.org. ")}, want: []string{"example.org. NSEC3: 1 records of the chain are of names that the zone does not have"}},
		{what: "type not listed", zone: plain, before: []edit{{"A AAAA RRSIG", "A RRSIG"}}, want: []string{ns + " NSEC3: it does not list AAAA, which the name owns"}},
		{what: "type listed", zone: plain, before: []edit{{"A AAAA RRSIG", "A MX AAAA RRSIG"}}, want: []string{ns + " NSEC3: it lists MX, which the name does not own"}},
		{what: "type listed at an empty non-terminal", zone: plain, before: []edit{{plain.record(empty), plain.record(empty) + " A"}}, want: []string{empty + " NSEC3: it lists A, which the name does not own"}},
		{what: "unsigned", zone: plain, after: []edit{without(hash(ns) + ".example.org. 60 IN RRSIG ")}, want: []string{hash(ns) + ".example.org. NSEC3: it has no signature"}},
		{what: "flags", zone: plain, before: []edit{{hash(ns) + ".example.org. 60 IN NSEC3 1 0 ", hash(ns) + ".example.org. 60 IN NSEC3 1 2 "}}, want: []string{hash(ns) + ".example.org. NSEC3: it has unknown flags"}},
		{what: "two records", zone: plain, added: []string{hash(ns) + ".example.org. 60 IN NSEC3 1 0 0 - " + hash(empty) + " A"}, want: []string{
			hash(ns) + ".example.org. NSEC3: its signature does not verify",
			hash(ns) + ".example.org. NSEC3: the name does not have one NSEC3 record of the chain",
			"example.org. NSEC3: 1 records of the chain are of names that the zone does not have",
		}},
		{what: "other parameters", zone: plain, before: []edit{{"NSEC3PARAM 1 0 0 -", "NSEC3PARAM 1 0 1 -"}}, want: []string{"example.org. NSEC3: the zone has an NSEC3PARAM record but none of its NSEC3 records"}},
		{what: "iterations", zone: plain, before: []edit{{"NSEC3PARAM 1 0 0 -", "NSEC3PARAM 1 0 501 -"}}, want: []string{"example.org. NSEC3PARAM: 501 iterations, at most 500 are computed"}},
		{what: "incomplete", zone: plain, before: []edit{{"NSEC3PARAM 1 0 0 -", "NSEC3PARAM 1 1 0 -"}}, want: []string{"example.org. NSEC: the zone has neither NSEC nor NSEC3 records of a chain that is complete"}},
	} {
		z := tc.zone.signedZone
		if tc.before != nil {
			z = z.edited(t, tc.before...).resigned(t)
		}
		z = z.edited(t, tc.after...).with(tc.added...)
		checkReport(t, tc.what, validate(t, z.compile(t), now), tc.want)
	}
}

// TestDNAMEAtApex: the NSEC3 records of a zone with a DNAME at its apex lie below
// it, and count all the same.
func TestDNAMEAtApex(t *testing.T) {
	t.Parallel()
	owner := hash("example.org.") + ".example.org."
	z := signedZone{lines: []string{
		"example.org. 60 IN SOA a. b. 1 2 3 4 5", "example.org. 60 IN RRSIG SOA 13 2 60 20500101000000 20200101000000 1 example.org. AAAA",
		"example.org. 60 IN DNAME b.", "example.org. 60 IN RRSIG DNAME 13 2 60 20500101000000 20200101000000 1 example.org. AAAA",
		"example.org. 0 IN NSEC3PARAM 1 0 0 -", "example.org. 0 IN RRSIG NSEC3PARAM 13 2 0 20500101000000 20200101000000 1 example.org. AAAA",
		"example.org. 60 IN RRSIG DNSKEY 13 2 60 20500101000000 20200101000000 1 example.org. AAAA",
		owner + " 60 IN NSEC3 1 0 0 - " + hash("example.org.") + " SOA DNAME RRSIG DNSKEY NSEC3PARAM",
		owner + " 60 IN RRSIG NSEC3 13 3 60 20500101000000 20200101000000 1 example.org. AAAA",
	}}.resigned(t)
	checkReport(t, "whole", validate(t, z.compile(t), now), nil)
	for i, line := range z.lines {
		z.lines[i] = strings.ReplaceAll(line, "\t", " ")
	}
	z = z.edited(t, without(owner+" 0 IN RRSIG "))
	checkReport(t, "unsigned", validate(t, z.compile(t), now), []string{owner + " NSEC3: it has no signature"})
}
