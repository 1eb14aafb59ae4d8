package configs

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// series are the names that a rule or a panel may use: those documented for
// outside tools.
var series = map[string]bool{
	"secondaryd_build_info":                          true,
	"secondaryd_config_copies":                       true,
	"secondaryd_dns_queries_total":                   true,
	"secondaryd_dns_query_duration_seconds_bucket":   true,
	"secondaryd_notifies_total":                      true,
	"secondaryd_refresh_failures_total":              true,
	"secondaryd_transfer_bytes_total":                true,
	"secondaryd_transfer_duration_seconds_bucket":    true,
	"secondaryd_transfers_total":                     true,
	"secondaryd_zone_expiry_timestamp_seconds":       true,
	"secondaryd_zone_last_check_timestamp_seconds":   true,
	"secondaryd_zone_last_success_timestamp_seconds": true,
	"secondaryd_zone_held_timestamp_seconds":         true,
	"secondaryd_zone_peer_failing":                   true,
	"secondaryd_zone_records":                        true,
	"secondaryd_zone_serial":                         true,
	"secondaryd_zones_differing":                     true,
	"secondaryd_zones_unsaved":                       true,
}

var seriesName = regexp.MustCompile(`\bsecondaryd_[a-z_]+`)

func checkExpression(t *testing.T, where, expr string) {
	t.Helper()
	if strings.TrimSpace(expr) == "" {
		t.Errorf("%s has no expression", where)
	}
	for _, name := range seriesName.FindAllString(expr, -1) {
		if !series[name] {
			t.Errorf("%s uses %s, which does not exist", where, name)
		}
	}
	if strings.Count(expr, "(") != strings.Count(expr, ")") {
		t.Errorf("%s: brackets do not match in %s", where, expr)
	}
}

func TestAlertRules(t *testing.T) {
	t.Parallel()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions(read(t, "prometheus-alerts.yaml"), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	alerts := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			checkExpression(t, rule.Alert, rule.Expr)
			if alerts[rule.Alert] {
				t.Errorf("%s exists twice", rule.Alert)
			}
			alerts[rule.Alert] = true
			if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s lacks its severity, summary or description", rule.Alert)
			}
		}
	}
	for _, name := range []string{
		"SecondarydDown", "SecondarydZoneNearExpiry", "SecondarydZoneExpired", "SecondarydPeerFailing", "SecondarydTransfersFailing",
		"SecondarydPeersDiffer", "SecondarydZonesUnsaved",
	} {
		if !alerts[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	var board struct {
		Title         string `json:"title"`
		SchemaVersion int    `json:"schemaVersion"`
		Panels        []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			GridPos struct {
				X, Y, W, H int
			} `json:"gridPos"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(read(t, "grafana-dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.SchemaVersion == 0 || len(board.Panels) == 0 {
		t.Fatalf("not a dashboard: %+v", board)
	}
	ids := map[int]bool{}
	for _, panel := range board.Panels {
		if ids[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d %q has no id of its own, no title or no query", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		if at := panel.GridPos; at.W <= 0 || at.H <= 0 || at.X+at.W > 24 {
			t.Errorf("panel %q does not fit the grid of 24 columns: %+v", panel.Title, at)
		}
		for _, target := range panel.Targets {
			checkExpression(t, panel.Title, target.Expr)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
