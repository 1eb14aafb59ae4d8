package harness

import (
	"os/exec"
	"syscall"
	"testing"
)

// Program is a program that a test starts with a command line of its own.
type Program struct{ process *process }

// Run starts cmd in a process group of its own and ends it with the test at the
// latest. Where cmd says where its output goes, it goes there and is not kept.
func Run(t testing.TB, name string, cmd *exec.Cmd) *Program {
	t.Helper()
	ownGroup(cmd)
	return &Program{start(t, name, cmd, nil)}
}

// Group is the id of the process group: that of the program and of whatever it
// forks.
func (p *Program) Group() int { return p.process.cmd.Process.Pid }

// Running says whether the program has not ended.
func (p *Program) Running() bool { return p.process.running() }

// Stop ends the program with SIGTERM and waits for it.
func (p *Program) Stop() { p.process.end(syscall.SIGTERM) }

// Find returns the path of a program, also of one that only root's path shows;
// empty if it is not installed.
func Find(program string) string { return find(program) }
