package interop

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// TestInteropRestart stops the primary for a while. The daemon says so, goes on
// answering, and finds by its own retries, without a NOTIFY, what has changed.
func TestInteropRestart(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			const name = "restart.test."
			eager := edit{"RETRY of a second", "7200 600 86400 300\n", "7200 1 86400 300\n"}
			primary := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: edited(t, name, 1, eager)}},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, d.Peer(t, "p", primary.Addr, nil))
			harness.WaitSerial(t, d.DNS, name, 1)
			served := newZone(name, transfer(t, primary.Addr, name, nil))

			primary.Stop()
			notify(t, d.DNS, name)
			harness.Wait(t, func() bool { return len(d.Log.Find(0, failure(name))) >= 2 }, "two tries that fail")
			line := d.WaitLog(t, failure(name), "the peer failed")
			if cause := line.Text("cause"); line.Text("step") != "connect" || !strings.HasPrefix(cause, "connection refused") {
				t.Errorf("the log says %v, want that the connection is refused", line)
			}
			for _, r := range served.records {
				if served.hidden(r) {
					continue
				}
				if m, err := harness.Query(d.DNS, "udp", r.owner, r.rtype); err != nil || m.Rcode != dns.RcodeSuccess {
					t.Fatalf("%s %s while the primary is down: %v, %v", r.owner, typeName(r.rtype), m, err)
				}
			}

			primary.Change(t, func(o *harness.ServerOptions) { o.Zones[0].Text = edited(t, name, 2, edits...) })
			harness.WaitSerial(t, d.DNS, name, 2)
			check(t, d.DNS, primary, name, nil, 1)
		})
	}
}
