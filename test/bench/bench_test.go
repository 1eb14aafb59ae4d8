// Package bench measures the daemon beside NSD, Knot DNS and BIND, all of them
// secondaries of one primary on loopback in the same run, one at a time, and
// prints how the figures relate: see docs/performance.md.
//
// It runs on request only (make bench-zone, make bench-dns, make bench-transfer,
// make bench-api), since it takes minutes, needs a quiet machine, and proves
// nothing about correctness.
package bench

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"secondaryd/test/harness"
)

var (
	delegations = flag.Int("delegations", 400_000, "size of the large zone; there are about 2.7 records to each")
	smallZones  = flag.Int("zones", 10_000, "number of small zones")
	rounds      = flag.Int("rounds", 3, "how often each server is measured; the table has the medians")
	servers     = flag.String("servers", "", "the servers to measure, with commas; all unless given")
	parts       = flag.String("parts", "", "what to measure, with commas; everything unless given")
	settleTime  = flag.Duration("settle", 5*time.Second, "how long a server rests before its memory counts")
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

func TestZone(t *testing.T) {
	if os.Getenv("BENCH_ZONE") != "1" {
		t.Skip("a benchmark of many minutes: make bench-zone")
	}
	if runtime.GOOS != "linux" {
		t.Skip("memory and CPU of other processes are read from /proc of Linux")
	}
	chosen := present(t)
	harness.Build(t) // not while anything is measured
	r := results{}
	defer r.print(os.Stdout, table{metrics: metrics, columns: append(slices.Clone(peers), ours.name)})
	measureParts(t, []part{
		{"large", func() { measureLarge(t, r, chosen) }},
		{"small", func() { measureSmall(t, r, chosen) }},
		{"collection", func() { measureCollection(t, r) }},
		{"delta", func() { measureDelta(t, r) }},
	})
}

// A part of a benchmark can be measured without the others.
type part struct {
	name    string
	measure func()
}

// measureParts measures those that -parts names, in its order, or all.
func measureParts(t *testing.T, all []part) {
	t.Helper()
	wanted := all
	if *parts != "" {
		wanted = nil
		for name := range strings.SplitSeq(*parts, ",") {
			i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
			if i < 0 {
				t.Fatalf("no part %q in -parts", name)
			}
			wanted = append(wanted, all[i])
		}
	}
	for _, p := range wanted {
		p.measure()
	}
}

// present returns the products that were asked for and are installed.
func present(t *testing.T) []product {
	t.Helper()
	if harness.Find("knotd") == "" || harness.Find("knotc") == "" {
		t.Fatal("the primary is Knot DNS (knotd, knotc), which is not installed")
	}
	wanted := wantedProducts(t)
	return slices.DeleteFunc(slices.Clone(products), func(p product) bool {
		if !wanted[p.name] {
			return true
		}
		missing := p.program != "" && harness.Find(p.program) == ""
		if missing {
			say("%s is not installed (no program %s): left out", p.name, p.program)
		}
		return missing
	})
}

// wantedProducts are those that -servers names, in any case, or all.
func wantedProducts(t *testing.T) map[string]bool {
	t.Helper()
	wanted := map[string]bool{}
	for _, p := range products {
		wanted[p.name] = *servers == ""
	}
	if *servers == "" {
		return wanted
	}
	for name := range strings.SplitSeq(*servers, ",") {
		i := slices.IndexFunc(products, func(p product) bool { return strings.EqualFold(p.name, name) })
		if i < 0 {
			t.Fatalf("no server %q in -servers", name)
		}
		wanted[products[i].name] = true
	}
	return wanted
}

// each calls f for every product in every round.
func each(t *testing.T, chosen []product, from *primary, f func(s *secondary)) {
	t.Helper()
	for round := range *rounds {
		for _, p := range chosen {
			say("round %d of %d: %s", round+1, *rounds, p.name)
			s := newSecondary(t, p, from)
			f(s)
			s.end(t)
		}
	}
}

// say tells those who wait how far the run is.
func say(format string, args ...any) {
	fmt.Printf(time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}
