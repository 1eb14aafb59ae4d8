package bench

import "slices"

// A measuredLoad is a load with what is measured under it.
type measuredLoad struct {
	load
	by string // what sends the queries

	cpu        *metric
	aboveFloor *metric // the same beside the responder that only flips a bit, or nil
	rate       *metric
	busy       *metric
	p50, p99   *metric // saturating only
	lost       *metric
}

// theBetter are the peers that answers are compared with.
var theBetter = []string{"NSD", "Knot"}

// Targets of the CPU for an answer.
const (
	udpRatio   = 0.85
	tcpRatio   = 1
	floorRatio = 1.5
)

// loadsOf returns what a set is asked by: UDP by our loader and by dnsperf, TCP by
// dnsperf.
func loadsOf(s *set) []measuredLoad {
	dnsperf := newMeasuredLoad(s.name+", dnsperf: ", load{tcp: s.tcp, sockets: senders, window: outstandingQueries})
	dnsperf.by = "dnsperf"
	if s.tcp {
		dnsperf.sockets, dnsperf.cpu.ratio = fewConnections, tcpRatio
		return []measuredLoad{dnsperf}
	}
	saturated := newMeasuredLoad(s.name+": ", load{saturating: true, sockets: senders, window: outstandingQueries})
	saturated.by, saturated.cpu.ratio = "our loader", udpRatio
	saturated.p50 = &metric{name: s.name + ": latency, median", unit: "µs"}
	saturated.p99 = &metric{name: s.name + ": latency, p99", unit: "µs"}
	if s.floor {
		saturated.aboveFloor = &metric{name: s.name + ": CPU an answer, to the floor", unit: "µs", ratio: floorRatio, against: []string{floorName}}
	}
	return []measuredLoad{saturated, dnsperf}
}

func newMeasuredLoad(prefix string, l load) measuredLoad {
	return measuredLoad{
		load: l,
		cpu:  &metric{name: prefix + "CPU an answer", unit: "µs", against: theBetter},
		rate: &metric{name: prefix + "answers a second", unit: "1/s", more: true},
		busy: &metric{name: prefix + "the server's core is busy", unit: "%", plain: true},
		lost: &metric{name: prefix + "answers lost of 256 outstanding", unit: "queries", none: true},
	}
}

// metrics are those that there are, in the order of the table.
func (m measuredLoad) metrics() []*metric {
	all := []*metric{m.cpu, m.aboveFloor, m.rate, m.busy, m.p50, m.p99, m.lost}
	return slices.DeleteFunc(all, func(m *metric) bool { return m == nil })
}
