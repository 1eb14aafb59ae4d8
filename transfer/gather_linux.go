package transfer

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A gatherer reads from a TCP connection. While nothing is there it waits in the
// kernel, on the thread of the transfer, until much has come or a moment is over, and
// only then in the runtime's poller, which wakes two more threads to tell of it.
type gatherer struct {
	raw  syscall.RawConn
	low  int // octets from which on the kernel says that something can be read
	want int // octets that are waited for
}

const (
	// gatherOctets is what is waited for at most: enough that waking for it costs
	// little, and less than is sent while it is taken.
	gatherOctets = 96 << 10
	gatherFor    = 2 * time.Millisecond
	// gatherStep is how much more is waited for when what was wanted has come, and
	// the least.
	gatherStep = 2 << 10
)

// gather returns a reader of the connection that Close gives back as it was.
func gather(conn net.Conn) io.ReadCloser {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return io.NopCloser(conn)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return io.NopCloser(conn)
	}
	return &gatherer{raw: raw, low: 1, want: gatherOctets}
}

// Read implements io.Reader, under the deadline of the connection.
func (g *gatherer) Read(b []byte) (n int, err error) {
	failed := g.raw.Read(func(fd uintptr) (done bool) {
		n, err = g.read(int(fd), b)
		return !errors.Is(err, unix.EAGAIN)
	})
	switch {
	case failed != nil:
		return 0, failed
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// read fails with EAGAIN when nothing has come for a while.
func (g *gatherer) read(fd int, b []byte) (n int, err error) {
	n, err = unix.Read(fd, b)
	if !errors.Is(err, unix.EAGAIN) {
		return n, err
	}
	g.setLow(fd, g.want)
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	ready, _ := unix.Poll(fds, int(gatherFor.Milliseconds())) // whatever it says, the read tells
	if n, err = unix.Read(fd, b); errors.Is(err, unix.EAGAIN) {
		g.setLow(fd, 1)
		return n, err
	}
	g.adapt(ready > 0)
	return n, err
}

// adapt has less waited for when less has come in time. TCP may have the primary send
// no more before that is read, and then each wait would be as long as it can be.
func (g *gatherer) adapt(came bool) {
	if !came {
		g.want = max(g.want/2, gatherStep)
		return
	}
	g.want = min(g.want+gatherStep, gatherOctets)
}

// setLow changes what is waited for; without that less is read at a time.
func (g *gatherer) setLow(fd, octets int) {
	if g.low != octets && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, octets) == nil {
		g.low = octets
	}
}

// Close has the connection be read as any other.
func (g *gatherer) Close() error {
	return g.raw.Control(func(fd uintptr) { g.setLow(int(fd), 1) })
}
