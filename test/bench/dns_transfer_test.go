package bench

import (
	"path/filepath"
	"runtime"
	"testing"
)

// transferSet is the large zone, asked while it is transferred.
const transferSet = "transfer"

var (
	quietP99    = &metric{name: "half load: latency, p99", unit: "µs"}
	quietP999   = &metric{name: "half load: latency, p99.9", unit: "µs"}
	busyP99     = &metric{name: "half load in a transfer: latency, p99", unit: "µs"}
	busyP999    = &metric{name: "half load in a transfer: latency, p99.9", unit: "µs"}
	slower      = &metric{name: "half load: p99 in a transfer to p99 without", unit: "times", amount: 2}
	busyLost    = &metric{name: "half load in a transfer: answers lost", unit: "queries", none: true}
	busyTime    = &metric{name: "half load in a transfer: until served", unit: "s"}
	wholeRate   = &metric{name: "whole load: answers a second", unit: "1/s", more: true}
	whileLoaded = []*metric{wholeRate, quietP99, quietP999, busyP99, busyP999, slower, busyLost, busyTime}
)

// measureTransfers asks servers, each with all CPUs, at half of what they can,
// without and with a transfer of the zone that they are asked about.
func (b *bench) measureTransfers(t *testing.T) {
	from, queries := largeSet.start(t)
	file := filepath.Join(t.TempDir(), "queries")
	put(t, file, string(stream(queries)))
	servers := b.startAll(t, from, "", runtime.NumCPU())
	askAlike(t, servers, queries)
	l := load{saturating: true, program: b.loader, file: file, sockets: manySenders, length: length()}
	for round := range *rounds {
		for _, s := range servers {
			say("%s, round %d of %d: %s", transferSet, round+1, *rounds, s.name)
			b.measureTransfer(t, l, s)
		}
	}
	for _, s := range servers {
		s.end(t)
	}
}

func (b *bench) measureTransfer(t *testing.T, l load, s *secondary) {
	t.Helper()
	l.window = outstandingQueries
	whole := l.on(t, s.addr)
	b.add(wholeRate, s.name, whole.rate())

	l.window, l.rate = maxOutstanding, int(whole.rate()/2)
	quiet := l.on(t, s.addr)
	b.add(quietP99, s.name, quiet.p99)
	b.add(quietP999, s.name, quiet.p999)

	if s.name == ours.name {
		elsewhere := s.streamAsked(t, l)
		b.add(busyP99, floorName, elsewhere.p99)
		b.add(busyP999, floorName, elsewhere.p999)
		b.add(slower, floorName, elsewhere.p99/quiet.p99)
		b.add(busyLost, floorName, float64(elsewhere.lost))
	}

	busy, took := s.fetchAsked(t, l)
	b.add(busyP99, s.name, busy.p99)
	b.add(busyP999, s.name, busy.p999)
	b.add(slower, s.name, busy.p99/quiet.p99)
	b.add(busyLost, s.name, float64(busy.lost))
	b.add(busyTime, s.name, took.wall.Seconds())
}

// fetchAsked is fetchNext under a load, from the order to fetch until the new
// zone is served.
func (s *secondary) fetchAsked(t *testing.T, l load) (outcome, fetch) {
	t.Helper()
	s.primary.change(t)
	l.length = fetchLimit
	var r *running
	took := s.fetch(t, false, func() {
		r = l.start(t, s.addr)
		s.notify(t)
	})
	return r.stop(t), took
}

// streamAsked puts the server under a load while its primary sends the zone to
// somebody else who drops it: what the answers wait for then is the primary and the
// load, with which the server shares the CPUs, not its own transfer.
func (s *secondary) streamAsked(t *testing.T, l load) outcome {
	t.Helper()
	octets, _ := s.primary.readStream(t, -1)
	l.length = fetchLimit
	r := l.start(t, s.addr)
	s.primary.readStream(t, octets)
	return r.stop(t)
}
