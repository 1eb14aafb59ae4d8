// Package conformance serves the same zones from NSD, Knot DNS, BIND and
// secondaryd, all four as secondaries of one primary, asks them questions made
// from the zones themselves, and compares the answers.
//
// What right servers may do differently is taken out by named rules
// (rules_test.go). Where the peers still agree and we differ, the test fails;
// where they do not, our answer must be that of one of them. docs/conformance.md
// has the reasons and the figures. Without CONFORMANCE_FULL=1 a fixed sample of
// the questions is asked. Where a peer is not installed the tests are skipped,
// except in CI.
package conformance

import (
	"os"
	"testing"
	"time"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// sampleSize is about how many questions of one world are asked in the short
// form.
const sampleSize = 4500

func full() bool { return os.Getenv("CONFORMANCE_FULL") == "1" }

func TestConformance(t *testing.T) {
	total, done := newResult(), 0
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			begin := time.Now()
			zones := w.zones(t)
			servers := serve(t, zones)
			t.Logf("%d zones are served after %v", len(zones), time.Since(begin).Round(time.Millisecond))
			questions := questionsOf(zones)
			t.Logf("%d questions can be asked", len(questions))
			if !full() {
				questions = sample(questions, sampleSize)
			}
			r := compare(servers, questions)
			t.Logf("done after %v", time.Since(begin).Round(time.Millisecond))
			r.report(t)
			total.add(r)
			done++
		})
	}
	total.summary(t, full() && done == len(worlds))
}

// serve starts one primary for the zones and the four servers as its secondaries.
func serve(t *testing.T, zones []*zone) servers {
	t.Helper()
	var all []primary.Zone
	for _, z := range zones {
		all = append(all, primary.Zone{Name: z.name, Records: z.records})
	}
	source, _ := harness.StartPrimary(t, primary.Options{Zones: all})
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "warn"})
	peer := d.Peer(t, "primary", source.Addr(), nil)
	for _, z := range zones {
		d.Zone(t, z.name, peer)
	}
	s := servers{ours: d.DNS}
	for i, p := range harness.Primaries {
		o := harness.ServerOptions{Primary: source.Addr()}
		for _, z := range zones {
			if !z.refusedBy[p.Name] {
				o.Zones = append(o.Zones, harness.Zone{Name: z.name})
			}
		}
		s.peers[i] = p.Start(t, o).Addr
	}
	for _, z := range zones {
		harness.WaitSerial(t, d.DNS, z.name, serial)
	}
	return s
}
