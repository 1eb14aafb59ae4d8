package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// ZoneQueries counts the queries about one zone that were answered. Each worker
// has a cache line of its own, so none waits for another.
type ZoneQueries struct {
	lines []zoneLine
}

// zoneLine is as large as a cache line, and so is where it lies.
type zoneLine [8]atomic.Uint64

// zoneRcodes are the response codes that a zone's answers are told apart by;
// the last stands for all others.
var zoneRcodes = [...]string{"NOERROR", "NXDOMAIN", "SERVFAIL", otherLabel}

const (
	rcodeServFail = 2
	rcodeNXDomain = 3
)

// NewZoneQueries makes the counters of a zone for that many workers.
func NewZoneQueries(workers int) *ZoneQueries {
	return &ZoneQueries{lines: make([]zoneLine, max(workers, 1))}
}

// Answered counts one query, which that worker answered with that response code.
func (q *ZoneQueries) Answered(w *DNSWorker, rcode int) {
	slot := len(zoneRcodes) - 1
	switch rcode {
	case 0:
		slot = 0
	case rcodeNXDomain:
		slot = 1
	case rcodeServFail:
		slot = 2
	}
	q.lines[w.number%len(q.lines)][slot].Add(1)
}

// collect gives the sums that are not zero. A zone that was never asked about
// has no counters.
func (q *ZoneQueries) collect(ch chan<- prometheus.Metric, zone string) {
	if q == nil {
		return
	}
	for slot, code := range zoneRcodes {
		var sum uint64
		for i := range q.lines {
			sum += q.lines[i][slot].Load()
		}
		if sum > 0 {
			ch <- prometheus.MustNewConstMetric(zoneQueries, prometheus.CounterValue, float64(sum), zone, code)
		}
	}
}
