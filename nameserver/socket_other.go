//go:build !linux

package nameserver

import (
	"errors"
	"math"
	"net"
	"syscall"
)

// Elsewhere than on Linux, which is where the daemon is at home, an address has
// one UDP socket, and answers from a wildcard address leave from wherever the
// routing table says.
const canShare = false

func controlSocket(string, string, syscall.RawConn) error { return nil }

func controlShared(string, string, syscall.RawConn) error { return nil }

func share(*net.UDPConn) error { return nil }

func setBuffers(udpSocket, int, int) {}

func forbidFragments(udpSocket) error { return nil }

func pinThread(int) error { return errors.New("not on this system") }

func descriptors() int { return math.MaxInt32 }
