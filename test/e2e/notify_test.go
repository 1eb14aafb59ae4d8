package e2e

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// TestNotifyPermissions: an ACL of the account permits what a stranger may not,
// and a key can be demanded. The log says of each refusal why.
func TestNotifyPermissions(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, key.Name, lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: "notify:\n  require_key: true\n"})
	d.Zone(t, zoneName, d.Peer(t, "signed", u.Addr(), &key))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	refused := func(from netip.Addr, cause string) {
		t.Helper()
		seen := d.Log.Len()
		if rcode := harness.Notify(t, from, d.DNS, zoneName, nil); rcode != dns.RcodeRefused {
			t.Errorf("NOTIFY from %s is answered with %s, want REFUSED", from, dns.RcodeToString[rcode])
		}
		d.Log.WaitFrom(t, seen, func(e harness.Entry) bool {
			return e.Message() == "notify refused" && e.Text("zone") == zoneName && e.Text("cause") == cause
		}, "a line that says why the NOTIFY from "+from.String()+" was refused")
	}
	inACL, stranger := netip.MustParseAddr("127.0.1.7"), netip.MustParseAddr("127.0.1.16")
	refused(inACL, "not a peer of the zone, nor in an ACL of its account")
	d.Client.CreateACL(t, harness.ACL{Name: "notifiers", IPRange: "127.0.1.1/28"})
	refused(stranger, "not a peer of the zone, nor in an ACL of its account")
	refused(loopback, "not signed, but the peer has a key and notify.require_key is set")
	for _, by := range []struct {
		from netip.Addr
		key  *harness.Key
	}{{loopback, &key}, {inACL, nil}} {
		serial := u.bump(t, zoneName)
		if rcode := harness.Notify(t, by.from, d.DNS, zoneName, by.key); rcode != dns.RcodeSuccess {
			t.Errorf("NOTIFY from %s is answered with %s", by.from, dns.RcodeToString[rcode])
		}
		harness.WaitSerial(t, d.DNS, zoneName, serial)
	}
}

// TestNotifyOfPrimary has our primary send what its zones need.
func TestNotifyOfPrimary(t *testing.T) {
	t.Parallel()
	for name, keyName := range map[string]string{"plain": "", "signed": key.Name} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := primaryOf(t, zoneName, keyName, lazy)
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			peer := d.Peer(t, "p", u.Addr(), nil)
			if keyName != "" {
				peer = d.Peer(t, "p", u.Addr(), &key)
			}
			d.Zone(t, zoneName, peer)
			harness.WaitSerial(t, d.DNS, zoneName, 1)
			for range 3 {
				serial := u.announce(t, d, zoneName)
				harness.WaitSerial(t, d.DNS, zoneName, serial)
			}
		})
	}
}
