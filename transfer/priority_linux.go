package transfer

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// background is the nice value of large transfers. It leaves them a tenth of a
// CPU that is busy with answers.
const background = 10

// stepBack has the calling goroutine, until it ends, run behind all others that
// want a CPU. It gets a thread of its own, which ends with it: a thread may only
// become nicer.
func stepBack() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), background) // nicer than that already, if not
}
