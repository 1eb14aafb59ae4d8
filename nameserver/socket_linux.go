package nameserver

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// canShare tells whether several UDP sockets can share an address and its queries.
const canShare = true

// controlSocket sets the options of a UDP socket before it is bound.
func controlSocket(network, address string, conn syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = setFragments(int(fd), true)
		if addr.Addr().IsUnspecified() {
			failed = errors.Join(failed, tellDestination(int(fd), network))
		}
	})
	return errors.Join(err, failed)
}

// controlShared is controlSocket for one more socket of an address.
func controlShared(network, address string, conn syscall.RawConn) error {
	return errors.Join(controlSocket(network, address, conn), setShared(conn))
}

// share lets further sockets have the address of a bound one.
func share(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return setShared(raw)
}

func setShared(conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}

// tellDestination has the kernel tell which address a query was sent to.
func tellDestination(fd int, network string) error {
	if network == "udp4" {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
}

// setBuffers asks for room in a socket. Without the capability to go beyond the
// system's limits those are what it gets, which is no reason not to serve.
func setBuffers(socket udpSocket, receive, send int) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return // closed
	}
	_ = raw.Control(func(fd uintptr) {
		setBuffer(int(fd), unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receive)
		setBuffer(int(fd), unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, send)
	})
}

func setBuffer(fd, forced, limited, octets int) {
	if octets > 0 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, forced, octets) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, limited, octets)
	}
}

// pinThread ties the calling goroutine to a thread of its own and that to the
// n-th CPU that the process may use, counted round and round.
func pinThread(n int) error {
	runtime.LockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	n %= max(all.Count(), 1)
	for cpu := 0; ; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if n == 0 {
			one.Set(cpu)
			return unix.SchedSetaffinity(0, &one)
		}
		n--
	}
}

// destinationSize is the octets of the control message that says where a query
// was sent to.
var destinationSize = max(unix.CmsgSpace(unix.SizeofInet4Pktinfo), unix.CmsgSpace(unix.SizeofInet6Pktinfo))

// replyFrom turns the control message of a query into the one that makes the
// answer leave from the address the query was sent to. The two have the same
// form; only the interface is left to the routing table, except for a
// link-local address, which means nothing without it.
func replyFrom(control []byte) []byte {
	data := unix.CmsgLen(0)
	switch len(control) {
	case unix.CmsgSpace(unix.SizeofInet4Pktinfo): // interface, local address, address in the header
		clear(control[data : data+4])
	case unix.CmsgSpace(unix.SizeofInet6Pktinfo): // address, interface
		if addr, ok := netip.AddrFromSlice(control[data : data+16]); ok && !addr.IsLinkLocalUnicast() {
			clear(control[data+16 : data+20])
		}
	default:
		return nil
	}
	return control
}

// descriptors returns how many files the process may have open.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt32 // unknown: accept will tell
	}
	return int(min(limit.Cur, math.MaxInt32))
}
