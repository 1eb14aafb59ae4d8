package bench

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// cycles is how many garbage collections are looked at.
const cycles = 5

// measureCollection has our daemon collect its garbage while it holds the large
// zone, by scraping its metrics until enough has been allocated.
func measureCollection(t *testing.T, r results) {
	t.Helper()
	from, _ := startLarge(t)
	s := newSecondary(t, ours, from)
	s.env = []string{"GODEBUG=gctrace=1"}
	s.fetchFirst(t, false)
	settle()
	client, before := s.client(), len(collections(t, s))
	harness.WaitFor(t, 2*time.Minute, func() bool {
		for range 100 {
			client.Metrics(t)
		}
		return len(collections(t, s)) >= before+cycles
	}, "garbage collections")
	for _, c := range collections(t, s)[before:] {
		r.add(collection, ours.name, c.cpu)
		r.add(collectionPause, ours.name, c.pause)
	}
	s.end(t)
}

// A cycle is one garbage collection, in milliseconds.
type cycle struct{ cpu, pause float64 }

// traced matches what the runtime writes of a cycle: wall time of its three
// phases, of which the first and the last stop the world, then the CPU time, that
// of the marking split into assists, background and idle.
var traced = regexp.MustCompile(`(?m)^gc \d+ @.*: (\S+)\+\S+\+(\S+) ms clock, (\S+)\+(\S+)/(\S+)/(\S+)\+(\S+) ms cpu`)

func collections(t *testing.T, s *secondary) []cycle {
	t.Helper()
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		t.Fatal(err)
	}
	return parseCollections(t, string(log))
}

func parseCollections(t *testing.T, log string) []cycle {
	t.Helper()
	var found []cycle
	for _, fields := range traced.FindAllStringSubmatch(log, -1) {
		var c cycle
		for i, field := range fields[1:] {
			ms, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(fmt.Errorf("%s: %w", fields[0], err))
			}
			if i < 2 {
				c.pause = max(c.pause, ms)
			} else {
				c.cpu += ms
			}
		}
		found = append(found, c)
	}
	return found
}
