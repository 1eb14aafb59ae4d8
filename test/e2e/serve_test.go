package e2e

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// TestOpenData is what is answered for zones that can't be served, by UDP and TCP.
func TestOpenData(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, "empty.test.", d.Peer(t, "nowhere", harness.FreeAddr(t), nil))
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	for _, tt := range []struct {
		name  string
		qtype uint16
		rcode int
		aa    bool
	}{
		{"unknown.test.", dns.TypeSOA, dns.RcodeRefused, false},
		{"test.", dns.TypeNS, dns.RcodeRefused, false},
		{".", dns.TypeNS, dns.RcodeRefused, false},
		{"empty.test.", dns.TypeSOA, dns.RcodeServerFailure, false},
		{"www.empty.test.", dns.TypeA, dns.RcodeServerFailure, false},
		{"www." + zoneName, dns.TypeA, dns.RcodeSuccess, true},
		{"none." + zoneName, dns.TypeA, dns.RcodeNameError, true},
	} {
		for _, network := range []string{"udp", "tcp"} {
			m, err := harness.Query(d.DNS, network, tt.name, tt.qtype)
			if err != nil {
				t.Fatal(err)
			}
			if m.Rcode != tt.rcode || m.Authoritative != tt.aa {
				t.Errorf("%s by %s: got %s, AA %v, want %s, AA %v", tt.name, network,
					dns.RcodeToString[m.Rcode], m.Authoritative, dns.RcodeToString[tt.rcode], tt.aa)
			}
		}
	}
}

// A zone is in the DNS within a second of its creation, and out of it within a
// second of its deletion, which outlives a kill.
func TestZoneComesAndGoes(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	peer := d.Peer(t, "p", u.Addr(), nil)
	if rcode := harness.Rcode(d.DNS, zoneName); rcode != dns.RcodeRefused {
		t.Errorf("before its creation the zone is answered with %s", dns.RcodeToString[rcode])
	}
	d.Zone(t, zoneName, peer)
	begin := time.Now()
	harness.WaitFor(t, time.Second, func() bool {
		serial, ok := harness.Serial(d.DNS, zoneName)
		return ok && serial == 1
	}, "the new zone to be served")
	t.Logf("served after %v", time.Since(begin))
	d.Client.DeleteIncoming(t, zoneName)
	begin = time.Now()
	harness.WaitFor(t, time.Second, func() bool {
		return harness.Rcode(d.DNS, zoneName) == dns.RcodeRefused
	}, "the deleted zone to be REFUSED")
	t.Logf("refused after %v", time.Since(begin))
	d.Kill()
	d.Start(t)
	if rcode := harness.Rcode(d.DNS, zoneName); rcode != dns.RcodeRefused {
		t.Errorf("after a restart the deleted zone is answered with %s", dns.RcodeToString[rcode])
	}
}

// TestForceAXFR takes an older serial too, which a NOTIFY does not.
func TestForceAXFR(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	_, err := u.Update(zoneName, func(records []dns.RR) []dns.RR {
		records[0].(*dns.SOA).Serial = 4294967000 // older than 1 (RFC 1982)
		return records
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := u.Seen(zoneName, dns.TypeSOA)
	if err := u.Notify(t.Context(), zoneName, d.DNS.String()); err != nil {
		t.Fatal(err)
	}
	harness.Wait(t, func() bool { return u.Seen(zoneName, dns.TypeSOA) > checked }, "a check")
	if serial, _ := harness.Serial(d.DNS, zoneName); serial != 1 {
		t.Errorf("serves serial %d after a NOTIFY of an older one, want 1", serial)
	}
	d.Client.ForceAXFR(t, zoneName)
	harness.WaitSerial(t, d.DNS, zoneName, 4294967000)
	if got := d.Client.GetIncoming(t, zoneName).SOASerial; got != 4294967000 {
		t.Errorf("soa_serial is %d", got)
	}
}
