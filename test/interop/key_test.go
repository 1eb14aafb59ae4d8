package interop

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// TestInteropKeyRoll changes the key at the primary first. Until the daemon knows
// of it, it says what is wrong and serves what it has; then it goes on.
func TestInteropKeyRoll(t *testing.T) {
	t.Parallel()
	renamed := harness.Key{Name: "new.key.test.", Algorithm: dns.HmacSHA384, Secret: "YW5vdGhlciBzZWNyZXQgb2YgdGhlIGludGVyb3AgdGVzdHM="}
	replaced := keys[0]
	replaced.Secret = renamed.Secret
	for _, p := range harness.Primaries {
		for _, roll := range []struct {
			name  string
			key   harness.Key
			cause string
		}{
			{"new name", renamed, "the peer does not know the name of the key"},
			{"new secret", replaced, "the secrets of the key differ"},
		} {
			t.Run(p.Name+" "+roll.name, func(t *testing.T) {
				t.Parallel()
				const name = "roll.test."
				old := keys[0]
				primary := p.Start(t, harness.ServerOptions{
					Zones: []harness.Zone{{Name: name, Text: edited(t, name, 1), Key: old.Name}},
					Keys:  []harness.Key{old},
				})
				d := harness.StartDaemon(t, harness.DaemonOptions{})
				peer := ixfrPeer(t, d, primary.Addr, &old)
				d.Zone(t, name, peer)
				harness.WaitSerial(t, d.DNS, name, 1)

				primary.Change(t, func(o *harness.ServerOptions) {
					o.Keys = []harness.Key{roll.key}
					o.Zones[0].Key = roll.key.Name
					o.Zones[0].Text = edited(t, name, 2, edits...)
				})
				notify(t, d.DNS, name)
				line := d.WaitLog(t, failure(name), "the peer failed")
				if step, cause := line.Text("step"), line.Text("cause"); step != "TSIG" || cause != roll.cause {
					t.Errorf("the log names the step %q and the cause %q, want TSIG and %q", step, cause, roll.cause)
				}
				for _, series := range []string{"secondaryd_refresh_failures_total", "secondaryd_zone_peer_failing"} {
					if v, _ := d.Client.Metrics(t).Value(series, "step", "TSIG", "cause", roll.cause); v < 1 {
						t.Errorf("%s of TSIG, %s is %v", series, roll.cause, v)
					}
				}
				harness.WaitSerial(t, d.DNS, name, 1)

				if roll.key.Name == old.Name {
					d.Client.PutTSIG(t, peer.TSIGID, roll.key)
				} else {
					peer.TSIGID = d.Client.CreateTSIG(t, roll.key).ID
					d.Client.PutPeer(t, peer)
				}
				harness.WaitSerial(t, d.DNS, name, 2)
				check(t, d.DNS, primary, name, &roll.key, 1)
				harness.Wait(t, func() bool {
					return len(d.Client.Metrics(t).Find("secondaryd_zone_peer_failing", "step", "TSIG")) == 0
				}, "the peer to count as failing no more")
				primary.Reload(t, name, edited(t, name, 3), 3)
				update(t, d, name, 3)
				check(t, d.DNS, primary, name, &roll.key, 1)
			})
		}
	}
}

// failure matches the log line of a peer that failed.
func failure(zone string) func(harness.Entry) bool {
	return func(e harness.Entry) bool { return e.Message() == "peer failed" && e.Text("zone") == zone }
}
