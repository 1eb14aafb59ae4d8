package harness

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel send SIGTERM when the test process dies, in
// whatever way. Not SIGKILL: NSD must end its own children.
func dieWithParent(cmd *exec.Cmd) { attributes(cmd).Pdeathsig = syscall.SIGTERM }

// ownGroup makes the process the leader of a new process group.
func ownGroup(cmd *exec.Cmd) { attributes(cmd).Setpgid = true }

func attributes(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	return cmd.SysProcAttr
}
