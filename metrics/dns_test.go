package metrics

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestDNSQueries(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	d := NewDNS(r)
	one, two := d.Worker(), d.Worker()
	one.Answered(UDP, 1, 0, 3*time.Microsecond)
	two.Answered(UDP, 1, 0, 30*time.Microsecond)
	two.Answered(TCP, 257, 3, 2*time.Second)
	two.Answered(UDP, 65535, 4095, time.Microsecond)
	two.Answered(UDP, 65280, 11, time.Microsecond)

	want := `
# HELP secondaryd_dns_queries_total Queries that were answered, by transport, query type and response code.
# TYPE secondaryd_dns_queries_total counter
secondaryd_dns_queries_total{rcode="NOERROR",transport="udp",type="A"} 2
secondaryd_dns_queries_total{rcode="NXDOMAIN",transport="tcp",type="CAA"} 1
secondaryd_dns_queries_total{rcode="other",transport="udp",type="other"} 2
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "secondaryd_dns_queries_total"); err != nil {
		t.Error(err)
	}
}

func TestDNSDuration(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	w := NewDNS(r).Worker()
	for _, took := range []time.Duration{time.Microsecond, 3 * time.Microsecond, time.Second, time.Minute} {
		w.Answered(TCP, 1, 0, took)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "secondaryd_dns_query_duration_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		if h.GetSampleCount() != 4 || h.GetSampleSum() < 61 || h.GetSampleSum() > 61.1 {
			t.Errorf("got %d samples with sum %v, want 4 with 61.000004", h.GetSampleCount(), h.GetSampleSum())
		}
		for _, b := range h.GetBucket() {
			want := uint64(1)
			if b.GetUpperBound() >= 5e-6 {
				want = 2
			}
			if b.GetUpperBound() >= 1 {
				want = 3
			}
			if b.GetCumulativeCount() != want {
				t.Errorf("bucket %v: got %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
			}
		}
		return
	}
	t.Error("no duration histogram")
}

func TestDNSEvents(t *testing.T) {
	t.Parallel()
	d := NewDNS(prometheus.NewRegistry())
	d.Notify(NotifyRefused)
	d.Notify(NotifyRefused)
	d.ConnOpened()
	d.ConnOpened()
	d.ConnClosed()
	d.Panicked()
	d.ConnLimited(ConnLimitIdle)
	d.SendFailed(TCP)
	for name, got := range map[string]float64{
		"notifies/2":    testutil.ToFloat64(d.notifies.WithLabelValues("refused")) / 2,
		"connections":   testutil.ToFloat64(d.connections),
		"panics":        testutil.ToFloat64(d.panics),
		"limited":       testutil.ToFloat64(d.closed.WithLabelValues("idle")),
		"send failures": testutil.ToFloat64(d.sendFailures.WithLabelValues("tcp")),
	} {
		if got != 1 {
			t.Errorf("%s: got %v, want 1", name, got)
		}
	}
}

func TestDNSLint(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	d := NewDNS(r)
	d.Worker().Answered(UDP, 1, 0, time.Microsecond)
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// A scrape may come at any time, and TCP connections share blocks.
func TestDNSConcurrent(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	d := NewDNS(r)
	shared := d.Worker()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			own := d.Worker()
			for range 1000 {
				own.Answered(UDP, 1, 0, time.Microsecond)
				shared.Answered(TCP, 1, 0, time.Microsecond)
			}
		})
		if _, err := r.Gather(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	want := `
# HELP secondaryd_dns_queries_total Queries that were answered, by transport, query type and response code.
# TYPE secondaryd_dns_queries_total counter
secondaryd_dns_queries_total{rcode="NOERROR",transport="tcp",type="A"} 4000
secondaryd_dns_queries_total{rcode="NOERROR",transport="udp",type="A"} 4000
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "secondaryd_dns_queries_total"); err != nil {
		t.Error(err)
	}
}

// Every known type and code has a slot of its own in the arrays of a block.
func TestDNSSlotsFit(t *testing.T) {
	t.Parallel()
	if got := len(typeNames); got != len(knownTypes)+1 || got > typeCount {
		t.Errorf("types: got %d names for %d known types and room for %d", got, len(knownTypes), typeCount)
	}
	if got := len(rcodeNames); got != len(knownRcodes)+1 || got > rcodeCount {
		t.Errorf("codes: got %d names for %d known codes and room for %d", got, len(knownRcodes), rcodeCount)
	}
}

func TestAnsweredAllocatesNothing(t *testing.T) {
	w := NewDNS(prometheus.NewRegistry()).Worker()
	if n := testing.AllocsPerRun(100, func() { w.Answered(UDP, 1, 0, time.Microsecond) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkAnswered(b *testing.B) {
	w := NewDNS(prometheus.NewRegistry()).Worker()
	for b.Loop() {
		w.Answered(UDP, 28, 0, 3*time.Microsecond)
	}
}
