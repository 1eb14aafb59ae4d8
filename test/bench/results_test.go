package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A metric is a line of the table. Less is better unless told.
type metric struct {
	name    string
	unit    string
	ratio   float64  // to the best peer, at most; 0 where there is no such target
	amount  float64  // in unit, at most; 0 where there is no such target
	against []string // the peers that count for the ratio; all unless given
	more    bool     // is better, and there is no target
	plain   bool     // there is no better and worse
	none    bool     // is the target, and the worst round counts
	worst   bool     // the worst round counts, as where there is a promise
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

// figure is what the rounds of one product come to, if there were any.
func (r results) figure(m *metric, product string) (value float64, ok bool) {
	values := r[m][product]
	switch {
	case len(values) == 0:
		return 0, false
	case m.none, m.worst:
		return slices.Max(values), true
	default:
		return median(values), true
	}
}

// A table is what of the results is shown, and how.
type table struct {
	metrics []*metric
	columns []string // the products
	ratios  []string // the peers that have a column with our ratio to each
}

// print writes what was measured of the table.
func (r results) print(out io.Writer, of table) {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	head := append([]string{"metric", "unit"}, of.columns...)
	for _, peer := range of.ratios {
		head = append(head, "to "+peer)
	}
	head = append(head, "ratio", "target", "")
	fmt.Fprintln(w, "| "+strings.Join(head, "\t| ")+"\t|")
	fmt.Fprintln(w, strings.Repeat("|---\t", len(head))+"|")
	for _, m := range of.metrics {
		if len(r[m]) > 0 {
			fmt.Fprintln(w, "| "+strings.Join(r.line(m, of), "\t| ")+"\t|")
		}
	}
	_ = w.Flush() // standard output; there is nobody else to tell
}

func (r results) line(m *metric, of table) []string {
	cells := []string{m.name, m.unit}
	for _, product := range of.columns {
		cell := ""
		if value, ok := r.figure(m, product); ok {
			cell = number(value)
		}
		cells = append(cells, cell)
	}
	for _, peer := range of.ratios {
		cells = append(cells, r.ratio(m, peer))
	}
	ratio, target, verdict := r.judge(m)
	return append(cells, ratio, target, verdict)
}

// ratio is our figure to that of one product, empty where it can't be told.
func (r results) ratio(m *metric, product string) string {
	mine, measured := r.figure(m, ours.name)
	other, ok := r.figure(m, product)
	if !measured || !ok || other == 0 || m.plain || m.none {
		return ""
	}
	return fmt.Sprintf("%.2f", mine/other)
}

// judge compares our figure with the best peer's and with the target. What can't be
// told is empty.
func (r results) judge(m *metric) (ratio, target, verdict string) {
	mine, ok := r.figure(m, ours.name)
	if !ok {
		return "", "", ""
	}
	best := r.best(m)
	if best != "" {
		ratio = r.ratio(m, best)
	}
	switch {
	case m.none:
		return "", "none", met(mine == 0)
	case m.amount > 0:
		return ratio, number(m.amount) + " " + m.unit, met(mine <= m.amount)
	case m.ratio > 0 && ratio != "":
		peer, _ := r.figure(m, best)
		return ratio, strconv.FormatFloat(m.ratio, 'f', -1, 64), met(mine <= m.ratio*peer)
	default:
		return ratio, "", ""
	}
}

// peers are the names of the other servers.
var peers = []string{"NSD", "Knot", "BIND"}

// best is the peer with the best figure of those that count, empty without any.
func (r results) best(m *metric) string {
	best, candidates := "", m.against
	if len(candidates) == 0 {
		candidates = peers
	}
	for _, peer := range candidates {
		value, ok := r.figure(m, peer)
		if !ok {
			continue
		}
		if least, found := r.figure(m, best); !found || value < least != m.more {
			best = peer
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
	case v == 0:
		return "0"
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
