package hugepage

import "golang.org/x/sys/unix"

func (w wish) make() { w.advise(unix.MADV_HUGEPAGE) }
func (w wish) drop() { w.advise(unix.MADV_NOHUGEPAGE) }

func (w wish) advise(advice uintptr) {
	if w.octets > 0 {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, w.start, w.octets, advice) // nothing is lost if it fails
	}
}
