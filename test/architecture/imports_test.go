// Package architecture keeps the shape of the code: who may import whom, and
// what no file may contain. It reads the tree and runs nothing of it.
package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "secondaryd"

// mayImport says which folders of ours a folder may import. The longest
// matching folder counts, and what is not listed is forbidden: a new folder
// needs a line here. Arrows never run upward (docs/architecture.md).
var mayImport = map[string][]string{
	"cmd":              {"api", "configs", "internal", "metrics", "nameserver", "transfer", "zonestore"},
	"api":              {"internal", "metrics", "zonestore"},
	"nameserver":       {"internal", "metrics", "zonestore"},
	"transfer":         {"internal", "metrics", "zonestore"},
	"zonestore":        {"internal", "metrics", "zonestore"},
	"zonestore/zone":   {"internal"},
	"zonestore/dnssec": {"internal", "zonestore/zone"},
	"configs":          {},
	"metrics":          {},
	"internal":         {"internal"},
	"test":             {"internal", "test"}, // the rest it meets as a built binary
}

// onlyIn says which folders may import a package from outside; what lies below
// the package's path is meant too.
var onlyIn = map[string][]string{
	"github.com/labstack/echo":   {"api"},
	"github.com/goccy/go-yaml":   {"cmd", "configs"},
	"github.com/spf13/cobra":     {"cmd"},
	"go.etcd.io/bbolt":           {"zonestore"},
	"github.com/labstack/gommon": {"api"}, // the logger that echo brings
	"log":                        {},      // zap is handed to constructors
	"log/slog":                   {"cmd"},
	"github.com/santhosh-tekuri": {}, // judges answers in tests
	"github.com/swaggest":        {"api"},
	"net/http/pprof":             {}, // registers itself on the default mux
}

// testsToo says which folders' tests alone may import such a package.
var testsToo = map[string][]string{
	"github.com/goccy/go-yaml":                 {"api"}, // to read openapi.yaml
	"github.com/santhosh-tekuri/jsonschema/v6": {"api"}, // to judge answers by it
}

// pure lists what the zone data does not know: no I/O, no clock, no log. Whoever
// checks signatures is told the time.
var pure = map[string][]string{
	"zonestore/zone":   {"go.uber.org/zap", "net", "os", "time"},
	"zonestore/dnssec": {"go.uber.org/zap", "net", "os"},
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	for _, p := range packages {
		for _, violation := range p.violations() {
			t.Error(violation)
		}
	}
	if !slices.ContainsFunc(packages, func(p pkg) bool { return p.folder() == "configs" }) {
		t.Error("go list did not show the package configs, so it did not list the project")
	}
}

// The rules themselves are put to the test, since a rule that finds nothing
// looks the same as a tree without faults.
func TestViolationsAreFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		folder string
		imp    string
		want   bool
	}{
		{"api", "secondaryd/transfer", true},
		{"api", "secondaryd/nameserver", true},
		{"transfer", "secondaryd/api", true},
		{"nameserver", "secondaryd/transfer", true},
		{"configs", "secondaryd/internal/wire", true},
		{"metrics", "secondaryd/zonestore", true},
		{"internal/wire", "secondaryd/zonestore/zone", true},
		{"internal/tsig", "secondaryd/internal/wire", false},
		{"zonestore", "secondaryd/zonestore/zone", false},
		{"zonestore/zone", "secondaryd/zonestore/archive", true},
		{"zonestore/zone", "secondaryd/metrics", true},
		{"zonestore/zone", "time", true},
		{"zonestore/zone", "net/netip", false},
		{"zonestore/archive", "time", false},
		{"cmd/secondaryd", "secondaryd/transfer", false},
		{"test/e2e", "secondaryd/api", true},
		{"utils", "secondaryd/metrics", true},
		{"transfer", "github.com/labstack/echo/v4", true},
		{"api", "github.com/labstack/echo/v4/middleware", false},
		{"api", "github.com/goccy/go-yaml/ast", true},
		{"api", "log", true},
	}
	for _, test := range tests {
		p := pkg{ImportPath: module + "/" + test.folder, Imports: []string{test.imp}}
		if got := p.violations(); (len(got) > 0) != test.want {
			t.Errorf("%s imports %s: got %q, want a violation: %t", test.folder, test.imp, got, test.want)
		}
	}
}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("go list: %v\n%s", err, stderr)
	}
	var packages []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func (p pkg) folder() string {
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// violations lists the imports of p, its tests' included, that no rule allows.
func (p pkg) violations() []string {
	var found []string
	tests := slices.DeleteFunc(slices.Concat(p.TestImports, p.XTestImports), func(imp string) bool {
		return slices.Contains(testsToo[imp], p.folder())
	})
	for _, imp := range slices.Concat(p.Imports, tests) {
		if reason := p.forbids(imp); reason != "" {
			found = append(found, p.folder()+" imports "+imp+": "+reason)
		}
	}
	for _, imp := range p.Imports {
		if _, forbidden := longest(pure, p.folder()); slices.Contains(forbidden, imp) {
			found = append(found, p.folder()+" imports "+imp+": it does no I/O, and has no clock and no log")
		}
	}
	return found
}

func (p pkg) forbids(imp string) string {
	if target, ours := strings.CutPrefix(imp, module+"/"); ours {
		rule, allowed := longest(mayImport, p.folder())
		if rule == "" {
			return "its folder has no line in the import table"
		}
		if target != p.folder() && !slices.ContainsFunc(allowed, func(f string) bool { return within(target, f) }) {
			return "allowed for " + rule + " are only: " + strings.Join(allowed, ", ")
		}
		return ""
	}
	rule, folders := longest(onlyIn, imp)
	// A short name of the standard library is one package, not a tree.
	if rule == "" || !strings.Contains(rule, ".") && rule != imp {
		return ""
	}
	if !slices.ContainsFunc(folders, func(f string) bool { return within(p.folder(), f) }) {
		return "that is only for: " + strings.Join(folders, ", ")
	}
	return ""
}

// longest returns the rule whose key is path or the nearest folder above it.
func longest(rules map[string][]string, path string) (string, []string) {
	best := ""
	for rule := range rules {
		if within(path, rule) && len(rule) > len(best) {
			best = rule
		}
	}
	return best, rules[best]
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}
