// Package interop has secondaryd transfer zones from real primaries, NSD, Knot
// DNS and BIND, and compares every record that it serves with the primary's own
// answers, octet for octet.
//
// The daemon is configured by REST alone. Where a primary is not installed its
// tests are skipped, except in CI. With INTEROP_LARGE=1 the same is done with
// zones of 100,000 records.
package interop

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

var keys = []harness.Key{
	{Name: "Sha256.Key.Test.", Algorithm: dns.HmacSHA256, Secret: "c2VjcmV0IG9mIHRoZSBpbnRlcm9wIHRlc3RzLCAyNTY="},
	{Name: "sha512.key.test.", Algorithm: dns.HmacSHA512, Secret: "c2VjcmV0IG9mIHRoZSBpbnRlcm9wIHRlc3RzLCA1MTIsIGEgbG9uZ2VyIG9uZQ=="},
	{Name: "sha1.key.test.", Algorithm: dns.HmacSHA1, Secret: "c2VjcmV0IG9mIHRoZSBpbnRlcm9wIHRlc3RzLCAx"},
	{Name: "sha224.key.test.", Algorithm: dns.HmacSHA224, Secret: "c2VjcmV0IG9mIHRoZSBpbnRlcm9wIHRlc3RzLCAyMjQ="},
	{Name: "sha384.key.test.", Algorithm: dns.HmacSHA384, Secret: "c2VjcmV0IG9mIHRoZSBpbnRlcm9wIHRlc3RzLCAzODQ="},
}

// cases are the ways to transfer a zone.
var cases = []struct {
	name string
	key  *harness.Key
}{
	{"plain", nil},
	{"hmac-sha256", &keys[0]},
	{"hmac-sha512", &keys[1]},
	{"hmac-sha1", &keys[2]},
	{"hmac-sha224", &keys[3]},
	{"hmac-sha384", &keys[4]},
}

type starter = func(testing.TB, harness.ServerOptions) *harness.Server

// zones is a zone for each case, named for it.
func zones(text func(name string) string) []harness.Zone {
	var all []harness.Zone
	for _, c := range cases {
		z := harness.Zone{Name: c.name + ".test.", Text: text(c.name + ".test.")}
		if c.key != nil {
			z.Key = c.key.Name
		}
		all = append(all, z)
	}
	return all
}

func small(serial uint32) func(string) string {
	return func(name string) string { return harness.ZoneSmall(name, serial) }
}

// check compares the zone at our address with all that the primary has.
func check(t *testing.T, ours netip.AddrPort, primary *harness.Server, name string, key *harness.Key, probeEvery int) {
	t.Helper()
	z := newZone(name, transfer(t, primary.Addr, name, key))
	compare(z, ours, primary.Addr, probeEvery).report(t, primary.Name)
}

func TestInteropNSD(t *testing.T)  { testInterop(t, harness.NSD) }
func TestInteropKnot(t *testing.T) { testInterop(t, harness.Knot) }
func TestInteropBIND(t *testing.T) { testInterop(t, harness.BIND) }

func testInterop(t *testing.T, start starter) {
	t.Parallel()
	primary := start(t, harness.ServerOptions{Zones: zones(small(4294967295)), Keys: keys})
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			name := c.name + ".test."
			d.Zone(t, name, d.Peer(t, c.name, primary.Addr, c.key))
			harness.WaitSerial(t, d.DNS, name, 4294967295)
			check(t, d.DNS, primary, name, c.key, 1)
		})
	}
}

// TestInteropUpdate changes the zones at the primary, whose NOTIFY tells us, from
// serial 4294967295 to 5, which is newer (RFC 1982).
func TestInteropUpdate(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			primary := p.Start(t, harness.ServerOptions{
				Zones:  zones(small(4294967295)),
				Keys:   keys,
				Notify: []netip.AddrPort{d.DNS},
			})
			for _, c := range cases {
				name := c.name + ".test."
				d.Zone(t, name, d.Peer(t, c.name, primary.Addr, c.key))
				harness.WaitSerial(t, d.DNS, name, 4294967295)
				primary.Reload(t, name, changed(t, name, 5), 5)
				harness.WaitSerial(t, d.DNS, name, 5)
				check(t, d.DNS, primary, name, c.key, 1)
				gone := harness.Ask(t, d.DNS, "ttl-zero."+name, dns.TypeA)
				if gone.Rcode != dns.RcodeNameError {
					t.Errorf("removed record is answered with %s", dns.RcodeToString[gone.Rcode])
				}
				if added := harness.Ask(t, d.DNS, "added."+name, dns.TypeA); len(added.Answer) != 1 {
					t.Errorf("added record is answered with %v", added)
				}
			}
		})
	}
}

// changed is the small zone with records removed, changed and added, also at
// cuts, wildcards and empty non-terminals.
func changed(t *testing.T, name string, serial uint32) string {
	t.Helper()
	text := harness.ZoneSmall(name, serial)
	for _, remove := range []string{"ttl-zero 0 A", "leaf.empty.non.terminal A", "*.wild A", "sibling NS ns.sibling", "ns.sibling A"} {
		at := strings.Index(text, "\n"+remove) + 1
		if at == 0 {
			t.Fatalf("no record to remove: %s", remove)
		}
		text = text[:at] + text[at+strings.IndexByte(text[at:], '\n')+1:]
	}
	for old, replacement := range map[string]string{
		"www 60 A 192.0.2.10\nwww 60 A 192.0.2.11": "www 61 A 192.0.2.11\nwww 61 A 192.0.2.110",
		"ns1.cut 1200 A 192.0.2.90":                "ns1.cut 1200 A 192.0.2.190",
		"hundred 120 A 203.0.113.50\n":             "",
	} {
		if !strings.Contains(text, old) {
			t.Fatalf("no record to change: %s", old)
		}
		text = strings.Replace(text, old, replacement, 1)
	}
	return text + "added A 192.0.2.200\nnew.empty.under.there A 192.0.2.201\nnewcut NS ns.newcut\nns.newcut A 192.0.2.202\n"
}

// largeRecords is the size of the large zones.
const largeRecords = 100_000

func TestInteropLarge(t *testing.T) {
	if os.Getenv("INTEROP_LARGE") != "1" {
		t.Skip("zones of 100,000 records: set INTEROP_LARGE=1")
	}
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			const name = "large.test."
			key := &keys[0]
			primary := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: harness.ZoneLarge(name, 1, largeRecords), Key: key.Name}},
				Keys:  keys,
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info"})
			begin := time.Now()
			d.Zone(t, name, d.Peer(t, "large", primary.Addr, key))
			harness.WaitSerial(t, d.DNS, name, 1)
			t.Logf("configured, transferred and served after %v", time.Since(begin).Round(time.Millisecond))
			z := newZone(name, transfer(t, primary.Addr, name, key))
			r := compare(z, d.DNS, primary.Addr, 10)
			fmt.Printf("%s: records compared: %d, differences: %d\n", p.Name, r.compared, len(r.differences))
			r.report(t, p.Name)
			if r.compared != largeRecords {
				t.Errorf("records compared: %d, want %d", r.compared, largeRecords)
			}
		})
	}
}

// TestPrimariesAgree compares the real primaries with each other: all that view
// keeps is common ground, and none of it is a whim of one server.
func TestPrimariesAgree(t *testing.T) {
	t.Parallel()
	const name = "agree.test."
	// NSD and Knot turn names in RDATA to lower case when they load a zone.
	text := strings.NewReplacer("NS2", "ns2", "Mail.ExAmPlE.NeT.", "mail.example.net.").
		Replace(harness.ZoneSmall(name, 1))
	var servers []*harness.Server
	for _, p := range harness.Primaries {
		servers = append(servers, p.Start(t, harness.ServerOptions{Zones: []harness.Zone{{Name: name, Text: text}}}))
	}
	for i, s := range servers {
		check(t, servers[(i+1)%len(servers)].Addr, s, name, nil, 1)
	}
}

// TestComparisonSees has two servers with zones that differ in one thing.
func TestComparisonSees(t *testing.T) {
	t.Parallel()
	const name = "differ.test."
	text := harness.ZoneSmall(name, 1)
	primary := harness.Knot(t, harness.ServerOptions{Zones: []harness.Zone{{Name: name, Text: text}}})
	records := transfer(t, primary.Addr, name, nil)
	for what, change := range map[string][2]string{
		"an address":              {"sip A 192.0.2.50", "sip A 192.0.2.51"},
		"a TTL":                   {"dname 900 DNAME", "dname 901 DNAME"},
		"the negative TTL":        {"86400 300\n", "86400 299\n"},
		"one octet of text":       {`\000\001\200\255`, `\000\002\200\255`},
		"a record missing":        {"hundred 120 A 203.0.113.99\n", ""},
		"a record more":           {"eui48 EUI48", "eui48 A 192.0.2.99\neui48 EUI48"},
		"a name less":             {"unknown-empty TYPE65281 \\# 0\n", ""},
		"a name server of a cut":  {"cut 1200 NS ns2.cut\n", ""},
		"glue missing":            {"ns1.cut 600 AAAA 2001:db8::90\n", ""},
		"glue of another address": {"ns.sibling A 192.0.2.93", "ns.sibling A 192.0.2.94"},
		"DS missing":              {"cut 1200 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", ""},
		"a wildcard more":         {"*.wild TXT", "*.hinfo A 192.0.2.99\n*.wild TXT"},
		"an empty name less":      {"leaf.empty.non.terminal A 192.0.2.43\n", ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(text, change[0]) {
				t.Fatalf("zone has no %q", change[0])
			}
			other := harness.Knot(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: strings.Replace(text, change[0], change[1], 1)}},
			})
			r := compare(newZone(name, slices.Clone(records)), other.Addr, primary.Addr, 1)
			if len(r.differences) == 0 {
				t.Errorf("nothing seen in %d questions", r.questions)
			}
		})
	}
}
