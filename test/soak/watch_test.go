package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// counts are what was done so far.
type counts struct {
	queries, answers, junk, notifies, connections, requests atomic.Int64
}

// sample is what the daemon needs at one moment.
type sample struct {
	goroutines float64
	resident   float64 // octets
}

// watch follows one run. It is for the test's own goroutine.
type watch struct {
	begin   time.Time
	samples []sample
	last    int64 // answers at the last line
	lastAt  time.Time
}

// take scrapes and keeps a sample.
func (w *watch) take(t testing.TB, d *harness.Daemon) harness.Metrics {
	t.Helper()
	m := d.Client.Metrics(t)
	goroutines, known := m.Value("go_goroutines")
	resident, alsoKnown := m.Value("process_resident_memory_bytes")
	if known && alsoKnown {
		w.samples = append(w.samples, sample{goroutines, resident})
	}
	return m
}

// progress logs a line.
func (w *watch) progress(t testing.TB, s *soak, m harness.Metrics) {
	t.Helper()
	now, answers := time.Now(), s.counts.answers.Load()
	rate := float64(answers-w.last) / now.Sub(w.lastAt).Seconds()
	w.last, w.lastAt = answers, now
	latest := sample{}
	if len(w.samples) > 0 {
		latest = w.samples[len(w.samples)-1]
	}
	t.Logf("%4.0f s: zones %.0f, transfers %.0f ok %.0f failed, NOTIFY %d, %.0f answers/s, lost %.2f %%, TCP connections %d, API requests %d, goroutines %.0f, memory %.0f MiB; races %d, panics %.0f, faults %d",
		time.Since(w.begin).Seconds(), total(m, "secondaryd_zones", "state", "serving"),
		total(m, "secondaryd_transfers_total", "result", "ok"), total(m, "secondaryd_transfers_total", "result", "failed"),
		s.counts.notifies.Load(), rate, 100*s.lost(), s.counts.connections.Load(), s.counts.requests.Load(),
		latest.goroutines, latest.resident/(1<<20), len(s.races(t)), total(m, "secondaryd_dns_panics_total"), s.faults.len())
}

// total is the sum of the series, -1 if there is none.
func total(m harness.Metrics, name string, pairs ...string) float64 {
	found := m.Find(name, pairs...)
	if len(found) == 0 {
		return -1
	}
	sum := 0.0
	for _, s := range found {
		sum += s.Value
	}
	return sum
}

// checkGrowth compares the second quarter of the run with the last: what leaks
// at a steady rate is then more than twice as much.
func (w *watch) checkGrowth(t testing.TB) {
	t.Helper()
	quarter := len(w.samples) / 4
	if quarter == 0 {
		t.Errorf("only %d samples of memory and goroutines", len(w.samples))
		return
	}
	early, late := w.samples[quarter:2*quarter], w.samples[len(w.samples)-quarter:]
	for _, what := range []struct {
		name  string
		of    func(sample) float64
		slack float64 // for what a run needs anyway
	}{
		{"goroutines", func(s sample) float64 { return s.goroutines }, 100},
		{"octets of memory", func(s sample) float64 { return s.resident }, 64 << 20},
	} {
		before, after := median(early, what.of), median(late, what.of)
		if after > 1.5*before+what.slack {
			t.Errorf("%s went from %.0f to %.0f", what.name, before, after)
		}
	}
}

func median(samples []sample, of func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

const raceLine = "WARNING: DATA RACE"

// races returns the reports of the race detector so far.
func (s *soak) races(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(s.raceLog + ".*")
	if err != nil {
		t.Fatal(err)
	}
	var reports []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(text), raceLine)
		reports = append(reports, parts[1:]...)
	}
	return reports
}

// checkEnd looks at what the daemon has left behind.
func (s *soak) checkEnd(t testing.TB) {
	t.Helper()
	races := s.races(t)
	for _, report := range races[:min(len(races), 5)] {
		t.Error(raceLine + report)
	}
	if len(races) > 5 {
		t.Errorf("and %d more reports of races", len(races)-5)
	}
	for _, line := range s.daemon.Log.Plain() {
		t.Errorf("not a line of the log: %s", line)
	}
	for _, e := range s.daemon.Log.Find(0, func(e harness.Entry) bool { return grave[e.Text("level")] }) {
		t.Errorf("log: %s", fmt.Sprint(e))
	}
}

// grave are the levels of what must not happen.
var grave = map[string]bool{"error": true, "dpanic": true, "panic": true, "fatal": true}
