package harness

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

// PeakMemory is the most memory, in octets, that the running daemon has had
// resident since it started. The test is skipped where the system does not tell.
func (d *Daemon) PeakMemory(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.process.cmd.Process.Pid))
	if os.IsNotExist(err) && d.Running() {
		t.Skip("there is no /proc to read the daemon's memory from")
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var n int
		if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &n); err == nil {
			return n << 10
		}
	}
	t.Fatalf("no peak in %q", text)
	return 0
}
