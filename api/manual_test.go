package api

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The manual has the table of codes as it is, and names every path.
func TestManual(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(data)
	rows := 0
	for _, row := range errorTable {
		if line := fmt.Sprintf("| %d | %d | %s |\n", row.code, row.status, row.text); !strings.Contains(manual, line) {
			t.Errorf("the manual lacks %s", line)
		}
		rows++
	}
	_, table, _ := strings.Cut(manual, "| code | status | meaning |")
	if got := strings.Count(table, "\n| "); got != rows {
		t.Errorf("the manual has %d codes, want %d", got, rows)
	}
	paths := strings.NewReplacer(
		"/accounts/:account_id/secondary_dns/tsigs/:id", ".../tsigs/ID", "/accounts/:account_id/secondary_dns/acls/:id", ".../acls/ID",
		":zone_id", "ZONE", ":soa_serial", "SERIAL", ":account_id", "ACCOUNT", "/:id", "/ID",
	)
	w := newWorld(t)
	for _, r := range append(w.resources(), w.plain()...) {
		path := paths.Replace(r.path)
		if !strings.Contains(manual, "`"+path+"`") && !strings.Contains(manual, "$API"+path) {
			t.Errorf("the manual lacks %s", path)
		}
	}
}
