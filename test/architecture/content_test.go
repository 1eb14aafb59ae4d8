package architecture

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

const root = "../.."

// foreign matches what ties the tree to one machine: the address of a module
// proxy or a checksum server, or the home of somebody; and what a merge that was not
// finished leaves. The patterns are written so that this file does not match them.
var foreign = []*regexp.Regexp{
	regexp.MustCompile(`(?i)https?://[^\s"'<>]*(goproxy|proxy[.]golang|sum[.]golang|athens|artifactory|nexus)`),
	regexp.MustCompile(`GO(PROXY|NOSUMDB|SUMDB|PRIVATE)\s*:?=\s*\S`),
	regexp.MustCompile(`(^|[\s"'=(:])/(home|Users)/[a-z]`),
	regexp.MustCompile(`(^|[\s"'=(:])/(root|work)/[a-z]`),
	regexp.MustCompile(`[A-Z]:\\Users\\`),
	regexp.MustCompile(`^(<{7}|>{7}) `),
}

func TestNoForeignText(t *testing.T) {
	t.Parallel()
	seen := 0
	for path, text := range sources(t) {
		seen++
		for i, line := range bytes.Split(text, []byte("\n")) {
			for _, pattern := range foreign {
				if pattern.Match(line) {
					t.Errorf("%s:%d: %q is of one machine or proxy, or of a merge", path, i+1, pattern.Find(line))
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d files were looked at", seen)
	}
}

func TestForeignIsFound(t *testing.T) {
	t.Parallel()
	slash := string('/')
	for _, text := range []string{
		"https:" + slash + slash + "proxy" + ".golang.org",
		"http:" + slash + slash + "goproxy" + ".example/x",
		"GO" + "PROXY=direct",
		"see " + slash + "home" + slash + "somebody/src",
		slash + "Users" + slash + "somebody",
		`"` + slash + "root" + slash + `go/pkg"`,
		"cd " + slash + "work" + slash + "main",
	} {
		if !matches(text) {
			t.Errorf("%q was let through", text)
		}
	}
	for _, text := range []string{"https://go.dev/dl/", "ProtectHome=yes", "/var/lib/secondaryd", "framework/main", "the /root of"} {
		if matches(text) {
			t.Errorf("%q was taken for the address of a machine", text)
		}
	}
}

func matches(text string) bool {
	for _, pattern := range foreign {
		if pattern.MatchString(text) {
			return true
		}
	}
	return false
}

// sources returns the text files of the tree by path; what is built, installed,
// kept by a running daemon or made by git is left out.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	skip := map[string]bool{".git": true, "bin": true, "data": true}
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && skip[entry.Name()] && filepath.Dir(path) == filepath.Clean(root) {
			return filepath.SkipDir
		}
		if entry.IsDir() && entry.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.ContainsRune(text[:min(len(text), 8192)], 0) {
			files[path] = text
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
