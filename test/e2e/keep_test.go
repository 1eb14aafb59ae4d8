package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// configured leaves out what a check moves.
var configured = cmpopts.IgnoreFields(harness.Incoming{}, "SOASerial", "CheckedTime")

// TestKill9KeepsConfiguration kills the daemon right after the 200 of a create,
// an update and a removal.
func TestKill9KeepsConfiguration(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	nowhere := harness.FreeAddr(t)
	peer := d.Peer(t, "nowhere", nowhere, &key)
	var want []harness.Incoming
	for i := range 3 {
		want = append(want, d.Zone(t, fmt.Sprintf("zone%d.test.", i), peer))
		d.Kill()
		d.Start(t)
		for _, in := range want {
			if diff := cmp.Diff(in, d.Client.GetIncoming(t, in.Name), configured); diff != "" {
				t.Fatalf("after kill -9 (-answered +kept):\n%s", diff)
			}
		}
	}
	want[0].AutoRefreshSeconds = 777
	want[0] = d.Client.PutIncoming(t, want[0])
	d.Kill()
	d.Start(t)
	if diff := cmp.Diff(want[0], d.Client.GetIncoming(t, want[0].Name), configured); diff != "" || want[0].AutoRefreshSeconds != 777 {
		t.Errorf("after PUT and kill -9 (-answered +kept):\n%s", diff)
	}
	d.Client.DeleteIncoming(t, want[1].Name)
	d.Kill()
	d.Start(t)
	harness.WaitRcode(t, d.DNS, want[1].Name, dns.RcodeRefused)
	harness.WaitRcode(t, d.DNS, want[2].Name, dns.RcodeServerFailure)
}

// TestKill9ServesAtOnce kills the daemon, stops the primary, and has the zone
// served within a second of the start of the process. It is not run beside other
// tests of this package, so that it measures the daemon.
func TestKill9ServesAtOnce(t *testing.T) {
	u := primaryOf(t, zoneName, key.Name, lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	before := d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), &key))
	d.WaitLog(t, event("zone transferred", zoneName), "the copy to be saved")
	want := harness.Ask(t, d.DNS, "www."+zoneName, dns.TypeAAAA)
	u.Stop()
	d.Kill()

	start := time.Now()
	d.Launch(t)
	harness.Wait(t, func() bool {
		serial, ok := harness.Serial(d.DNS, zoneName)
		return ok && serial == 1
	}, "the kept copy to be served")
	if took := time.Since(start); took > time.Second {
		t.Errorf("served %v after the start, want at most 1s", took)
	}
	got := harness.Ask(t, d.DNS, "www."+zoneName, dns.TypeAAAA)
	if diff := cmp.Diff(want.Answer, got.Answer); diff != "" {
		t.Errorf("answer before and after:\n%s", diff)
	}
	harness.Wait(t, d.Client.Ready, "the API to be ready")
	after := d.Client.GetIncoming(t, zoneName)
	if diff := cmp.Diff(before, after, configured); diff != "" || after.SOASerial != 1 {
		t.Errorf("soa_serial is %d; configuration before and after:\n%s", after.SOASerial, diff)
	}
}

// TestStopKeepsCopy is the same for an orderly end.
func TestStopKeepsCopy(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	u.Stop()
	from := d.Log.Len()
	d.Restart(t)
	if serial, ok := harness.Serial(d.DNS, zoneName); !ok || serial != 1 {
		t.Errorf("ready, but serves serial %d, %v", serial, ok)
	}
	d.Log.WaitFrom(t, from, func(e harness.Entry) bool { return e.Message() == "zones loaded" }, "zones loaded")
}

// TestExpiry has a zone expire 6 seconds after its only good check, whatever
// happens to the daemon between, and come back with the primary.
func TestExpiry(t *testing.T) {
	t.Parallel()
	tm := timers{refresh: 1, retry: 1, expire: 6}
	u := primaryOf(t, zoneName, "", tm)
	addr := u.Addr()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", addr, nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	u.Stop()

	expiry := expiryOf(t, d)
	d.Restart(t)
	if again := expiryOf(t, d); again.Sub(expiry).Abs() > time.Millisecond {
		t.Errorf("expiry is %v, after the restart %v", expiry, again)
	}
	harness.WaitRcode(t, d.DNS, zoneName, dns.RcodeServerFailure)
	if off := time.Since(expiry); off < -100*time.Millisecond || off > 3*time.Second {
		t.Errorf("SERVFAIL came %v after the expiry", off)
	}
	line := d.WaitLog(t, event("zone expired", zoneName), "zone expired")
	if line.Text("level") != "error" || line.Text("serial") != "1" {
		t.Errorf("expiry is logged as %v", line)
	}

	d.Kill()
	d.Start(t)
	if rcode := harness.Rcode(d.DNS, zoneName); rcode != dns.RcodeServerFailure {
		t.Errorf("expired zone is answered with %s after a restart", dns.RcodeToString[rcode])
	}
	startAgain(t, addr.String(), 2, tm)
	harness.WaitSerial(t, d.DNS, zoneName, 2)
}

// expiryOf is the time at which the daemon says that the zone expires.
func expiryOf(t *testing.T, d *harness.Daemon) time.Time {
	t.Helper()
	for _, s := range d.Client.Metrics(t).Find("secondaryd_zone_expiry_timestamp_seconds") {
		if sameName(s.Labels["zone"], zoneName) {
			return time.UnixMicro(int64(s.Value * 1e6))
		}
	}
	t.Fatal("no metric zone_expiry_timestamp_seconds of the zone")
	return time.Time{}
}
