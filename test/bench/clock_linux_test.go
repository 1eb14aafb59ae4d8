package bench

import (
	"errors"
	"net"
	"os"
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

// receive reads a datagram, or fails with os.ErrDeadlineExceeded at that time. It
// waits in the kernel: the runtime's way to wait wakes three threads for each, which
// is time that the server lacks.
func receive(conn *net.UDPConn, b []byte, end time.Time) (n int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = errors.Join(raw.Control(func(fd uintptr) { n, err = receiveFrom(int(fd), b, end) }), err)
	return n, err
}

func receiveFrom(fd int, b []byte, end time.Time) (int, error) {
	for {
		if n, err := unix.Read(fd, b); !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		left := unix.NsecToTimespec(time.Until(end).Nanoseconds())
		if left.Nano() <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Ppoll(fds, &left, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}
