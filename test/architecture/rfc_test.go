package architecture

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const rfcPage = "docs/rfc.md"

// What docs/rfc.md names: a file, with functions in parentheses behind it or
// without, and a test by its folder.
var (
	namedFile = regexp.MustCompile("`([a-z0-9_/]+/[a-z0-9_]+[.]go)`(?: [(]([A-Za-z0-9, ]+)[)])?")
	namedTest = regexp.MustCompile("`([a-z0-9_/]+)[.]((?:Test|Fuzz)[A-Za-z0-9_]*)`")
)

func TestRFCPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(root + "/" + rfcPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range rfcFaults(string(page), os.DirFS(root)) {
		t.Error(fault)
	}
	if n := len(namedTest.FindAllString(string(page), -1)); n < 100 {
		t.Errorf("%s names %d tests, so it was not read", rfcPage, n)
	}
}

func TestRFCFaultsAreFound(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{
		"dns/answer.go":       {Data: []byte("package dns\n\nfunc (a *A) find() {}\n\nfunc give() {}\n")},
		"dns/answer_test.go":  {Data: []byte("package dns\n\nfunc TestFind(t *testing.T) {}\n")},
		"dns/sub/sub_test.go": {Data: []byte("package sub\n\nfunc FuzzSub(f *testing.F) {}\n")},
	}
	for line, want := range map[string]int{
		"| 1 | M | x | `dns/answer.go` | `dns.TestFind` |":                                 0,
		"| 1 | M | x | `dns/answer.go` (find, give) | `dns.TestFind`, `dns/sub.FuzzSub` |": 0,
		"|---|---|---|---|---|":                                           0,
		"| section | | obligation | code | test |":                        0,
		"- RFC 1 `a.b`: no row":                                           0,
		"| 1 | M | x | `dns/other.go` | `dns.TestFind` |":                 1,
		"| 1 | M | x | `dns/answer.go` (find, fin) | `dns.TestFind` |":    1,
		"| 1 | M | x | `dns/answer.go` | `dns.TestFin` |":                 1,
		"| 1 | M | x | `dns/answer.go` | `dns.TestFind`, `dns.FuzzSub` |": 1,
		"| 1 | M | x | `dns/answer.go` | `dnss.TestFind` |":               1,
		"| 1 | M | x | code | `dns.TestFind` |":                           1,
		"| 1 | M | x | `dns/answer.go` | somewhere |":                     1,
		"| 1 | M | x | `dns/answer.go`, `dns.TestFind` |":                 1,
		"see `dns/gone.go` and `dns.TestGone`":                            2,
	} {
		if got := rfcFaults(line, tree); len(got) != want {
			t.Errorf("%s: got %q, want %d faults", line, got, want)
		}
	}
}

// rfcFaults tells what a page names that the tree does not have, and which of
// its obligations lack a file or a test.
func rfcFaults(page string, tree fs.FS) []string {
	var faults []string
	for line := range strings.SplitSeq(page, "\n") {
		for _, m := range namedFile.FindAllStringSubmatch(line, -1) {
			faults = append(faults, fileFaults(tree, m[1], m[2])...)
		}
		for _, m := range namedTest.FindAllStringSubmatch(line, -1) {
			if !hasTest(tree, m[1], m[2]) {
				faults = append(faults, fmt.Sprintf("%s has no %s", m[1], m[2]))
			}
		}
		if fault := rowFault(line); fault != "" {
			faults = append(faults, line+": "+fault)
		}
	}
	return faults
}

// fileFaults looks for a file and the functions, separated by commas, that it
// should hold.
func fileFaults(tree fs.FS, file, functions string) []string {
	text, err := fs.ReadFile(tree, file)
	if err != nil {
		return []string{"there is no file " + file}
	}
	var faults []string
	for name := range strings.SplitSeq(functions, ", ") {
		declared := regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + regexp.QuoteMeta(name) + `[(\[]`)
		if name != "" && !declared.Match(text) {
			faults = append(faults, fmt.Sprintf("%s has no function %s", file, name))
		}
	}
	return faults
}

func hasTest(tree fs.FS, folder, name string) bool {
	files, err := fs.Glob(tree, path.Join(folder, "*_test.go"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(files, func(file string) bool { return len(fileFaults(tree, file, name)) == 0 })
}

// rowFault looks at a row of a table: section, level, obligation, code, test.
func rowFault(line string) string {
	if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") || strings.HasPrefix(line, "| section |") {
		return ""
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	switch {
	case len(cells) != 5:
		return fmt.Sprintf("%d cells, want 5", len(cells))
	case !namedFile.MatchString(cells[3]):
		return "no file meets the obligation"
	case !namedTest.MatchString(cells[4]):
		return "no test shows it"
	}
	return ""
}
