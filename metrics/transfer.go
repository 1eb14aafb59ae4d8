package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Transfer counts what the transfer engine does.
type Transfer struct {
	transfers *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	octets    *prometheus.CounterVec
	failures  *prometheus.CounterVec
	limited   *prometheus.CounterVec
	leftOut   prometheus.Gauge
}

// NewTransfer makes the series of the transfer engine and registers them.
func NewTransfer(r prometheus.Registerer) *Transfer {
	t := &Transfer{
		transfers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "transfers_total",
			Help:      "Zone transfers that were tried, by kind (axfr, ixfr) and result (ok, failed).",
		}, []string{"kind", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace,
			Name:      "transfer_duration_seconds",
			Help:      "How long zone transfers that ended well took.",
			Buckets:   prometheus.ExponentialBuckets(0.002, 4, 10),
		}, []string{"kind"}),
		octets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "transfer_bytes_total",
			Help:      "Octets received in zone transfers that ended well.",
		}, []string{"kind"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "refresh_failures_total",
			Help:      "Peers that failed in the refresh of a zone, by step (connect, SOA, IXFR, AXFR, TSIG, check) and cause.",
		}, []string{"step", "cause"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace,
			Name:      "transfer_limits_total",
			Help:      "Refreshes that a limit ended with a peer, by the setting that moves it.",
		}, []string{"limit"}),
		leftOut: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace,
			Name:      "peers_left_out",
			Help:      "Peer addresses that do not answer and are therefore asked only now and then.",
		}),
	}
	for _, kind := range []string{"axfr", "ixfr"} {
		for _, result := range []string{"ok", "failed"} {
			t.transfers.WithLabelValues(kind, result)
		}
	}
	r.MustRegister(t.transfers, t.duration, t.octets, t.failures, t.limited, t.leftOut)
	return t
}

// Transferred counts a transfer that was tried: its result is "ok" or "failed".
// Duration and octets count only for one that ended well.
func (t *Transfer) Transferred(kind, result string, duration time.Duration, octets int64) {
	t.transfers.WithLabelValues(kind, result).Inc()
	if result != "ok" {
		return
	}
	t.duration.WithLabelValues(kind).Observe(duration.Seconds())
	t.octets.WithLabelValues(kind).Add(float64(octets))
}

// Failed counts a peer that failed in a refresh. Both labels are from closed sets.
func (t *Transfer) Failed(step, cause string) { t.failures.WithLabelValues(step, cause).Inc() }

// Limited counts a refresh that a limit, from a closed set, ended with a peer.
func (t *Transfer) Limited(limit string) { t.limited.WithLabelValues(limit).Inc() }

// Limits has limits shown that nothing was ended by yet.
func (t *Transfer) Limits(all ...string) {
	for _, limit := range all {
		t.limited.WithLabelValues(limit)
	}
}

// PeersLeftOut counts peer addresses that are, or are no longer, left out.
func (t *Transfer) PeersLeftOut(n int) { t.leftOut.Add(float64(n)) }
