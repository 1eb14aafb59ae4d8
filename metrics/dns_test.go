package metrics

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

func TestDNSQueries(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	d := NewDNS(r)
	one, two := d.Worker(), d.Worker()
	one.Answered(UDP, 1, 0, 100)
	two.Answered(UDP, 1, 0, 1232)
	two.Answered(TCP, 257, 3, 65535)
	two.Answered(UDP, 65535, 4095, 12)
	two.Answered(UDP, 65280, 11, 12)

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
	w.Took(TCP, 1, time.Microsecond)
	w.Took(TCP, 31, 3*time.Microsecond)
	w.Took(TCP, 1, time.Second)
	w.Took(TCP, 1, time.Minute)
	h := histogram(t, r, "secondaryd_dns_query_duration_seconds", "tcp")
	if h.GetSampleCount() != 34 || h.GetSampleSum() < 61 || h.GetSampleSum() > 61.1 {
		t.Errorf("got %d samples with sum %v, want 34 with 61.000094", h.GetSampleCount(), h.GetSampleSum())
	}
	for _, b := range h.GetBucket() {
		want := uint64(1)
		if b.GetUpperBound() >= 5e-6 {
			want = 32
		}
		if b.GetUpperBound() >= 1 {
			want = 33
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("bucket %v: got %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
		}
	}
}

func TestDNSSizes(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	w := NewDNS(r).Worker()
	sizes := []int{12, 64, 65, 128, 129, 1232, 32768, 32769, 65535}
	sum := 0
	for _, size := range sizes {
		w.Answered(UDP, 1, 0, size)
		sum += size
	}
	h := histogram(t, r, "secondaryd_dns_response_size_bytes", "udp")
	if h.GetSampleCount() != uint64(len(sizes)) || h.GetSampleSum() != float64(sum) {
		t.Errorf("got %d samples with sum %v, want %d with %d", h.GetSampleCount(), h.GetSampleSum(), len(sizes), sum)
	}
	for _, b := range h.GetBucket() {
		want := uint64(0)
		for _, size := range sizes {
			if float64(size) <= b.GetUpperBound() {
				want++
			}
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("bucket %v: got %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
		}
	}
}

// histogram returns what r has under that name for a transport.
func histogram(t *testing.T, r prometheus.Gatherer, name, transport string) *dto.Histogram {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == transport {
				return m.GetHistogram()
			}
		}
	}
	t.Fatalf("no histogram %s for %s", name, transport)
	return nil
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
	d.Worker().Answered(UDP, 1, 0, 100)
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
				own.Answered(UDP, 1, 0, 100)
				shared.Answered(TCP, 1, 0, 100)
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
	if n := testing.AllocsPerRun(100, func() { w.Answered(UDP, 1, 0, 100); w.Took(UDP, 1, time.Microsecond) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkAnswered(b *testing.B) {
	w := NewDNS(prometheus.NewRegistry()).Worker()
	for b.Loop() {
		w.Answered(UDP, 28, 0, 100)
	}
}
