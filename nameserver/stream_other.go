//go:build !linux

package nameserver

import (
	"errors"
	"syscall"
)

// receiveNow reads into p, which has room, without waiting: the runtime has
// made the socket so.
func receiveNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), p)
	return n, errnoOf(err)
}

// sendNow writes p, which is not empty, as far as that goes without waiting.
func sendNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(int(fd), p)
	return n, errnoOf(err)
}

func errnoOf(err error) (errno syscall.Errno) {
	_ = errors.As(err, &errno)
	return errno
}
