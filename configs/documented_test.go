package configs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The example file holds every key, under a comment, at its default.
func TestExampleIsCompleteAndDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("secondaryd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, sources := Config{}, map[string]string{}
	if problems := applyFile(&got, "secondaryd.yaml", text, sources); len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf("the example differs from the defaults, -default +example:\n%s", diff)
	}
	if diff := cmp.Diff(keys(), slices.Sorted(maps.Keys(sources))); diff != "" {
		t.Errorf("keys of the example, -want +got:\n%s", diff)
	}
	lines := strings.Split(string(text), "\n")
	for key := range sources {
		at := keyLine(t, lines, key)
		if before := strings.TrimSpace(lines[at-1]); len(before) < 10 || !strings.HasPrefix(before, "#") {
			t.Errorf("line %d: %s has no comment above it", at+1, key)
		}
	}
}

// keyLine finds the line of a key below the lines of its sections.
func keyLine(t *testing.T, lines []string, key string) int {
	t.Helper()
	at := 0
	for depth, name := range strings.Split(key, ".") {
		start := strings.Repeat("  ", depth) + name + ":"
		i := slices.IndexFunc(lines[at:], func(line string) bool { return strings.HasPrefix(line, start) })
		if i < 0 {
			t.Fatalf("no line begins with %q", start)
		}
		at += i
	}
	return at
}

func TestOtherFilesAreValid(t *testing.T) {
	t.Parallel()
	if _, err := Load("dev.yaml", nil); err != nil {
		t.Error(err)
	}
}

// docs/configuration.md has a row for each key, with its default and variable.
func TestManualListsEveryKey(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	byKey := settingsByKey(new(Default()))
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) != 5 {
			continue
		}
		key := unquote(cells[0])
		documented = append(documented, key)
		s, ok := byKey[key]
		if !ok {
			t.Errorf("%s is no key", key)
			continue
		}
		want := s.String()
		if want == "" {
			want = "empty"
		}
		if got := unquote(cells[1]); got != want {
			t.Errorf("%s: the manual says the default is %s, it is %s", key, got, want)
		}
		if got := unquote(cells[2]); got != s.env() {
			t.Errorf("%s: the manual says %s, the variable is %s", key, got, s.env())
		}
		if unit, meaning := cells[3], cells[4]; len(unit) < 4 || len(meaning) < 12 {
			t.Errorf("%s has no unit or no meaning", key)
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(keys(), documented); diff != "" {
		t.Errorf("keys of the manual, -want +got:\n%s", diff)
	}
}

// The field comments are the documentation, so none may be missing.
func TestEveryFieldHasAComment(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	ast.Inspect(file, func(node ast.Node) bool {
		field, ok := node.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		if local, ok := field.Type.(*ast.Ident); ok && local.Name == field.Names[0].Name {
			return true // a section: its type carries the comment
		}
		leaves++
		if name := field.Names[0].Name; !strings.HasPrefix(field.Doc.Text(), name+" ") {
			t.Errorf("the comment of %s does not begin with its name", name)
		}
		return true
	})
	if leaves < len(keys()) {
		t.Errorf("saw %d fields, there are %d keys", leaves, len(keys()))
	}
}

func keys() []string {
	return slices.Sorted(maps.Keys(settingsByKey(new(Default()))))
}

func unquote(cell string) string {
	cell = strings.TrimSpace(cell)
	if text, err := strconv.Unquote(cell); err == nil {
		return text
	}
	return cell
}
