package e2e

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	const open, signed = "open.test.", "signed.test."
	u := startPrimary(t, primary.Options{
		Zones: []primary.Zone{
			{Name: open, Records: zoneOf(t, open, 1, lazy)},
			{Name: signed, Records: zoneOf(t, signed, 1, lazy), Key: key.Name},
		},
		Keys: []primary.Key{primary.Key(key)},
	})
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, open, d.Peer(t, "open", u.Addr(), nil))
	d.Zone(t, signed, d.Peer(t, "signed", u.Addr(), &key))
	harness.WaitSerial(t, d.DNS, open, 1)
	harness.WaitSerial(t, d.DNS, signed, 1)

	wrongSecret, wrongName := key, key
	wrongSecret.Secret = "YW5vdGhlciBzZWNyZXQ="
	wrongName.Name = "another.key."
	stranger := netip.MustParseAddr("127.0.0.2")
	for _, tt := range []struct {
		name  string
		zone  string
		from  netip.Addr
		key   *harness.Key
		rcode int
	}{
		{"unsigned from the peer", open, loopback, nil, dns.RcodeSuccess},
		{"unsigned from a peer that has a key", signed, loopback, nil, dns.RcodeSuccess},
		{"signed", signed, loopback, &key, dns.RcodeSuccess},
		{"wrong secret", signed, loopback, &wrongSecret, dns.RcodeNotAuth},
		{"unknown key", signed, loopback, &wrongName, dns.RcodeNotAuth},
		{"from a stranger", open, stranger, nil, dns.RcodeRefused},
		{"from a stranger, wrong key", signed, stranger, &wrongSecret, dns.RcodeNotAuth},
		{"for a zone that is not ours", "none.test.", loopback, nil, dns.RcodeNotAuth},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checked := u.Seen(tt.zone, dns.TypeSOA)
			rcode := harness.Notify(t, tt.from, d.DNS, tt.zone, tt.key)
			if rcode != tt.rcode && !(tt.rcode != dns.RcodeSuccess && rcode == dns.RcodeRefused) {
				t.Errorf("answered with %s, want %s", dns.RcodeToString[rcode], dns.RcodeToString[tt.rcode])
			}
			if tt.rcode == dns.RcodeSuccess {
				harness.Wait(t, func() bool { return u.Seen(tt.zone, dns.TypeSOA) > checked }, "a check")
				serial := u.bump(t, tt.zone)
				harness.Notify(t, tt.from, d.DNS, tt.zone, tt.key)
				harness.WaitSerial(t, d.DNS, tt.zone, serial)
				return
			}
			if tt.zone == "none.test." {
				return
			}
			// A good NOTIFY leads to the one and only check.
			serial := u.bump(t, tt.zone)
			harness.Notify(t, loopback, d.DNS, tt.zone, nil)
			harness.WaitSerial(t, d.DNS, tt.zone, serial)
			if got := u.Seen(tt.zone, dns.TypeSOA); got != checked+1 {
				t.Errorf("%d checks, want 1: the refused NOTIFY led to one", got-checked)
			}
		})
	}
}

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
				serial := u.bump(t, zoneName)
				if err := u.Notify(t.Context(), zoneName, d.DNS.String()); err != nil {
					t.Fatal(err)
				}
				harness.WaitSerial(t, d.DNS, zoneName, serial)
			}
		})
	}
}
