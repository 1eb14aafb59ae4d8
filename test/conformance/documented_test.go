package conformance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDocumented compares the tables of docs/conformance.md with ours.
func TestDocumented(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range slices.Concat(rules, choices) {
		rows = append(rows, fmt.Sprintf("\n| %s | %s |", r.name, r.reason))
	}
	for _, d := range disagreements {
		rows = append(rows, fmt.Sprintf("\n| %s |", d.name))
	}
	for _, row := range rows {
		if !strings.Contains(string(manual), row) {
			t.Errorf("docs/conformance.md has no row %q", row)
		}
	}
}
