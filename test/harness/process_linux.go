package harness

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel send SIGTERM when the test process dies, in
// whatever way. Not SIGKILL: NSD must end its own children.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
