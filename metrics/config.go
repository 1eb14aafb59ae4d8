package metrics

import "github.com/prometheus/client_golang/prometheus"

// RegisterConfig registers the series of the stored configuration. copies is
// called at each scrape: how many whole copies of it there are on disk.
func RegisterConfig(r prometheus.Registerer, copies func() int) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace,
		Name:      "config_copies",
		Help:      "Copies of the configuration on disk that are up to date: 2, or 1 while the audit log can't be written.",
	}, func() float64 { return float64(copies()) }))
}
