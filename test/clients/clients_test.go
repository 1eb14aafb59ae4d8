// Package clients drives the built secondaryd with the vendor's own clients,
// unmodified, and with Terraform's order of calls, against our primary.
//
// It is a module of its own, so that the product's go.mod lists only what the
// product needs. The clients get the base URL and the token, and nothing else
// that a user of theirs would not give them.
package clients

import (
	"os"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// zoneName is the zone that each test has.
const zoneName = "example.test."

// key is what the primary wants its transfers signed with.
var key = harness.Key{
	Name:      "clients.key.",
	Algorithm: dns.HmacSHA512,
	Secret:    "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBjbGllbnRz",
}

// absent is an id that nothing has.
const absent = "ffffffffffffffffffffffffffffffff"

// world is a daemon that knows nothing yet, and a primary of zoneName with
// serial 1.
type world struct {
	*harness.Daemon
	primary *primary.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	records, err := primary.Parse(zoneName, `
@   60 SOA ns1 admin 1 3600 600 86400 60
@   60 NS ns1
ns1 60 A 192.0.2.1
www 60 A 192.0.2.80
`)
	if err != nil {
		t.Fatal(err)
	}
	server, _ := harness.StartPrimary(t, primary.Options{
		Zones: []primary.Zone{{Name: zoneName, Records: records, Key: key.Name}},
		Keys:  []primary.Key{primary.Key(key)},
		Log:   t.Logf,
	})
	return &world{harness.StartDaemon(t, harness.DaemonOptions{}), server}
}

// base is the base URL, as a user gives it to a client of the vendor's.
func (w *world) base() string { return w.Client.Base + "/client/v4" }

// bump gives the zone at the primary the next serial and tells nobody.
func (w *world) bump(t *testing.T) uint32 {
	t.Helper()
	serial, err := w.primary.Update(zoneName, func(records []dns.RR) []dns.RR { return records })
	if err != nil {
		t.Fatal(err)
	}
	return serial
}

// served waits until the daemon answers for the zone with this serial.
func (w *world) served(t *testing.T, serial uint32) {
	t.Helper()
	harness.WaitSerial(t, w.DNS, zoneName, serial)
}

// gone waits until the daemon no longer answers for the zone.
func (w *world) gone(t *testing.T) {
	t.Helper()
	harness.WaitRcode(t, w.DNS, zoneName, dns.RcodeRefused)
}

// must gives the result of a call that has to work.
func must[T any](result T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}
