package metrics

import (
	"iter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Zone is the state of one zone at the moment of a scrape. Times that are zero
// mean never.
type Zone struct {
	Name      string
	State     string // empty, serving or expired
	Serial    uint32
	Records   int
	Checked   time.Time
	Confirmed time.Time
	Expires   time.Time
	Unsaved   bool
	Activity  string // idle; queued for a place with a peer; running
	Differs   bool   // a peer has other content with our serial
	Failing   []FailingPeer
	Held      time.Time    // since when a version is held; zero for none
	HeldCause string       // from a closed set
	Queries   *ZoneQueries // nil if none are counted
}

// FailingPeer is a peer that failed in the zone's last refresh.
type FailingPeer struct {
	Peer, Step, Cause string
	NextTry           time.Time
}

// zones makes the series of zones from their state when they are asked for: it
// keeps nothing, so a zone that is gone leaves no series behind.
type zones struct {
	list    func() iter.Seq[Zone]
	perZone bool
	queries bool
}

var (
	zoneCount     = desc("zones", "Configured zones by state (empty, serving, expired).", "state")
	zoneUnsaved   = desc("zones_unsaved", "Zones served from memory whose copy could not be saved to disk.")
	zoneSerial    = desc("zone_serial", "SOA serial of the copy held.", "zone")
	zoneChecked   = desc("zone_last_check_timestamp_seconds", "When a primary of the zone was last asked, in Unix time; 0 for never.", "zone")
	zoneConfirmed = desc("zone_last_success_timestamp_seconds", "When a primary last confirmed or renewed the copy, in Unix time; 0 for never.", "zone")
	zoneExpiry    = desc("zone_expiry_timestamp_seconds", "When the copy expires unless it is confirmed, in Unix time; 0 without a copy.", "zone")
	zoneRecords   = desc("zone_records", "Resource records of the served copy.", "zone")
	zonesHeld     = desc("zones_held", "Zones of which a new version is held until a person releases or discards it.")
	zoneHeld      = desc("zone_held_timestamp_seconds", "Since when a new version of the zone is held, in Unix time, and why.", "zone", "cause")
	zonesActive   = desc("zones_refreshing", "Zones of which a refresh is running, or queued for a place with a peer.", "activity")
	zonesDiffer   = desc("zones_differing", "Zones of which a peer has other content than ours, with our serial.")
	zoneQueries   = desc("zone_queries_total", "Queries about the zone that were answered, by response code.", "zone", "rcode")
	zoneFailing   = desc("zone_peer_failing", "A peer that failed in the zone's last refresh, and why; the value is the Unix time of the zone's next try.", "zone", "peer", "step", "cause")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// RegisterZones registers the series of zones. list is called at each scrape.
// Without perZone only the totals are made, for fleets too large for more; queries
// are counted apart from that.
func RegisterZones(r prometheus.Registerer, perZone, queries bool, list func() iter.Seq[Zone]) {
	r.MustRegister(&zones{list: list, perZone: perZone, queries: queries})
}

// Describe implements prometheus.Collector.
func (c *zones) Describe(ch chan<- *prometheus.Desc) {
	ch <- zoneCount
	ch <- zoneUnsaved
	ch <- zonesHeld
	ch <- zonesDiffer
	ch <- zonesActive
	if c.queries {
		ch <- zoneQueries
	}
	if !c.perZone {
		return
	}
	for _, d := range []*prometheus.Desc{zoneSerial, zoneChecked, zoneConfirmed, zoneExpiry, zoneRecords, zoneHeld, zoneFailing} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *zones) Collect(ch chan<- prometheus.Metric) {
	states := map[string]int{"empty": 0, "serving": 0, "expired": 0}
	activities := map[string]int{"running": 0, "queued": 0}
	unsaved, held, differing := 0, 0, 0
	for z := range c.list() {
		states[z.State]++
		if _, ok := activities[z.Activity]; ok {
			activities[z.Activity]++
		}
		if z.Unsaved {
			unsaved++
		}
		if !z.Held.IsZero() {
			held++
		}
		if z.Differs {
			differing++
		}
		if c.perZone {
			z.collect(ch)
		}
		if c.queries {
			z.Queries.collect(ch, z.Name)
		}
	}
	for activity, n := range activities {
		ch <- gauge(zonesActive, float64(n), activity)
	}
	for state, n := range states {
		ch <- gauge(zoneCount, float64(n), state)
	}
	ch <- gauge(zoneUnsaved, float64(unsaved))
	ch <- gauge(zonesHeld, float64(held))
	ch <- gauge(zonesDiffer, float64(differing))
}

func (z *Zone) collect(ch chan<- prometheus.Metric) {
	ch <- gauge(zoneSerial, float64(z.Serial), z.Name)
	ch <- gauge(zoneChecked, unix(z.Checked), z.Name)
	ch <- gauge(zoneConfirmed, unix(z.Confirmed), z.Name)
	ch <- gauge(zoneExpiry, unix(z.Expires), z.Name)
	ch <- gauge(zoneRecords, float64(z.Records), z.Name)
	if !z.Held.IsZero() {
		ch <- gauge(zoneHeld, unix(z.Held), z.Name, z.HeldCause)
	}
	for i, f := range z.Failing {
		if !z.failedBefore(i) {
			ch <- gauge(zoneFailing, unix(f.NextTry), z.Name, f.Peer, f.Step, f.Cause)
		}
	}
}

// failedBefore reports whether failure i has the labels of an earlier one: two
// peers of a zone may have one address.
func (z *Zone) failedBefore(i int) bool {
	for _, f := range z.Failing[:i] {
		if f.Peer == z.Failing[i].Peer && f.Step == z.Failing[i].Step && f.Cause == z.Failing[i].Cause {
			return true
		}
	}
	return false
}

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}
