package metrics

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestZoneQueries: what several workers count of a zone is summed, whatever
// their number, and zones that nobody asked about have no series.
func TestZoneQueries(t *testing.T) {
	t.Parallel()
	counters := NewDNS(prometheus.NewRegistry())
	first, second, third := counters.Worker(), counters.Worker(), counters.Worker()
	asked := NewZoneQueries(2)
	for rcode, worker := range map[int]*DNSWorker{0: first, 3: second, 2: third, 5: first, 6: second} {
		asked.Answered(worker, rcode)
	}
	asked.Answered(third, 0)
	zones := []Zone{{Name: "a.test.", State: "serving", Queries: asked}, {Name: "b.test.", State: "serving"}}
	r := prometheus.NewPedanticRegistry()
	RegisterZones(r, false, true, func() iter.Seq[Zone] { return slices.Values(zones) })
	want := `
# HELP secondaryd_zone_queries_total Queries about the zone that were answered, by response code.
# TYPE secondaryd_zone_queries_total counter
secondaryd_zone_queries_total{rcode="NOERROR",zone="a.test."} 2
secondaryd_zone_queries_total{rcode="NXDOMAIN",zone="a.test."} 1
secondaryd_zone_queries_total{rcode="SERVFAIL",zone="a.test."} 1
secondaryd_zone_queries_total{rcode="other",zone="a.test."} 2
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "secondaryd_zone_queries_total"); err != nil {
		t.Error(err)
	}
	lint(t, r)
}

// Two workers must not write to one cache line.
func TestZoneLineIsACacheLine(t *testing.T) {
	t.Parallel()
	q := NewZoneQueries(3)
	if at := uintptr(unsafe.Pointer(unsafe.SliceData(q.lines))); unsafe.Sizeof(q.lines[0]) != 64 || at%64 != 0 {
		t.Errorf("a line of %d octets lies at %#x", unsafe.Sizeof(q.lines[0]), at)
	}
}
