package metrics

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestZones(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	at := time.Unix(1_800_000_000, 500_000_000)
	failing := FailingPeer{Peer: "192.0.2.1:53", Step: "connect", Cause: "no connection in time", NextTry: at}
	zones := []Zone{
		{Name: "a.test.", State: "serving", Serial: 4294967295, Records: 3, Checked: at, Confirmed: at, Expires: at, Failing: []FailingPeer{failing, failing}},
		{Name: "b.test.", State: "empty", Activity: "queued", Unsaved: true, Held: at, HeldCause: "it has lost much", Differs: true},
	}
	RegisterZones(r, true, false, func() iter.Seq[Zone] { return slices.Values(zones) })
	want := `
# HELP secondaryd_zone_expiry_timestamp_seconds When the copy expires unless it is confirmed, in Unix time; 0 without a copy.
# TYPE secondaryd_zone_expiry_timestamp_seconds gauge
secondaryd_zone_expiry_timestamp_seconds{zone="a.test."} 1.8000000005e+09
secondaryd_zone_expiry_timestamp_seconds{zone="b.test."} 0
# HELP secondaryd_zone_held_timestamp_seconds Since when a new version of the zone is held, in Unix time, and why.
# TYPE secondaryd_zone_held_timestamp_seconds gauge
secondaryd_zone_held_timestamp_seconds{cause="it has lost much",zone="b.test."} 1.8000000005e+09
# HELP secondaryd_zone_peer_failing A peer that failed in the zone's last refresh, and why; the value is the Unix time of the zone's next try.
# TYPE secondaryd_zone_peer_failing gauge
secondaryd_zone_peer_failing{cause="no connection in time",peer="192.0.2.1:53",step="connect",zone="a.test."} 1.8000000005e+09
# HELP secondaryd_zone_serial SOA serial of the copy held.
# TYPE secondaryd_zone_serial gauge
secondaryd_zone_serial{zone="a.test."} 4.294967295e+09
secondaryd_zone_serial{zone="b.test."} 0
# HELP secondaryd_zones Configured zones by state (empty, serving, expired).
# TYPE secondaryd_zones gauge
secondaryd_zones{state="empty"} 1
secondaryd_zones{state="expired"} 0
secondaryd_zones{state="serving"} 1
# HELP secondaryd_zones_differing Zones of which a peer has other content than ours, with our serial.
# TYPE secondaryd_zones_differing gauge
secondaryd_zones_differing 1
# HELP secondaryd_zones_held Zones of which a new version is held until a person releases or discards it.
# TYPE secondaryd_zones_held gauge
secondaryd_zones_held 1
# HELP secondaryd_zones_refreshing Zones of which a refresh is running, or queued for a place with a peer.
# TYPE secondaryd_zones_refreshing gauge
secondaryd_zones_refreshing{activity="queued"} 1
secondaryd_zones_refreshing{activity="running"} 0
# HELP secondaryd_zones_unsaved Zones served from memory whose copy could not be saved to disk.
# TYPE secondaryd_zones_unsaved gauge
secondaryd_zones_unsaved 1
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "secondaryd_zone_expiry_timestamp_seconds",
		"secondaryd_zone_peer_failing", "secondaryd_zone_serial", "secondaryd_zones", "secondaryd_zones_held",
		"secondaryd_zone_held_timestamp_seconds", "secondaryd_zones_unsaved", "secondaryd_zones_differing",
		"secondaryd_zones_refreshing"); err != nil {
		t.Error(err)
	}
	lint(t, r)
	// A zone that is gone leaves nothing behind.
	zones = nil
	if n, err := testutil.GatherAndCount(r, "secondaryd_zone_serial"); n != 0 || err != nil {
		t.Errorf("%d series of zones that are gone, %v", n, err)
	}
}

func TestZonesWithoutSeriesEach(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	RegisterZones(r, false, false, func() iter.Seq[Zone] { return slices.Values([]Zone{{Name: "a.test.", State: "serving"}}) })
	if n, err := testutil.GatherAndCount(r); n != 8 || err != nil {
		t.Errorf("%d series, %v; want three of states, two of activities and one each of unsaved, held and differing zones", n, err)
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	m := NewTransfer(r)
	m.Transferred("axfr", "ok", time.Second, 1000)
	m.Transferred("axfr", "failed", time.Hour, 5000)
	m.Failed("SOA", "no answer in time")
	if got := testutil.ToFloat64(m.octets.WithLabelValues("axfr")); got != 1000 {
		t.Errorf("octets: got %v, want those of the transfer that ended well", got)
	}
	for _, result := range []string{"ok", "failed"} {
		if got := testutil.ToFloat64(m.transfers.WithLabelValues("axfr", result)); got != 1 {
			t.Errorf("transfers %s: got %v, want 1", result, got)
		}
	}
	if got := testutil.ToFloat64(m.failures.WithLabelValues("SOA", "no answer in time")); got != 1 {
		t.Errorf("failures: got %v, want 1", got)
	}
	lint(t, r)
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry("v1.2.3")
	for _, name := range []string{"secondaryd_build_info", "go_goroutines", "process_open_fds"} {
		if n, err := testutil.GatherAndCount(r, name); n != 1 || err != nil {
			t.Errorf("%s: %d series, %v", name, n, err)
		}
	}
}

func lint(t *testing.T, r prometheus.Gatherer) {
	t.Helper()
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}
