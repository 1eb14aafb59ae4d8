package nameserver

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch receives up to a number of datagrams from a socket with one system call
// and sends the answers with another (recvmmsg(2), sendmmsg(2)). It allocates
// nothing after newBatch and belongs to one goroutine.
//
// The calls never block and take a few microseconds a datagram, so they are made
// without telling the scheduler, which would take the processor away and give it
// back each time. Waiting is done by the runtime's poller.
type batch struct {
	socket udpSocket
	raw    syscall.RawConn
	fd     uintptr // open for as long as the batch is used

	in      []mmsghdr
	vectors []unix.Iovec // where the datagrams of in go
	names   []sockaddr   // where they come from
	control []byte       // which address they were sent to, for a wildcard address
	queries []byte

	out     []mmsghdr // answers that wait to be sent
	pieces  []unix.Iovec
	answers []byte // the octets of all of them, of which used are taken
	used    int
	longest int // octets that an answer may have

	received int // datagrams in in
	sent     int // answers of out that are dealt with
	unsent   int // of them could not be sent
	failed   syscall.Errno
	read     func(fd uintptr) (done bool)
	write    func(fd uintptr) (done bool)
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
// to longest octets.
func newBatch(socket udpSocket, size, longest int) (*batch, error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &batch{
		socket:   socket,
		raw:      raw,
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
	}
	b.read, b.write = b.tryReceive, b.trySend
	return b, raw.Control(func(fd uintptr) { b.fd = fd })
}

// receive waits for datagrams and returns how many came. They stay valid until
// the next call.
func (b *batch) receive() (int, error) {
	for i := range b.received {
		b.in[i].Namelen = uint32(len(b.names[i]))
		if b.control != nil {
			b.in[i].SetControllen(destinationSize)
		}
	}
	b.received, b.failed = 0, 0
	b.out, b.used = b.out[:0], 0
	if err := b.raw.Read(b.read); err != nil {
		return 0, err
	}
	if b.failed != 0 {
		return 0, b.failed
	}
	return b.received, nil
}

// tryReceive takes what has arrived; false if that is nothing.
func (b *batch) tryReceive(fd uintptr) bool {
	n, errno := mmsg(unix.SYS_RECVMMSG, fd, b.in)
	if errno == unix.EAGAIN {
		return false
	}
	b.received, b.failed = n, errno
	return true
}

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
	b.out = append(b.out, mmsghdr{Msghdr: b.in[i].Msghdr})
	m := &b.out[n]
	m.Iov, m.Flags = piece, 0
	if b.control != nil {
		control := replyFrom(b.control[i*destinationSize:][:m.Controllen])
		m.SetControllen(len(control))
	}
}

// send sends the answers and returns how many could not be sent.
func (b *batch) send() (unsent int) {
	b.sent, b.unsent = 0, 0
	if b.trySend(b.fd) {
		return b.unsent
	}
	// Without a deadline a network that takes nothing would hold up the end.
	if b.socket.SetWriteDeadline(time.Now().Add(sendTimeout)) != nil || b.raw.Write(b.write) != nil {
		b.unsent += len(b.out) - b.sent
	}
	return b.unsent
}

// trySend sends what is left; false if the send buffer is full.
func (b *batch) trySend(fd uintptr) bool {
	for b.sent < len(b.out) {
		n, errno := mmsg(unix.SYS_SENDMMSG, fd, b.out[b.sent:])
		switch errno {
		case 0:
			b.sent += n
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default: // of the first one
			b.sent++
			b.unsent++
		}
	}
	return true
}

// mmsg makes one of the two system calls, without blocking.
func mmsg(call, fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}
