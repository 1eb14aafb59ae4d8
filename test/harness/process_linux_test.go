package harness

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestPanicLeavesNothing has another process of this test start a program and
// panic, and sees the program end.
func TestPanicLeavesNothing(t *testing.T) {
	t.Parallel()
	if os.Getenv("HARNESS_PANIC") == "1" {
		p := start(t, "sleep", exec.Command("sleep", "60"), nil)
		fmt.Printf("pid=%d.\n", p.cmd.Process.Pid)
		go panic("where no cleanup of a test runs")
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestPanicLeavesNothing$")
	cmd.Env = append(os.Environ(), "HARNESS_PANIC=1")
	out, err := cmd.CombinedOutput()
	_, rest, _ := strings.Cut(string(out), "pid=")
	text, _, _ := strings.Cut(rest, ".")
	pid, numberErr := strconv.Atoi(text)
	if err == nil || numberErr != nil {
		t.Fatalf("error %v, pid %q, output:\n%s", err, text, out)
	}
	Wait(t, func() bool { return !alive(pid) }, fmt.Sprintf("process %d to die with its parent", pid))
}

// alive is false for a process that is gone or waits only to be reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
