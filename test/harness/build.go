package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Main runs a package's tests and removes the binary that they built. Call it
// from TestMain of each package that uses Build or StartDaemon.
func Main(m *testing.M) int {
	defer func() {
		if built.dir != "" {
			_ = os.RemoveAll(built.dir) // a leftover in the temporary directory at worst
		}
	}()
	return m.Run()
}

// Build returns the path of a fresh static binary, made once a process. It is
// safe for concurrent use.
func Build(t testing.TB) string {
	t.Helper()
	built.once.Do(build)
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func build() {
	if built.dir, built.err = os.MkdirTemp("", "secondaryd-test-"); built.err != nil {
		return
	}
	built.path = filepath.Join(built.dir, "secondaryd")
	cmd := exec.Command("go", "build", "-o", built.path, "secondaryd/cmd/secondaryd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		built.err = fmt.Errorf("go build: %w\n%s", err, out)
	}
}
