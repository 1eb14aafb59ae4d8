package bench

import (
	"flag"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"secondaryd/test/harness"
)

var (
	changes     = flag.Int("changes", 20, "changes of one record in each round")
	bulkRecords = flag.Int("bulk", 10_000, "records that a large change deletes and adds, taken together")
	idleZones   = flag.Int("idle-zones", 100_000, "number of zones that are only polled")
	idleMinutes = flag.Float64("idle-minutes", 2, "how long they are watched")
	pollRate    = flag.Int("poll-rate", 350, "polls a second that the daemon is configured to send at most")
	stalledPeer = flag.Int("stalled", 200, "number of addresses that never answer")
)

// pollExcess is how far polls in one second may exceed their rate: by what the
// daemon lets through at once.
const pollExcess = 1.1

var (
	oneWall        = &metric{name: "one record: IXFR until served", unit: "ms", ratio: 1}
	oneCPU         = &metric{name: "one record: IXFR, CPU", unit: "ms", ratio: 1.5}
	bulkWall       = &metric{name: "many records: IXFR until served", unit: "ms"}
	bulkCPU        = &metric{name: "many records: IXFR, CPU", unit: "ms", ratio: 1}
	collectionCold = &metric{name: "small zones, no copies: start until all served", unit: "s", ratio: 0.8}
	collectionCPU  = &metric{name: "small zones, no copies: CPU", unit: "s"}
	idleMemory     = &metric{name: "idle zones: memory a zone above its records", unit: "KiB", amount: 3}
	idleWhole      = &metric{name: "idle zones: memory a zone, whole process", unit: "KiB"}
	idleCPU        = &metric{name: "idle zones: CPU of a core", unit: "%", amount: 15}
	idleRate       = &metric{name: "idle zones: polls a second, mean", unit: "1/s", plain: true}
	idlePolls      = &metric{name: "idle zones: polls in any second, to the setting", unit: "times", amount: pollExcess}
	idleCold       = &metric{name: "idle zones, no copies: start until all served", unit: "s"}
	idleColdRate   = &metric{name: "idle zones, no copies: transfers asked for in any second", unit: "1/s", plain: true}
	idleWarm       = &metric{name: "idle zones: restart until all served", unit: "s"}
	idleWarmPolls  = &metric{name: "idle zones, restarted: polls in any second, to the setting", unit: "times", amount: pollExcess}
	stalledWall    = &metric{name: "stalled addresses: another zone's change until served", unit: "ms", amount: 1000, worst: true}

	transferMetrics = []*metric{
		oneWall, oneCPU, bulkWall, bulkCPU, firstWall, firstCPU, nextWall, nextCPU, collectionCold, collectionCPU,
		idleMemory, idleWhole, idleCPU, idleRate, idlePolls, idleCold, idleColdRate, idleWarm, idleWarmPolls, stalledWall,
	}
)

func TestTransfer(t *testing.T) {
	if os.Getenv("BENCH_TRANSFER") != "1" {
		t.Skip("a benchmark of many minutes: make bench-transfer")
	}
	if runtime.GOOS != "linux" {
		t.Skip("memory and CPU of other processes are read from /proc of Linux")
	}
	chosen := present(t)
	harness.Build(t) // not while anything is measured
	r := results{}
	defer r.print(os.Stdout, table{metrics: transferMetrics, columns: append(slices.Clone(peers), ours.name, floorName)})
	measureParts(t, []part{
		{"ixfr", func() { measureOne(t, r, chosen) }},
		{"bulk", func() { measureBulk(t, r, chosen) }},
		{"axfr", func() { measureAXFR(t, r, chosen) }},
		{"collection", func() { measureConfigured(t, r, chosen) }},
		{"idle", func() { measureIdle(t, r) }},
		{"stalled", func() { measureStalled(t, r) }},
	})
}

// measureAXFR measures whole transfers of the large zone.
func measureAXFR(t *testing.T, r results, chosen []product) {
	t.Helper()
	from, _ := startLarge(t)
	each(t, chosen, from, func(s *secondary) {
		measureWhole(t, r, s)
		took := from.stream(t).Seconds()
		r.add(firstWall, floorName, took)
		r.add(nextWall, floorName, took)
	})
}

// measureConfigured measures the start with many zones and a copy of none.
func measureConfigured(t *testing.T, r results, chosen []product) {
	t.Helper()
	from := startSmall(t)
	each(t, chosen, from, func(s *secondary) {
		took := s.fetchConfigured(t)
		r.add(collectionCold, s.name, took.wall.Seconds())
		r.add(collectionCPU, s.name, took.cpu.Seconds())
	})
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
