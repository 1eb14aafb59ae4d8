// Package hostile puts primaries, and senders of NOTIFY, that do wrong before
// the built secondaryd, one class of wrong after the other. Whatever they do,
// the last good version is served, nothing bad is, the daemon stays small and
// says what went wrong, and the zone is up to date once the primary behaves.
//
// The files hold tables of classes: transfer_test.go (streams and polls),
// names_test.go, limits_test.go (sizes and times), ixfr_test.go, tsig_test.go,
// failover_test.go (peers that hide others, retries) and notify_test.go. The
// classes of a table share a daemon, each with a zone and a primary of its own,
// so that their waits overlap. class_test.go plays them.
package hostile

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// loopback is the address of our primaries.
var loopback = netip.MustParseAddr("127.0.0.1")

var key = harness.Key{
	Name:      "hostile.key.",
	Algorithm: dns.HmacSHA256,
	Secret:    "c2VjcmV0IG9mIHRoZSBob3N0aWxlIHRlc3Rz",
}

// quick shortens the waits for peers that say nothing, so that a test can sit
// through them.
const quick = `
transfer:
  connect_timeout: 1s
  first_message_timeout: 1s
  message_timeout: 1s
`

// upstream is a primary of one zone.
type upstream struct {
	*primary.Server
	Stop func() // ends it and waits; the address stays free for another
	zone string
}

// startPrimary runs a primary of the zone with serial 1, at listen if that is
// not empty.
func startPrimary(t *testing.T, listen, zone, keyName string, retry int) *upstream {
	t.Helper()
	server, stop := harness.StartPrimary(t, primary.Options{
		Listen: listen,
		Zones:  []primary.Zone{{Name: zone, Records: zoneRecords(t, zone, 1, retry), Key: keyName}},
		Keys:   []primary.Key{primary.Key(key)},
	})
	return &upstream{server, stop, zone}
}

// lazy is a retry of the SOA, in seconds, that no test lives to see.
const lazy = 600

// zoneRecords are those of a small zone; version tells which it is of.
func zoneRecords(t *testing.T, zone string, serial uint32, retry int) []dns.RR {
	t.Helper()
	records, err := primary.Parse(zone, fmt.Sprintf(`
@       60 SOA ns1 admin %d 3600 %d 86400 60
@       60 NS ns1
ns1     60 A 192.0.2.1
www     60 A 192.0.2.80
www     60 AAAA 2001:db8::80
version 60 TXT "%d"
`, serial, retry, serial))
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// plainRecords is how many records a version has unless a class adds some.
const plainRecords = 6

// bump makes the next version, as change has it if that is not nil, and returns
// its serial.
func (u *upstream) bump(t *testing.T, change func([]dns.RR) []dns.RR) uint32 {
	t.Helper()
	serial, err := u.Update(u.zone, func(records []dns.RR) []dns.RR {
		soa := records[0].(*dns.SOA)
		soa.Serial++
		records = slices.DeleteFunc(records, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeTXT })
		if records = append(records, version(u.zone, soa.Serial)); change != nil {
			records = change(records)
		}
		return records
	})
	if err != nil {
		t.Fatal(err)
	}
	return serial
}

// version is the record that tells which version of the zone is served.
func version(zone string, serial uint32) dns.RR {
	return record("version.%s 60 TXT \"%d\"", zone, serial)
}

// record parses a record that a test has written.
func record(format string, args ...any) dns.RR {
	rr, err := dns.NewRR(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err)
	}
	return rr
}

// notify sends an honest NOTIFY from the address of our primaries.
func (u *upstream) notify(t *testing.T, d *harness.Daemon) {
	t.Helper()
	if rcode := harness.Notify(t, loopback, d.DNS, u.zone, nil); rcode != dns.RcodeSuccess {
		t.Fatalf("NOTIFY of %s is answered with %s", u.zone, dns.RcodeToString[rcode])
	}
}

// wantVersion compares what the daemon serves of the zone, from the apex to the
// names that hostile primaries plant, with the version of that serial.
func (u *upstream) wantVersion(t *testing.T, d *harness.Daemon, serial uint32) {
	t.Helper()
	for _, want := range []string{
		fmt.Sprintf("%s 60 NS ns1.%[1]s", u.zone),
		"ns1." + u.zone + " 60 A 192.0.2.1",
		"www." + u.zone + " 60 A 192.0.2.80",
		"www." + u.zone + " 60 AAAA 2001:db8::80",
		version(u.zone, serial).String(),
	} {
		rr := record("%s", want)
		m := harness.Ask(t, d.DNS, rr.Header().Name, rr.Header().Rrtype)
		if len(m.Answer) != 1 || !dns.IsDuplicate(m.Answer[0], rr) {
			t.Errorf("asked for %s, got\n%v", rr, m)
		}
	}
	if got, ok := harness.Serial(d.DNS, u.zone); !ok || got != serial {
		t.Errorf("serves serial %d, %v, want %d", got, ok, serial)
	}
	if m := harness.Ask(t, d.DNS, planted+u.zone, dns.TypeA); m.Rcode != dns.RcodeNameError {
		t.Errorf("serves what was planted:\n%v", m)
	}
}

// planted is the first label of names that must never be served.
const planted = "planted."

// event matches log lines by message and zone.
func event(message, zone string) func(harness.Entry) bool {
	return func(e harness.Entry) bool {
		return e.Message() == message && strings.EqualFold(e.Text("zone"), zone)
	}
}

// transferred matches the line that a version of the zone has come.
func transferred(zone string, serial uint32) func(harness.Entry) bool {
	return func(e harness.Entry) bool {
		return event("zone transferred", zone)(e) && e.Text("serial") == fmt.Sprint(serial)
	}
}
