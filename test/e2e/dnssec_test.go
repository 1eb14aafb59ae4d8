package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

const signedName = "signed.test."

const toSign = `
signed.test. 300 IN SOA ns.signed.test. admin.signed.test. 1 3600 600 86400 60
signed.test. 300 IN NS ns.signed.test.
ns.signed.test. 300 IN A 192.0.2.1
a.signed.test. 300 IN A 192.0.2.2
z.deep.er.signed.test. 300 IN A 192.0.2.3
alias.signed.test. 300 IN CNAME a.signed.test.
nowhere.signed.test. 300 IN CNAME missing.signed.test.
*.wild.signed.test. 300 IN A 192.0.2.4
exists.wild.signed.test. 300 IN A 192.0.2.5
*.alias.wild.signed.test. 300 IN CNAME q.wild.signed.test.
x.*.empty.signed.test. 300 IN A 192.0.2.6
dn.signed.test. 300 IN DNAME wild.signed.test.
insecure.signed.test. 300 IN NS ns.insecure.signed.test.
ns.insecure.signed.test. 300 IN A 192.0.2.7
between.ent.signed.test. 300 IN NS ns.elsewhere.test.
secure.signed.test. 300 IN NS ns.elsewhere.test.
secure.signed.test. 300 IN DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
`

// TestProofs has a validator of another make check every kind of answer from
// signed zones: what it can't prove by our records it refuses.
func TestProofs(t *testing.T) {
	t.Parallel()
	questions := []struct {
		name, qtype string
		exists      bool
	}{
		{"a", "A", true},
		{"A.signed.test.", "A", true},
		{"alias", "A", true},
		{"q.wild", "A", true},
		{"p.q.wild", "A", true},
		{"q.alias.wild", "A", true},
		{"exists.dn", "A", true},
		{"other.dn", "A", true},
		{"secure", "DS", true},
		{"missing", "A", false},
		{"x.missing", "A", false},
		{"0", "A", false},
		{"zzz", "A", false},
		{"a", "TXT", false},
		{"deep.er", "A", false},
		{"er", "A", false},
		{"x.deep.er", "A", false},
		{"nowhere", "A", false},
		{"q.wild", "TXT", false},
		{"q.alias.wild", "TXT", false},
		{"q.empty", "A", false},
		{"x.exists.wild", "A", false},
		{"insecure", "DS", false},
		{"between.ent", "DS", false},
		{"ent", "A", false},
		{"other.ent", "A", false},
	}
	for name, how := range map[string]harness.Denial{
		"NSEC": harness.NSEC, "NSEC3": harness.NSEC3, "NSEC3 with salt": harness.NSEC3Old, "opt-out": harness.OptOut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := harness.Sign(t, signedName, toSign, how)
			records, err := primary.Parse(signedName, signed.Text)
			if err != nil {
				t.Fatal(err)
			}
			u := startPrimary(t, primary.Options{Zones: []primary.Zone{{Name: signedName, Records: records}}})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, signedName, d.Peer(t, "primary", u.Addr(), nil))
			harness.WaitSerial(t, d.DNS, signedName, 1)
			for _, q := range questions {
				if !strings.HasSuffix(q.name, ".") {
					q.name += "." + signedName
				}
				got := harness.Validate(t, d.DNS, signedName, signed.Anchor, q.name, q.qtype)
				if absent := strings.Contains(got, "negative response") || strings.Contains(got, "ncache"); absent == q.exists {
					t.Errorf("%s %s: exists %v, got:\n%s", q.name, q.qtype, q.exists, got)
				}
				if !validated(got, name == "opt-out") {
					t.Errorf("%s %s is not validated:\n%s", q.name, q.qtype, got)
				}
			}
		})
	}
}

// validated reads what delv says. Where names may have been left out of the
// chain, a validator can't tell them from those that do not exist, and says so
// (RFC 5155 section 9.2).
func validated(got string, optOut bool) bool {
	return strings.Contains(got, "fully validated") || optOut && strings.Contains(got, "unsigned answer")
}

// TestIterations: a proof may cost so much and no more. A chain with more
// iterations is refused with the whole version (RFC 9276).
func TestIterations(t *testing.T) {
	t.Parallel()
	hashed := func(iterations int) []dns.RR {
		records, err := primary.Parse(zoneName, zoneText(1, lazy)+fmt.Sprintf(`
@ 0 NSEC3PARAM 1 0 %d -
0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM 60 NSEC3 1 0 %d - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A
`, iterations, iterations))
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	for iterations, served := range map[int]bool{500: true, 501: false} {
		u := startPrimary(t, primary.Options{Zones: []primary.Zone{{Name: zoneName, Records: hashed(iterations)}}})
		d := harness.StartDaemon(t, harness.DaemonOptions{})
		d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
		if served {
			harness.WaitSerial(t, d.DNS, zoneName, 1)
			continue
		}
		line := d.WaitLog(t, event("peer failed", zoneName), "the zone to be refused")
		if !strings.Contains(line.Text("cause"), "iterations") || harness.Rcode(d.DNS, zoneName) != dns.RcodeServerFailure {
			t.Errorf("%d iterations: got %v and %s", iterations, line, dns.RcodeToString[harness.Rcode(d.DNS, zoneName)])
		}
	}
}
