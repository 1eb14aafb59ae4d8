package conformance

import (
	"context"
	"net/netip"
	"sync"
	"testing"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// world is zones that are served together, by each of the servers.
type world struct {
	name    string
	zones   []*zone
	anchors map[string]string // of the signed zones, by apex
}

// enclosing is the deepest zone of the world that a name lies in, or nil.
func (w *world) enclosing(name string) *zone {
	var found *zone
	for _, z := range w.zones {
		if below(name, z.apex) && (found == nil || below(z.apex, found.apex)) {
			found = z
		}
	}
	return found
}

// The servers, in the order in which answers are kept.
const (
	nsdAt = iota
	knotAt
	bindAt
	oursAt
)

var serverNames = []string{"NSD", "Knot", "BIND", "secondaryd"}

// servers is where a world is served: the peers, then ours if it takes part.
type servers []netip.AddrPort

// serve starts one primary of the world's zones, the peers as its secondaries,
// and secondaryd, configured by REST. It returns when all serve all zones.
func (w *world) serve(t *testing.T, withOurs bool) servers {
	t.Helper()
	from := w.startPrimary(t)
	var options harness.ServerOptions
	options.Primary = from
	for _, z := range w.zones {
		options.Zones = append(options.Zones, harness.Zone{Name: z.apex})
	}
	var all servers
	for _, p := range harness.Primaries {
		all = append(all, p.Start(t, options).Addr)
	}
	if !withOurs {
		return all
	}
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info"})
	peer := d.Peer(t, "primary", from, nil)
	for _, z := range w.zones {
		d.Zone(t, z.apex, peer)
	}
	for _, z := range w.zones {
		serial, _ := harness.Serial(from, z.apex)
		harness.WaitSerial(t, d.DNS, z.apex, serial)
	}
	return append(all, d.DNS)
}

func (w *world) startPrimary(t *testing.T) netip.AddrPort {
	t.Helper()
	o := primary.Options{Listen: "127.0.0.1:0"}
	for _, z := range w.zones {
		o.Zones = append(o.Zones, primary.Zone{Name: z.apex, Records: z.text})
	}
	s, err := primary.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("primary: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s.Addr()
}
