package transfer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// causesOf lists the causes that errors.go declares.
func causesOf(t *testing.T) (causes []Cause) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Cause") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		causes = append(causes, Cause(text))
		return true
	})
	return causes
}

// Whatever a peer fails with, the API and the manual say what to do, in the same
// words.
func TestAdvice(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(data)
	said := map[Cause]bool{}
	for _, row := range adviceTable {
		steps, causes := "any", make([]string, len(row.causes))
		if row.steps != nil {
			names := make([]string, len(row.steps))
			for i, step := range row.steps {
				names[i] = string(step)
			}
			steps = strings.Join(names, ", ")
		}
		for i, cause := range row.causes {
			causes[i] = string(cause)
			said[cause] = said[cause] || row.steps == nil || row.steps[0] == StepConnect || row.steps[0] == StepTLS
		}
		if line := "| " + steps + " | " + strings.Join(causes, "; ") + " | " + row.text + " |\n"; !strings.Contains(manual, line) {
			t.Errorf("the manual lacks %s", line)
		}
	}
	all := causesOf(t)
	if len(all) < 50 {
		t.Errorf("%d causes were found", len(all))
	}
	for _, cause := range all {
		if !said[cause] {
			t.Errorf("nothing says what to do about: %s", cause)
		}
	}
}

func TestAdviceGoesByTheStep(t *testing.T) {
	t.Parallel()
	advice := func(step Step) string { return (&Error{Step: step, Cause: CauseNoAnswer}).Advice() }
	if advice(StepTLS) == advice(StepSOA) || advice(StepSOA) == "" || advice(StepSOA) != advice(StepAXFR) {
		t.Errorf("TLS: %q, SOA: %q, AXFR: %q", advice(StepTLS), advice(StepSOA), advice(StepAXFR))
	}
	if got := (&Error{Cause: "something new"}).Advice(); got != "" {
		t.Errorf("got %q for a cause that is none", got)
	}
}
