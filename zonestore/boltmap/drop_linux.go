package boltmap

import "golang.org/x/sys/unix"

// drop forgets which pages of a shared mapping of a file were touched.
func drop(start, size uintptr) error {
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, size, unix.MADV_DONTNEED); errno != 0 {
		return errno
	}
	return nil
}
