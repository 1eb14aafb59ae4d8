package nameserver

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"time"

	"secondaryd/metrics"
)

// tcpConn is one connection. Its system calls never block and are made without
// telling the scheduler, like those of batch; waiting is done by the runtime's
// poller.
type tcpConn struct {
	server *tcpServer
	conn   *net.TCPConn
	raw    syscall.RawConn
	client netip.AddrPort
	entry  connEntry // of the table

	worker *tcpWorker // nil while the connection waits
	intake intake
	out    []byte    // answers that wait to be sent, in the worker's buffer or a copy
	since  time.Time // when it last had something to do
	awaits awaited   // what the read deadline is set for

	size   int // octets received at last
	failed error
	read   func(fd uintptr) (done bool)
	write  func(fd uintptr) (done bool)
}

// awaited is what a connection waits for, and has a time for.
type awaited uint8

const (
	noOctet    awaited = iota
	firstOctet         // of a query
	lastOctet
)

func (s *tcpServer) newConn(conn *net.TCPConn) (*tcpConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	c := &tcpConn{
		server: s,
		conn:   conn,
		raw:    raw,
		client: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()),
		since:  time.Now(),
	}
	c.read, c.write = c.tryReceive, c.trySend
	return c, nil
}

// serve answers queries until the client ends, breaks a rule or is too slow. A
// client that has closed its side still gets all answers.
func (c *tcpConn) serve() {
	defer c.close()
	for c.receive() {
		if !c.answer() {
			return
		}
	}
}

func (c *tcpConn) close() {
	c.release()
	c.server.conns.remove(c)
	_ = c.conn.Close() // all answers are sent, or could not be
}

// hold gets a worker, which the connection has until release.
func (c *tcpConn) hold() {
	if c.worker == nil {
		c.worker = c.server.workers.Get().(*tcpWorker)
	}
}

// release gives the worker back and keeps what is in its buffers.
func (c *tcpConn) release() {
	if c.worker == nil {
		return
	}
	c.intake.stash()
	if len(c.out) > 0 {
		c.out = bytes.Clone(c.out)
	}
	c.server.workers.Put(c.worker)
	c.worker = nil
}

// receive waits for octets. As long as it waits, the connection counts as idle,
// also in the middle of a query: one that is half sent is no more worth than one
// that is silent.
func (c *tcpConn) receive() bool {
	if !c.setDeadline() {
		return false
	}
	c.server.conns.idle(c, c.since)
	err := c.raw.Read(c.read)
	c.server.conns.busy(c)
	if err != nil || c.size <= 0 {
		return false
	}
	c.intake.received(c.size)
	return true
}

// setDeadline sets how long receive may wait: for the first octet of a query the
// idle timeout, and from then on for all others together the read timeout. It
// fails when the server is stopping: the deadline that stop set must not be undone.
func (c *tcpConn) setDeadline() bool {
	next, timeout := firstOctet, c.server.options.IdleTimeout
	if len(c.intake.data) > 0 {
		next, timeout = lastOctet, c.server.options.ReadTimeout
	}
	if next == c.awaits {
		return true
	}
	c.awaits = next
	return c.conn.SetReadDeadline(time.Now().Add(timeout)) == nil && !c.server.conns.stopping.Load()
}

// tryReceive takes what has arrived; false if that is nothing.
func (c *tcpConn) tryReceive(fd uintptr) bool {
	c.hold()
	for {
		n, errno := receiveNow(fd, c.intake.room(c.worker.in))
		switch errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			c.release()
			return false
		default:
			c.size = n
			return true
		}
	}
}

// answer answers the queries that have arrived. It reports whether the
// connection can go on.
func (c *tcpConn) answer() bool {
	for c.intake.ready() {
		now := time.Now()
		c.hold()
		ok := c.answerSome(now)
		c.worker.answered(TCP, now)
		if !c.send() || !ok {
			return false
		}
		c.since, c.awaits = now, noOctet
	}
	return true
}

// answerSome writes as many answers as may wait to be sent. It reports false
// for a message of no octets, which breaks the rules.
func (c *tcpConn) answerSome(now time.Time) bool {
	out := c.worker.out[:0]
	c.worker.from = arrival{transport: TCP, client: c.client, at: now}
	for range c.server.options.MaxInFlight {
		if len(out) >= tcpFlush || !c.intake.ready() {
			break
		}
		query := c.intake.take()
		if len(query) == 0 {
			c.out = out
			return false
		}
		start := len(out)
		room := out[start+lengthSize : cap(out)]
		if answer := c.worker.handle(query, &c.worker.from, room); answer != nil {
			out = binary.BigEndian.AppendUint16(out, uint16(len(answer)))
			out = append(out, answer...) // to where it is, as a rule
		}
	}
	c.out = out
	return true
}

// send sends the answers that wait, in one write unless the client is slow.
func (c *tcpConn) send() bool {
	if len(c.out) == 0 {
		return true
	}
	c.failed = nil
	err := c.raw.Write(c.write)
	if err != nil || c.failed != nil {
		c.server.options.Metrics.SendFailed(metrics.TCP)
		return false
	}
	if c.worker == nil { // the next write must find no deadline that has passed
		return c.conn.SetWriteDeadline(time.Time{}) == nil
	}
	return true
}

// trySend sends what it can; false if there is more. Before the connection waits
// for a client that does not read, it gives up its worker.
func (c *tcpConn) trySend(fd uintptr) bool {
	for len(c.out) > 0 {
		n, errno := sendNow(fd, c.out)
		switch errno {
		case 0:
			c.out = c.out[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			if c.worker != nil {
				c.release()
				c.failed = c.conn.SetWriteDeadline(time.Now().Add(c.server.options.WriteTimeout))
			}
			return c.failed != nil
		default:
			c.failed = errno
			return true
		}
	}
	c.out = nil
	return true
}
