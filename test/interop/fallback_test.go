package interop

import (
	"testing"

	"secondaryd/test/harness"
)

// TestInteropIXFRForgotten has the primary lose its history: it answers with the
// whole zone. From then on there are differences again.
//
// Those that NSD 4.6 makes of zone files add records anew that were not deleted,
// at names that have several types. They do not fit then, and the whole zone
// is transferred.
func TestInteropIXFRForgotten(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			const name = "forgotten.test."
			primary := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: edited(t, name, 1), History: true}},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, ixfrPeer(t, d, primary.Addr, nil))
			harness.WaitSerial(t, d.DNS, name, 1)
			primary.Reload(t, name, edited(t, name, 2, edits[0]), 2)
			primary.Forget(t)
			primary.Change(t, func(o *harness.ServerOptions) { o.Zones[0].Text = edited(t, name, 3, edits...) })
			update(t, d, name, 3)
			check(t, d.DNS, primary, name, nil, 1)
			wantTransfers(t, d, transfers{axfr: 2})

			primary.Reload(t, name, edited(t, name, 4), 4)
			update(t, d, name, 4)
			check(t, d.DNS, primary, name, nil, 1)
			want := []transfers{{axfr: 2, ixfr: 1}}
			if p.Name == "NSD" {
				want = append(want, transfers{axfr: 3, ixfrFailed: 1})
			}
			wantTransfers(t, d, want...)
		})
	}
}

// TestInteropIXFRNotOffered asks primaries for differences that keep none.
func TestInteropIXFRNotOffered(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			const name = "whole.test."
			primary := p.Start(t, harness.ServerOptions{Zones: []harness.Zone{{Name: name, Text: edited(t, name, 1)}}})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, ixfrPeer(t, d, primary.Addr, nil))
			harness.WaitSerial(t, d.DNS, name, 1)
			for serial := range uint32(3) {
				serial += 2
				primary.Reload(t, name, edited(t, name, serial, edits[:serial]...), serial)
				update(t, d, name, serial)
				check(t, d.DNS, primary, name, nil, 1)
			}
			wantTransfers(t, d, transfers{axfr: 4})
		})
	}
}

// TestInteropIXFRMisfit gives the primary another content under the serial that
// the daemon has, as when a backup is restored: its differences do not fit.
func TestInteropIXFRMisfit(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			const name = "misfit.test."
			primary := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: edited(t, name, 1), History: true}},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, ixfrPeer(t, d, primary.Addr, nil))
			harness.WaitSerial(t, d.DNS, name, 1)
			primary.Change(t, func(o *harness.ServerOptions) { o.Zones[0].Text = edited(t, name, 1, edits[0]) })
			primary.Reload(t, name, edited(t, name, 2), 2)
			update(t, d, name, 2)
			check(t, d.DNS, primary, name, nil, 1)
			wantTransfers(t, d, transfers{axfr: 2, ixfrFailed: 1})
			d.WaitLog(t, func(e harness.Entry) bool {
				return e.Text("zone") == name && e.Text("cause") == "the differences do not fit our version"
			}, "why the whole zone was asked for")
		})
	}
}
