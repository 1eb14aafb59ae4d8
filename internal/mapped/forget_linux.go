package mapped

import "golang.org/x/sys/unix"

// Forget forgets which pages of a mapping were touched. Those that are not as they
// are in the file would be lost, unless the mapping is shared.
func Forget(start, size uintptr) error {
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, size, unix.MADV_DONTNEED); errno != 0 {
		return errno
	}
	return nil
}
