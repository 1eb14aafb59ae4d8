package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// executable is a build of secondaryd, made once a process.
type executable struct {
	flags []string
	cgo   string // CGO_ENABLED

	once sync.Once
	dir  string
	path string
	err  error
}

var (
	static = executable{cgo: "0"}
	raced  = executable{cgo: "1", flags: []string{"-race"}}
)

// Main runs a package's tests and removes the binaries that they built. Call it
// from TestMain of each package that uses Build or StartDaemon.
func Main(m *testing.M) int {
	defer static.remove()
	defer raced.remove()
	return m.Run()
}

// Build returns the path of a fresh static binary, made once a process. It is
// safe for concurrent use.
func Build(t testing.TB) string {
	t.Helper()
	return static.get(t)
}

// BuildRace is Build with the race detector. The test is skipped where there is
// none to build with.
func BuildRace(t testing.TB) string {
	t.Helper()
	if missing := missingForRace(); missing != "" {
		t.Skipf("the race detector needs %s, so nothing is tested under it", missing)
	}
	return raced.get(t)
}

// missingForRace says what the race detector, a C library, needs and lacks.
func missingForRace() string {
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return fmt.Sprintf("cgo, and go env fails (%v)", err)
	}
	enabled, compiler, _ := strings.Cut(string(out), "\n")
	if enabled != "1" {
		return "cgo, and CGO_ENABLED is not 1"
	}
	words := strings.Fields(compiler)
	if len(words) == 0 {
		return "a C compiler, and CC is empty"
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return fmt.Sprintf("a C compiler, and there is no %s", words[0])
	}
	return ""
}

func (b *executable) get(t testing.TB) string {
	t.Helper()
	b.once.Do(b.build)
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func (b *executable) build() {
	if b.dir, b.err = os.MkdirTemp("", "secondaryd-test-"); b.err != nil {
		return
	}
	b.path = filepath.Join(b.dir, "secondaryd")
	args := append([]string{"build", "-o", b.path}, b.flags...)
	cmd := exec.Command("go", append(args, "./cmd/secondaryd")...)
	if cmd.Dir, b.err = productDir(); b.err != nil {
		return
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+b.cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.err = fmt.Errorf("go build: %w\n%s", err, out)
	}
}

// productDir is the root of the product's module. Tests may be of another
// module, whose versions of what the product depends on are not the product's.
func productDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "secondaryd").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// remove leaves a file in the temporary directory at worst.
func (b *executable) remove() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}
