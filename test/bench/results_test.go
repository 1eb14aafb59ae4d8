package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// A metric is a line of the table. Less is better for all of them.
type metric struct {
	name   string
	unit   string
	ratio  float64 // to the best peer, at most; 0 where there is no such target
	amount float64 // in unit, at most; 0 where there is no such target
}

// What is measured, in the order of the table.
var (
	largeMemory      = &metric{name: "large zone: memory a record", unit: "octets", ratio: 0.5}
	firstPeak        = &metric{name: "large zone: peak memory, first AXFR", unit: "MiB", ratio: 0.8}
	firstHighest     = &metric{name: "large zone: the same as the sum of VmHWM", unit: "MiB"}
	nextPeak         = &metric{name: "large zone: peak memory, replacing AXFR", unit: "MiB", ratio: 0.8}
	nextMemory       = &metric{name: "large zone: memory a record, replaced", unit: "octets"}
	firstWall        = &metric{name: "large zone: first AXFR until served", unit: "s", ratio: 0.6}
	firstCPU         = &metric{name: "large zone: first AXFR, CPU", unit: "s", ratio: 0.6}
	nextWall         = &metric{name: "large zone: replacing AXFR until served", unit: "s", ratio: 0.6}
	nextCPU          = &metric{name: "large zone: replacing AXFR, CPU", unit: "s", ratio: 0.6}
	largeRestart     = &metric{name: "large zone: restart until served", unit: "s", ratio: 0.2}
	restartMemory    = &metric{name: "large zone: memory a record, restarted", unit: "octets"}
	smallCold        = &metric{name: "small zones: first AXFR until all served", unit: "s"}
	smallMemory      = &metric{name: "small zones: memory a zone", unit: "KiB", ratio: 1}
	smallRestart     = &metric{name: "small zones: restart until all served", unit: "s", ratio: 0.4}
	smallAfter       = &metric{name: "small zones: memory a zone, restarted", unit: "KiB"}
	collection       = &metric{name: "full garbage collection, large zone", unit: "ms CPU", amount: 10}
	collectionPause  = &metric{name: "longest pause of it", unit: "ms"}
	deltaIndependent = &metric{name: "delta of one record: largest zone to smallest", unit: "times", amount: 1.5}

	metrics = []*metric{
		largeMemory, firstPeak, firstHighest, nextPeak, nextMemory, firstWall, firstCPU, nextWall, nextCPU, largeRestart, restartMemory,
		smallMemory, smallRestart, smallCold, smallAfter, collection, collectionPause, deltaIndependent,
	}
)

// results are the values of all rounds, by metric and product.
type results map[*metric]map[string][]float64

func (r results) add(m *metric, product string, value float64) {
	if r[m] == nil {
		r[m] = map[string][]float64{}
	}
	r[m][product] = append(r[m][product], value)
}

// print writes the table of medians.
func (r results) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(w, "| metric\t| unit\t")
	for _, p := range products {
		fmt.Fprintf(w, "| %s\t", p.name)
	}
	fmt.Fprint(w, "| ratio\t| target\t| \t|\n")
	fmt.Fprintln(w, strings.Repeat("|---\t", len(products)+5)+"|")
	for _, m := range metrics {
		if len(r[m]) > 0 {
			fmt.Fprintln(w, r.line(m))
		}
	}
	_ = w.Flush() // standard output; there is nobody else to tell
}

func (r results) line(m *metric) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s\t| %s\t", m.name, m.unit)
	for _, p := range products {
		figure := ""
		if values := r[m][p.name]; len(values) > 0 {
			figure = number(median(values))
		}
		fmt.Fprintf(&b, "| %s\t", figure)
	}
	ratio, target, verdict := r.judge(m)
	fmt.Fprintf(&b, "| %s\t| %s\t| %s\t|", ratio, target, verdict)
	return b.String()
}

// judge compares our figure with the best peer's and with the target. What can't be
// told is empty.
func (r results) judge(m *metric) (ratio, target, verdict string) {
	values := r[m][ours.name]
	if len(values) == 0 {
		return "", "", ""
	}
	mine, best := median(values), r.best(m)
	if !math.IsInf(best, 1) {
		ratio = fmt.Sprintf("%.2f", mine/best)
	}
	switch {
	case m.amount > 0:
		return ratio, number(m.amount) + " " + m.unit, met(mine <= m.amount)
	case m.ratio > 0 && ratio != "":
		return ratio, fmt.Sprintf("%.1f", m.ratio), met(mine <= m.ratio*best)
	default:
		return ratio, "", ""
	}
}

// best is the least figure of a peer, infinite without any.
func (r results) best(m *metric) float64 {
	best := math.Inf(1)
	for name, values := range r[m] {
		if name != ours.name {
			best = min(best, median(values))
		}
	}
	return best
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}

// number prints three digits, or all before the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
