package background

import "golang.org/x/sys/unix"

// niceness leaves a thread a tenth of a core that another wants too: enough for a
// zone not to go stale under a flood of queries.
const niceness = 10

// lowerPriority lowers that of the calling thread, which Linux has for each. If it
// can't, work goes on all the same.
func lowerPriority() {
	given, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err == nil && kernelBase-given < niceness {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness)
	}
}

// kernelBase is what the system call subtracts the niceness from, so that what it
// returns is never negative.
const kernelBase = 20
