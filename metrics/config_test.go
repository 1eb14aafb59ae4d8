package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// The series follows what is told at each scrape.
func TestConfigCopies(t *testing.T) {
	t.Parallel()
	r, copies := prometheus.NewRegistry(), 2
	RegisterConfig(r, func() int { return copies })
	for _, want := range []string{"2", "1"} {
		text := "# HELP secondaryd_config_copies Copies of the configuration on disk that are up to date: 2, or 1 while the audit log can't be written.\n" +
			"# TYPE secondaryd_config_copies gauge\nsecondaryd_config_copies " + want + "\n"
		if err := testutil.GatherAndCompare(r, strings.NewReader(text)); err != nil {
			t.Error(err)
		}
		copies--
	}
}
