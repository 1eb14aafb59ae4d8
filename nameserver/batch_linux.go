package nameserver

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch receives up to a number of datagrams from a socket with one system call
// and sends the answers with another (recvmmsg(2), sendmmsg(2)). It allocates
// nothing after newBatch and belongs to one goroutine, but for stop.
//
// The calls never block and take a few microseconds a datagram, so they are made
// without telling the scheduler, which would take the processor away and give it
// back each time. A thread waits for its own socket with poll(2), not in the
// runtime's poller (docs/decisions/009-workers-wait-in-poll.md).
type batch struct {
	fd      int // a socket that does not block
	address string
	stopped atomic.Bool

	in      []mmsghdr
	vectors []unix.Iovec // where the datagrams of in go
	names   []sockaddr   // where they come from
	control []byte       // which address they were sent to, for a wildcard address
	queries []byte

	out     []mmsghdr // answers that wait to be sent, each with the element of pieces of its index
	pieces  []unix.Iovec
	answers []byte // the octets of all of them, of which used are taken
	used    int
	longest int // octets that an answer may have

	fragments bool // answers may be fragmented, see mayFragment

	received int // datagrams in in
	sent     int // answers of out that are dealt with
	unsent   int // of them could not be sent
}

// mmsghdr is struct mmsghdr of <sys/socket.h>.
type mmsghdr struct {
	unix.Msghdr
	size uint32 // octets received or sent
}

// sockaddr is room for the address of an IPv4 or IPv6 socket.
type sockaddr [unix.SizeofSockaddrInet6]byte

const (
	// queryRoom is the octets of the longest query by UDP. Of a longer one the
	// rest is lost, which makes it malformed unless only padding is lost.
	queryRoom = 4096
	// lineSize is the octets of a cache line. Buffers for queries are one more
	// apart than a power of two, or all would want the same part of the cache.
	lineSize    = 64
	queryStride = queryRoom + lineSize
	// sendTimeout is how long a full send buffer may hold a worker up.
	sendTimeout = time.Second
)

// newBatch returns a batch for up to size datagrams at a time and answers of up
// to longest octets. The socket is the batch's from then on, which must be closed;
// it is closed if there is an error.
func newBatch(socket udpSocket, size, longest int) (*batch, error) {
	fd, err := detach(socket.UDPConn)
	if err != nil {
		return nil, err
	}
	b := &batch{
		fd:       fd,
		address:  socket.LocalAddr().String(),
		in:       make([]mmsghdr, size),
		vectors:  make([]unix.Iovec, size),
		names:    make([]sockaddr, size),
		queries:  make([]byte, size*queryStride),
		out:      make([]mmsghdr, 0, size),
		pieces:   make([]unix.Iovec, size),
		answers:  make([]byte, size*(longest+lineSize)),
		longest:  longest,
		received: size,
	}
	if socket.anyAddress {
		b.control = make([]byte, size*destinationSize)
	}
	for i := range b.in {
		b.vectors[i].Base = &b.queries[i*queryStride]
		b.vectors[i].SetLen(queryRoom)
		b.in[i].Iov = &b.vectors[i]
		b.in[i].SetIovlen(1)
		b.in[i].Name = &b.names[i][0]
		if b.control != nil {
			b.in[i].Control = &b.control[i*destinationSize]
		}
		out := &b.out[:size][i]
		out.Iov = &b.pieces[i]
		out.SetIovlen(1)
	}
	return b, nil
}

// detach takes the socket away from conn and its poller.
func detach(conn *net.UDPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	failed := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(failed, err); err != nil {
		return -1, errors.Join(err, conn.Close())
	}
	if err := conn.Close(); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

// receive waits for datagrams and returns how many came, or net.ErrClosed after stop.
// They stay valid until the next call.
func (b *batch) receive() (int, error) {
	for i := range b.received {
		b.in[i].Namelen = uint32(len(b.names[i]))
		if b.control != nil {
			b.in[i].SetControllen(destinationSize)
		}
	}
	b.received = 0
	b.out, b.used = b.out[:0], 0
	for !b.stopped.Load() {
		n, errno := mmsg(unix.SYS_RECVMMSG, b.fd, b.in)
		switch errno {
		case 0:
			b.received = n
			return n, nil
		case unix.EAGAIN:
			if err := await(b.fd, unix.POLLIN, -1); err != nil {
				return 0, err
			}
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
	return 0, net.ErrClosed
}

// stop ends receive, now and later. What was received is still answered.
func (b *batch) stop() error {
	b.stopped.Store(true)
	if err := unix.Shutdown(b.fd, unix.SHUT_RD); err != nil && !errors.Is(err, unix.ENOTCONN) {
		return err // a socket without a peer says that, and wakes who waits all the same
	}
	return nil
}

// close closes the socket, which must not be in use.
func (b *batch) close() error { return unix.Close(b.fd) }

// query returns the datagram i, which the caller may change.
func (b *batch) query(i int) []byte {
	at := i * queryStride
	return b.queries[at : at+int(b.in[i].size)]
}

// client returns where the datagram i came from, without the zone of a
// link-local address.
func (b *batch) client(i int) netip.AddrPort {
	name := &b.names[i]
	port := binary.BigEndian.Uint16(name[2:])
	if b.in[i].Namelen == unix.SizeofSockaddrInet4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(name[4:])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(name[8:])).Unmap(), port)
}

// room returns memory for the next answer.
func (b *batch) room() []byte {
	return b.answers[b.used:][:b.longest:b.longest]
}

// reply notes the answer to the datagram i, to be sent with the others.
func (b *batch) reply(i int, answer []byte) {
	n := len(b.out)
	b.used += (min(len(answer), b.longest) + lineSize - 1) &^ (lineSize - 1)
	piece := &b.pieces[n]
	piece.Base = &answer[0]
	piece.SetLen(len(answer))
	b.out = b.out[:n+1]
	m, query := &b.out[n], &b.in[i]
	m.Name, m.Namelen = query.Name, query.Namelen
	if b.control != nil {
		control := replyFrom(b.control[i*destinationSize:][:query.Controllen])
		m.Control = query.Control
		m.SetControllen(len(control))
	}
}

// send sends the answers and returns how many could not be sent.
func (b *batch) send() (unsent int) {
	b.sent, b.unsent = 0, 0
	if b.trySend() {
		return b.unsent
	}
	// Without an end a network that takes nothing would hold up that of the daemon.
	end := time.Now().Add(sendTimeout)
	for left := sendTimeout; left > 0; left = time.Until(end) {
		if await(b.fd, unix.POLLOUT, int(left.Milliseconds())+1) != nil {
			break
		}
		if b.trySend() {
			return b.unsent
		}
	}
	return b.unsent + len(b.out) - b.sent
}

// trySend sends what is left; false if the send buffer is full.
func (b *batch) trySend() bool {
	for b.sent < len(b.out) {
		n, errno := mmsg(unix.SYS_SENDMMSG, b.fd, b.out[b.sent:])
		switch errno {
		case 0:
			b.sent += n
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default: // of the first one
			if errno == unix.EMSGSIZE && b.mayFragment() {
				continue
			}
			b.sent++
			b.unsent++
		}
	}
	return true
}

// mayFragment allows fragments when an interface of the host takes no packet as large
// as an answer, which no Ethernet does; false if that was done before.
func (b *batch) mayFragment() bool {
	if b.fragments {
		return false
	}
	b.fragments = true
	return setFragments(b.fd, true) == nil
}

// mmsg makes one of the two system calls, without blocking.
func mmsg(call uintptr, fd int, messages []mmsghdr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// await blocks the thread until a socket is ready for that, is shut down or fails, or
// for as many milliseconds, without end for -1. Which it was, the next call tells.
func await(fd int, what int16, milliseconds int) error {
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: what}}, milliseconds)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}
