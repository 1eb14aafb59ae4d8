package metrics

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// described collects what collectors say of their series.
type described struct {
	prometheus.Registerer
	series []string
}

var seriesName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (d *described) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for desc := range descs {
			d.series = append(d.series, seriesName.FindStringSubmatch(desc.String())[1])
		}
	}
}

// The manual has every series.
func TestManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	d := &described{Registerer: prometheus.NewRegistry()}
	NewDNS(d)
	NewTransfer(d)
	RegisterZones(d, true, true, nil)
	RegisterConfig(d, nil)
	for _, name := range d.series {
		if !strings.Contains(string(manual), "`"+name+"`") && !strings.Contains(string(manual), "`"+name+"{") {
			t.Errorf("the manual lacks %s", name)
		}
	}
	if len(d.series) < 25 {
		t.Errorf("only %q were looked at", d.series)
	}
}
