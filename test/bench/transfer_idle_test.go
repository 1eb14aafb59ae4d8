package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// measureIdle has our daemon hold many zones that never change.
func measureIdle(t *testing.T, r results) {
	t.Helper()
	if *idleZones > maxIdleZones {
		t.Fatalf("at most %d idle zones", maxIdleZones)
	}
	from := startMany(t)
	s := newSecondary(t, ours, &primary{addr: from.Addr(), zones: smallNames(*idleZones), serial: serial})
	s.configure(t, fmt.Sprintf(idleSettings, *pollRate), idleRefresh)
	empty := s.emptyMemory(t)
	say("idle zones: %d of %d records", *idleZones, smallRecords)
	cold := s.fetchConfigured(t)
	r.add(idleCold, s.name, cold.wall.Seconds())
	began := time.Now().Add(-cold.wall)
	fetched := slices.DeleteFunc(from.take().transfers, began.After)
	r.add(idleColdRate, s.name, float64(most(fetched)))
	say("started without copies: served after %v, %v of CPU", cold.wall.Round(time.Millisecond), cold.cpu.Round(time.Millisecond))
	measurePolled(t, r, s, from)

	memory := float64(s.group().memory())
	r.add(idleWhole, s.name, memory/kib/float64(*idleZones))
	r.add(idleMemory, s.name, ((memory-empty)/float64(*idleZones)-float64(from.octets))/kib)

	s.program.Stop()
	from.take()
	warm := s.fetch(t, false, func() { s.launch(t) })
	r.add(idleWarm, s.name, warm.wall.Seconds())
	say("started with all copies: served after %v, %v of CPU", warm.wall.Round(time.Millisecond), warm.cpu.Round(time.Millisecond))
	time.Sleep(afterRestart)
	after := from.take()
	say("%d transfers and %d polls since that start", len(after.transfers), len(after.polls))
	r.add(idleWarmPolls, s.name, pollsToSetting(after))
	s.end(t)
}

const (
	// maxIdleZones is how many names of one length smallNames makes.
	maxIdleZones = 100_000
	// idleRefresh is the seconds between polls of each zone.
	idleRefresh = 300
	// afterRestart is how long polls are counted for the figure of a restart.
	afterRestart = 30 * time.Second
	// idleSettings leave out the series of each zone, as the manual has it for
	// a large fleet.
	idleSettings = "transfer:\n  soa_queries_per_second_per_peer: %d\nmetrics:\n  per_zone: false\n"
)

// emptyMemory is what the daemon takes without any zone, in octets.
func (s *secondary) emptyMemory(t *testing.T) float64 {
	t.Helper()
	s.launch(t)
	defer s.program.Stop()
	harness.Wait(t, s.client().Ready, s.name+" to be ready")
	settle()
	return float64(s.group().memory())
}

// measurePolled watches what it takes to poll the zones. They have come together,
// so they fall due together, and from then on the setting spreads their polls.
func measurePolled(t *testing.T, r results, s *secondary, from *many) {
	t.Helper()
	due := idleRefresh*time.Second + time.Minute
	harness.WaitFor(t, due, func() bool { return from.polled() > 0 }, "the zones to be polled")
	settle()
	from.take()
	length := time.Duration(*idleMinutes * float64(time.Minute))
	before, start := s.group().cpu(), time.Now()
	time.Sleep(length)
	spent, took := s.group().cpu()-before, time.Since(start)
	watched := from.take()
	say("%d polls in %v took %v of CPU", len(watched.polls), took.Round(time.Second), spent.Round(time.Millisecond))
	r.add(idleCPU, s.name, percent(spent, took))
	r.add(idleRate, s.name, float64(len(watched.polls))/took.Seconds())
	r.add(idlePolls, s.name, pollsToSetting(watched))
}

// pollsToSetting is the greatest number of polls in any second, as a share of
// what the daemon is configured for.
func pollsToSetting(s seen) float64 { return float64(most(s.polls)) / float64(*pollRate) }
