package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// status is what the tests look at of a zone's status.
type status struct {
	State string `json:"state"`
	Held  *struct {
		Serial    uint32 `json:"soa_serial"`
		Since     string `json:"held_time"`
		Discarded bool   `json:"discarded"`
	} `json:"held"`
	Peers []struct {
		Result   string `json:"result"`
		Serial   uint32 `json:"soa_serial"`
		Transfer struct {
			Kind string `json:"kind"`
		} `json:"transfer"`
	} `json:"peers"`
}

func statusOf(t *testing.T, d *harness.Daemon, zone string) (s status) {
	t.Helper()
	a := order(t, d, "GET", zone, "status", nil)
	if err := json.Unmarshal(a.Result, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func order(t *testing.T, d *harness.Daemon, method, zone, what string, body any) *harness.Answer {
	t.Helper()
	a, err := d.Client.Do(method, "/zones/"+harness.ZoneID(zone)+"/secondary_dns/incoming/"+what, body)
	if err != nil || !a.Success {
		t.Fatalf("%s %s: %v %+v", method, what, err, a)
	}
	return a
}

// A version that has lost most of its zone waits for a person, over kill -9 and
// without any order, and is served when it is released.
func TestHeldVersion(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	grow := func(records []dns.RR) []dns.RR {
		for i := range 60 {
			rr, err := dns.NewRR(fmt.Sprintf("n%d.%s 60 IN A 192.0.2.1", i, zoneName))
			if err != nil {
				t.Error(err)
				return nil
			}
			records = append(records, rr)
		}
		return records
	}
	if _, err := u.Update(zoneName, grow); err != nil {
		t.Fatal(err)
	}
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 2)

	shrink := func(records []dns.RR) []dns.RR { return records[:len(records)-60] }
	if _, err := u.Update(zoneName, shrink); err != nil {
		t.Fatal(err)
	}
	held := func() bool {
		s := statusOf(t, d, zoneName)
		return s.Held != nil && s.Held.Serial == 3
	}
	if err := u.Notify(t.Context(), zoneName, d.DNS.String()); err != nil {
		t.Fatal(err)
	}
	harness.Wait(t, held, "serial 3 to be held")
	since := statusOf(t, d, zoneName).Held.Since
	d.Kill()
	d.Start(t)
	harness.WaitSerial(t, d.DNS, zoneName, 2)
	harness.Wait(t, held, "serial 3 to be held after a restart")
	if s := statusOf(t, d, zoneName); s.Held.Since != since {
		t.Errorf("held since %s, before the restart since %s", s.Held.Since, since)
	}
	if serial, _ := harness.Serial(d.DNS, zoneName); serial != 2 {
		t.Errorf("serves serial %d, want 2", serial)
	}
	order(t, d, "POST", zoneName, "release", map[string]uint32{"soa_serial": 3})
	harness.WaitSerial(t, d.DNS, zoneName, 3)
	d.WaitLog(t, event("held version released", zoneName), "the log to tell of the release")
	if s := statusOf(t, d, zoneName); s.Held != nil || len(s.Peers) != 1 || s.Peers[0].Result != "ok" || s.Peers[0].Serial != 3 {
		t.Errorf("status: %+v", s)
	}
}
