package bench

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// measureDelta runs the benchmark of the zone's deltas, whose cases are named for
// the number of records, and compares the largest with the smallest.
func measureDelta(t *testing.T, r results) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-run", "^$", "-bench", "^BenchmarkDelta$/^change$", "-count", "5", "./zonestore/zone")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bySize := parseDeltas(t, string(out))
	if len(bySize) < 2 {
		t.Fatalf("no benchmark of deltas for two sizes in %s", out)
	}
	smallest, largest := extremes(bySize)
	say("delta of one record: %.0f ns with %d records, %.0f ns with %d", bySize[smallest], smallest, bySize[largest], largest)
	r.add(deltaIndependent, ours.name, bySize[largest]/bySize[smallest])
}

// delta matches the result of a case, as in BenchmarkDelta/change/records=10000-2.
var delta = regexp.MustCompile(`(?m)^BenchmarkDelta/\D*(\d+)(?:-\d+)?\s+\d+\s+(\S+) ns/op`)

// parseDeltas returns nanoseconds by number of records, the least of all runs.
func parseDeltas(t *testing.T, out string) map[int]float64 {
	t.Helper()
	bySize := map[int]float64{}
	for _, fields := range delta.FindAllStringSubmatch(out, -1) {
		size, sizeErr := strconv.Atoi(fields[1])
		ns, nsErr := strconv.ParseFloat(fields[2], 64)
		if sizeErr != nil || nsErr != nil {
			t.Fatalf("can't read %q", fields[0])
		}
		if least, ok := bySize[size]; !ok || ns < least {
			bySize[size] = ns
		}
	}
	return bySize
}

func extremes(bySize map[int]float64) (smallest, largest int) {
	for size := range bySize {
		if smallest == 0 || size < smallest {
			smallest = size
		}
		largest = max(largest, size)
	}
	return smallest, largest
}
