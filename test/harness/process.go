package harness

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopLimit is how long a process may take to end after SIGTERM.
const stopLimit = 20 * time.Second

// process is a started program and what it has written.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *output
	done chan struct{} // closed when it has ended and all output is in
}

// start runs a program until the test ends. onLine, which may be nil, gets each
// line of output as it comes, unless cmd says where the output goes.
func start(t testing.TB, name string, cmd *exec.Cmd, onLine func(string)) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, out: &output{onLine: onLine}, done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = p.out, p.out
	}
	cmd.WaitDelay = 2 * time.Second // a grandchild may keep the pipe
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = cmd.Wait() // the exit code is in ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, tail(p.out.String(), 20000))
		}
	})
	return p
}

// running says whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal does nothing to a process that has ended.
func (p *process) signal(sig os.Signal) {
	if p.running() {
		_ = p.cmd.Process.Signal(sig) // it may end at this very moment
	}
}

// end sends sig, waits, and kills what is still there after stopLimit. It
// returns the exit code, -1 after a death by signal.
func (p *process) end(sig os.Signal) int {
	p.signal(sig)
	select {
	case <-p.done:
	case <-time.After(stopLimit):
		p.signal(os.Kill)
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// output keeps what a process writes.
type output struct {
	onLine func(string)

	mu      sync.Mutex // guards the fields below
	all     bytes.Buffer
	pending []byte // a line that is not complete
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(p)
	o.pending = append(o.pending, p...)
	for {
		line, rest, ok := bytes.Cut(o.pending, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		o.pending = rest
		if o.onLine != nil {
			o.onLine(string(line))
		}
	}
}

// String is all that was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// tail is the end of s, cut at a line, of at most about limit octets.
func tail(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[len(s)-limit:]
	return "…" + s[strings.IndexByte(s, '\n')+1:]
}
