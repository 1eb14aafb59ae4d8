package nameserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
)

// tcpServer answers the queries of TCP connections (RFC 7766). Each has one
// goroutine, which answers in order; workers and their buffers are only held
// while a query is answered, so that an idle connection is cheap.
type tcpServer struct {
	options Options
	conns   *connTable
	faults  *rate.Limiter
	workers sync.Pool // of *tcpWorker
	running sync.WaitGroup
}

// tcpWorker is what answering a query takes.
type tcpWorker struct {
	*worker
	out []byte
}

func newTCPServer(o Options, faults *rate.Limiter, newWorker func(*metrics.DNSWorker) *worker) *tcpServer {
	s := &tcpServer{
		options: o,
		conns:   newConnTable(o.MaxConns, o.MaxConnsPerAddress, o.Metrics),
		faults:  faults,
	}
	// The pool may drop workers and make others, but blocks of counters are
	// kept for ever: all workers of TCP share one.
	counters := o.Metrics.Worker()
	s.workers.New = func() any {
		return &tcpWorker{worker: newWorker(counters), out: make([]byte, wire.MaxMessage)}
	}
	return s
}

// acceptor is the part of a net.TCPListener that accept needs.
type acceptor interface {
	AcceptTCP() (*net.TCPConn, error)
	Addr() net.Addr
}

// accept takes connections until the listener is closed.
func (s *tcpServer) accept(ctx context.Context, listener acceptor) {
	pause := faultPause
	for {
		conn, err := listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if !s.acceptFailed(ctx, listener, pause, err) {
				return
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = faultPause
		s.start(conn)
	}
}

// acceptFailed reports an error of accept, makes room in case descriptors have
// run out, and waits. It reports false when ctx has ended.
func (s *tcpServer) acceptFailed(ctx context.Context, listener acceptor, pause time.Duration, err error) bool {
	if s.faults.Allow() {
		s.options.Log.Error("can't accept", zap.Stringer("address", listener.Addr()), zap.Error(err))
	}
	s.conns.evictIdle()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// start serves conn unless a limit is in the way.
func (s *tcpServer) start(conn *net.TCPConn) {
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	c := &tcpConn{
		server: s,
		conn:   conn,
		client: netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()),
	}
	if !s.conns.add(c) {
		_ = conn.Close() // its client is told by that; there is nothing to lose
		return
	}
	s.running.Go(c.serve)
}

// drain lets connections answer what they have received, and closes those that
// have not ended in time. It returns when all have.
func (s *tcpServer) drain(timeout time.Duration) {
	s.conns.stop()
	timer := time.AfterFunc(timeout, s.conns.closeAll)
	s.running.Wait()
	timer.Stop()
}

// tcpConn is one connection.
type tcpConn struct {
	server *tcpServer
	conn   *net.TCPConn
	client netip.AddrPort
	entry  connEntry // of the table
	reader *bufio.Reader
	out    []byte // answers that wait to be sent
}

const (
	lengthSize = 2 // octets in front of each message (RFC 1035 section 4.2.2)
	// readBuffer holds several queries, and all that an idle connection costs.
	readBuffer = 1024
	// flushSize is the octets of answers that are not held back for more.
	flushSize = 4096
)

// serve answers queries until the client ends, breaks a rule or is too slow. A
// client that has closed its side still gets all answers.
func (c *tcpConn) serve() {
	defer c.close()
	c.reader = bufio.NewReaderSize(c.conn, readBuffer)
	for {
		query, ok := c.awaitQuery()
		if ok {
			ok = c.answer(query)
		}
		if c.flush() != nil || !ok {
			return
		}
	}
}

func (c *tcpConn) close() {
	c.server.conns.remove(c)
	_ = c.conn.Close() // all answers are sent, or could not be
}

// hasQuery reports whether a whole query is in the read buffer.
func (c *tcpConn) hasQuery() bool {
	size, ok := c.querySize()
	return ok && c.reader.Buffered() >= lengthSize+size
}

// querySize returns the octets of the next query, if that is known yet.
func (c *tcpConn) querySize() (size int, ok bool) {
	if c.reader.Buffered() < lengthSize {
		return 0, false
	}
	length, err := c.reader.Peek(lengthSize)
	if err != nil {
		return 0, false
	}
	return int(binary.BigEndian.Uint16(length)), true
}

// awaitQuery waits for a whole query. As long as it waits, the connection
// counts as idle, also in the middle of a query: one that is half sent is no
// more worth than one that is silent.
func (c *tcpConn) awaitQuery() (query []byte, ok bool) {
	if c.hasQuery() {
		return c.takeQuery()
	}
	c.server.conns.idle(c, time.Now())
	defer c.server.conns.busy(c)
	if c.reader.Buffered() == 0 {
		if _, err := c.peek(1, c.server.options.IdleTimeout); err != nil {
			return nil, false
		}
	}
	if _, err := c.peek(lengthSize, c.server.options.ReadTimeout); err != nil {
		return nil, false
	}
	return c.takeQuery()
}

// peek waits until n octets are in the read buffer. It fails when the server is
// stopping: the deadline that stop set must not be undone.
func (c *tcpConn) peek(n int, timeout time.Duration) ([]byte, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if c.server.conns.stopping.Load() {
		return nil, net.ErrClosed
	}
	return c.reader.Peek(n)
}

// takeQuery reads the query whose length has arrived, under the deadline that
// is set. It stays valid until the next one is read. A large one gets memory as
// it arrives, and no sooner.
func (c *tcpConn) takeQuery() (query []byte, ok bool) {
	size, ok := c.querySize()
	if !ok || size == 0 {
		return nil, false
	}
	if lengthSize+size <= readBuffer {
		query, err := c.reader.Peek(lengthSize + size)
		if err != nil {
			return nil, false
		}
		_, err = c.reader.Discard(lengthSize + size)
		return query[lengthSize:], err == nil
	}
	var large bytes.Buffer
	if _, err := c.reader.Discard(lengthSize); err != nil {
		return nil, false
	}
	if _, err := io.CopyN(&large, c.reader, int64(size)); err != nil {
		return nil, false
	}
	return large.Bytes(), true
}

// answer puts the answers to query and to those that have arrived behind it into
// out, as many as may wait. It reports whether the connection can go on.
func (c *tcpConn) answer(query []byte) (ok bool) {
	now := time.Now()
	w := c.server.workers.Get().(*tcpWorker)
	defer c.server.workers.Put(w)
	defer w.answered(TCP, now)
	for waiting := 1; ; waiting++ {
		if answer := w.handle(query, TCP, c.client, now, w.out); answer != nil {
			c.out = binary.BigEndian.AppendUint16(c.out, uint16(len(answer)))
			c.out = append(c.out, answer...)
		}
		if waiting == c.server.options.MaxInFlight || len(c.out) >= flushSize || !c.hasQuery() {
			return true
		}
		if query, ok = c.takeQuery(); !ok {
			return false
		}
	}
}

// flush sends the answers that wait, in one write.
func (c *tcpConn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.server.options.WriteTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.out)
	if err != nil {
		c.server.options.Metrics.SendFailed(metrics.TCP)
	}
	if c.out = c.out[:0]; cap(c.out) > flushSize {
		c.out = nil // an idle connection must stay cheap
	}
	return err
}
