package nameserver

import (
	"errors"

	"golang.org/x/sys/unix"
)

// forbidFragments has an answer arrive whole or not at all (RFC 9715 section 3.1):
// parts of one are lost more often, and easily forged.
func forbidFragments(socket udpSocket) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) { err = setFragments(int(fd), false) })
	return errors.Join(failed, err)
}

// setFragments says whether packets may be fragmented. Either way the kernel takes no
// account of path MTUs that strangers report.
func setFragments(fd int, allowed bool) error {
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	if family == unix.AF_INET {
		how := unix.IP_PMTUDISC_PROBE // DF set
		if allowed {
			how = unix.IP_PMTUDISC_OMIT
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, how)
	}
	how := unix.IPV6_PMTUDISC_PROBE
	if allowed {
		how = unix.IPV6_PMTUDISC_OMIT
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, how)
}
