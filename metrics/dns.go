package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// DNS counts what the nameserver does. What happens for every query is counted
// by the DNSWorker that answers it and summed when Prometheus asks.
type DNS struct {
	queries  *prometheus.Desc
	sizes    *prometheus.Desc
	duration *prometheus.Desc
	limited  *prometheus.Desc

	panics       prometheus.Counter
	sendFailures *prometheus.CounterVec
	connections  prometheus.Gauge
	closed       *prometheus.CounterVec
	notifies     *prometheus.CounterVec

	mu      sync.Mutex // guards workers
	workers []*DNSWorker
}

// What becomes of a NOTIFY: the values of the label result.
const (
	NotifyAccepted    = "accepted"
	NotifyRefused     = "refused"      // from who may not send one, or unsigned where a key is demanded
	NotifyUnknownZone = "unknown_zone" // not a zone of ours
	NotifyBadTSIG     = "bad_tsig"     // signed, but not as a peer of the zone signs
	NotifyMalformed   = "malformed"
	NotifyUnsupported = "unsupported" // about something else than the SOA
	NotifyDropped     = "dropped"     // one of too many that are refused from a source
)

// Why a TCP connection was closed before its time: the values of the label limit.
const (
	ConnLimitTotal   = "total"   // no room, and none could be made
	ConnLimitAddress = "address" // too many of one client address
	ConnLimitIdle    = "idle"    // the oldest idle one made room for another
)

// NewDNS makes the series of the nameserver and registers them.
func NewDNS(r prometheus.Registerer) *DNS {
	d := &DNS{
		queries: prometheus.NewDesc(namespace+"_dns_queries_total",
			"Queries that were answered, by transport, query type and response code.",
			[]string{"transport", "type", "rcode"}, nil),
		duration: prometheus.NewDesc(namespace+"_dns_query_duration_seconds",
			"How long it took from when a query was received until its answer was ready; queries that are received together become ready together.",
			[]string{"transport"}, nil),
		limited: prometheus.NewDesc(namespace+"_dns_rate_limited_total",
			"Answers over UDP that were over the rate limit: dropped, truncated, or logged (and sent).",
			[]string{"action"}, nil),
		sizes: prometheus.NewDesc(namespace+"_dns_response_size_bytes",
			"Sizes of the answers as DNS messages.",
			[]string{"transport"}, nil),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "dns_panics_total",
			Help:      "Messages whose handling panicked, which is always a bug. They were answered SERVFAIL.",
		}),
		sendFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "dns_send_failures_total",
			Help:      "Answers that could not be sent.",
		}, []string{"transport"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace,
			Name:      "dns_tcp_connections",
			Help:      "TCP connections that are open.",
		}),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "dns_tcp_limited_total",
			Help:      "TCP connections closed because of a limit: total, address, or idle (the oldest idle one made room).",
		}, []string{"limit"}),
		notifies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "notifies_total",
			Help:      "NOTIFY messages that were received, by what became of them.",
		}, []string{"result"}),
	}
	d.showZeros()
	r.MustRegister(d, d.panics, d.sendFailures, d.connections, d.closed, d.notifies)
	return d
}

// showZeros makes the series of closed sets exist from the start, so that their
// first event shows as a rise.
func (d *DNS) showZeros() {
	for _, transport := range transports {
		d.sendFailures.WithLabelValues(transport)
	}
	for _, limit := range []string{ConnLimitTotal, ConnLimitAddress, ConnLimitIdle} {
		d.closed.WithLabelValues(limit)
	}
	for _, result := range []string{
		NotifyAccepted, NotifyRefused, NotifyUnknownZone, NotifyBadTSIG,
		NotifyMalformed, NotifyUnsupported, NotifyDropped,
	} {
		d.notifies.WithLabelValues(result)
	}
}

// Worker returns a new block of counters. Give each worker its own: sharing one
// is safe, but costs as much as what it counts.
func (d *DNS) Worker() *DNSWorker {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := &DNSWorker{number: len(d.workers)}
	d.workers = append(d.workers, w)
	return w
}

// Panicked counts a message whose handling panicked.
func (d *DNS) Panicked() { d.panics.Inc() }

// SendFailed counts an answer that could not be sent.
func (d *DNS) SendFailed(t Transport) { d.sendFailures.WithLabelValues(transports[t]).Inc() }

// ConnOpened counts a TCP connection in; ConnClosed counts it out.
func (d *DNS) ConnOpened() { d.connections.Inc() }

// ConnClosed counts a TCP connection out.
func (d *DNS) ConnClosed() { d.connections.Dec() }

// ConnLimited counts a TCP connection that a limit, one of the constants, ended.
func (d *DNS) ConnLimited(limit string) { d.closed.WithLabelValues(limit).Inc() }

// Notify counts a NOTIFY and what became of it, one of the constants.
func (d *DNS) Notify(result string) { d.notifies.WithLabelValues(result).Inc() }

// Describe implements prometheus.Collector.
func (d *DNS) Describe(ch chan<- *prometheus.Desc) {
	ch <- d.queries
	ch <- d.duration
	ch <- d.sizes
	ch <- d.limited
}

// Collect implements prometheus.Collector: it sums the workers' counters.
func (d *DNS) Collect(ch chan<- prometheus.Metric) {
	d.mu.Lock()
	workers := d.workers
	d.mu.Unlock()
	for t := range transportCount {
		d.collectQueries(ch, workers, Transport(t))
		d.collectDuration(ch, workers, Transport(t))
		d.collectSizes(ch, workers, Transport(t))
	}
	d.collectLimited(ch, workers)
}

// collectQueries gives the counts that are not zero: most pairs of a type and
// a response code never occur.
func (d *DNS) collectQueries(ch chan<- prometheus.Metric, workers []*DNSWorker, t Transport) {
	for kind, kindName := range typeNames {
		for code, codeName := range rcodeNames {
			var sum uint64
			for _, w := range workers {
				sum += w.queries[t][kind][code].Load()
			}
			if sum > 0 {
				ch <- prometheus.MustNewConstMetric(d.queries, prometheus.CounterValue, float64(sum),
					transports[t], kindName, codeName)
			}
		}
	}
}

func (d *DNS) collectDuration(ch chan<- prometheus.Metric, workers []*DNSWorker, t Transport) {
	var count, nanoseconds uint64
	buckets := make(map[float64]uint64, len(bounds))
	for i := range bounds {
		for _, w := range workers {
			count += w.buckets[t][i].Load()
		}
		buckets[bounds[i].Seconds()] = count
	}
	for _, w := range workers {
		count += w.buckets[t][len(bounds)].Load()
		nanoseconds += w.nanoseconds[t].Load()
	}
	ch <- prometheus.MustNewConstHistogram(d.duration, count, float64(nanoseconds)/1e9, buckets, transports[t])
}

func (d *DNS) collectSizes(ch chan<- prometheus.Metric, workers []*DNSWorker, t Transport) {
	var count, octets uint64
	buckets := make(map[float64]uint64, sizeCount)
	for i := range sizeCount {
		for _, w := range workers {
			count += w.sizes[t][i].Load()
		}
		buckets[float64(int(1)<<(smallestSize+i))] = count
	}
	for _, w := range workers {
		octets += w.octets[t].Load()
	}
	ch <- prometheus.MustNewConstHistogram(d.sizes, count, float64(octets), buckets, transports[t])
}

func (d *DNS) collectLimited(ch chan<- prometheus.Metric, workers []*DNSWorker) {
	for l, action := range limits {
		var sum uint64
		for _, w := range workers {
			sum += w.limited[l].Load()
		}
		ch <- prometheus.MustNewConstMetric(d.limited, prometheus.CounterValue, float64(sum), action)
	}
}
