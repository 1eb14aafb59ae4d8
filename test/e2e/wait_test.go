package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// TestWaitForSerial has a request wait for the version that a NOTIFY announces.
func TestWaitForSerial(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	type reply struct {
		serial uint32
		err    error
	}
	wait := func(query string) <-chan reply {
		got := make(chan reply, 1)
		go func() {
			var s struct {
				Serial uint32 `json:"soa_serial"`
			}
			a, err := d.Client.Do("GET", "/zones/"+harness.ZoneID(zoneName)+"/secondary_dns/incoming/status?"+query, nil)
			if err == nil {
				err = json.Unmarshal(a.Result, &s)
			}
			got <- reply{s.Serial, err}
		}()
		return got
	}
	if got := <-wait("wait=9&serial=1"); got.err != nil || got.serial != 1 {
		t.Fatalf("the first version: %+v", got)
	}
	start := time.Now()
	if got := <-wait("wait=1&serial=2"); got.err != nil || got.serial != 1 || time.Since(start) < time.Second {
		t.Errorf("in vain: %+v after %s", got, time.Since(start))
	}
	waiting := wait("wait=9&serial=2")
	u.announce(t, d, zoneName)
	start = time.Now()
	if got := <-waiting; got.err != nil || got.serial != 2 || time.Since(start) > 5*time.Second {
		t.Errorf("the second version: %+v after %s", got, time.Since(start))
	}
}
