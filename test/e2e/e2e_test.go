// Package e2e drives the built secondaryd from the outside: REST, DNS, NOTIFY,
// signals, log and metrics, against our own primary, which can be made to
// misbehave, and against real ones.
//
// Each test has a daemon of its own and leaves nothing behind.
package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// zoneName is the zone of most tests.
const zoneName = "example.test."

var key = harness.Key{
	Name:      "e2e.key.",
	Algorithm: dns.HmacSHA256,
	Secret:    "c2VjcmV0IG9mIHRoZSBlMmUgdGVzdHM=",
}

// upstream is a running primary of ours.
type upstream struct {
	*primary.Server
	Stop func() // ends it and waits; the address stays free for another
}

// startPrimary runs a primary until the test ends or it is stopped.
func startPrimary(t *testing.T, o primary.Options) *upstream {
	t.Helper()
	o.Log = t.Logf
	server, stop := harness.StartPrimary(t, o)
	return &upstream{server, stop}
}

// timers of the SOA, in seconds.
type timers struct{ refresh, retry, expire int }

// loopback is the address of our primaries.
var loopback = netip.MustParseAddr("127.0.0.1")

// lazy never retries nor expires while a test runs.
var lazy = timers{3600, 600, 86400}

// zoneOf makes a small zone.
func zoneOf(t *testing.T, name string, serial uint32, tm timers) []dns.RR {
	t.Helper()
	records, err := primary.Parse(name, zoneText(serial, tm))
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func zoneText(serial uint32, tm timers) string {
	return fmt.Sprintf(`
@    60 SOA ns1 admin %d %d %d %d 60
@    60 NS ns1
ns1  60 A 192.0.2.1
www  60 A 192.0.2.80
www  60 AAAA 2001:db8::80
text 60 TXT "one" "two"
`, serial, tm.refresh, tm.retry, tm.expire)
}

// primaryOf runs a primary of one zone with serial 1; keyName may be empty.
func primaryOf(t *testing.T, name, keyName string, tm timers) *upstream {
	t.Helper()
	return startPrimary(t, primary.Options{
		Zones: []primary.Zone{{Name: name, Records: zoneOf(t, name, 1, tm), Key: keyName}},
		Keys:  []primary.Key{primary.Key(key)},
	})
}

// bump gives the zone at the primary the next serial and returns it.
func (u *upstream) bump(t *testing.T, zone string) uint32 {
	t.Helper()
	serial, err := u.Update(zone, func(records []dns.RR) []dns.RR { return records })
	if err != nil {
		t.Fatal(err)
	}
	return serial
}

// announce is bump, and tells the daemon of it.
func (u *upstream) announce(t *testing.T, d *harness.Daemon, zone string) uint32 {
	t.Helper()
	serial := u.bump(t, zone)
	if err := u.Notify(t.Context(), zone, d.DNS.String()); err != nil {
		t.Fatal(err)
	}
	return serial
}

// event matches log lines by message and zone.
func event(message, zone string) func(harness.Entry) bool {
	return func(e harness.Entry) bool {
		return e.Message() == message && sameName(e.Text("zone"), zone)
	}
}

func sameName(a, b string) bool { return dns.CanonicalName(a) == dns.CanonicalName(b) }

// startAgain runs a primary of zoneName at an address that had one before.
func startAgain(t *testing.T, addr string, serial uint32, tm timers) *upstream {
	t.Helper()
	return startPrimary(t, primary.Options{
		Listen: addr,
		Zones:  []primary.Zone{{Name: zoneName, Records: zoneOf(t, zoneName, serial, tm)}},
	})
}
