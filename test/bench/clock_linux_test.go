package bench

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU is the time in user and system mode of a process and all its
// threads so far, to the nanosecond, where /proc has ticks of 10 ms; 0 if it has
// ended.
func processCPU(pid int) time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// pause sleeps for less than a millisecond if need be, which time.Sleep is too
// coarse for.
func pause(d time.Duration) {
	if d <= 0 {
		return
	}
	ts := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&ts, nil) // a signal may end it: those who pause look again
}
