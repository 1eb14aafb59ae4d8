package nameserver

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
)

// tcpServer answers the queries of TCP connections (RFC 7766). Each has one
// goroutine, which answers in order; workers and their buffers are only held
// while there is something to read or to answer, so that an idle connection is
// cheap.
type tcpServer struct {
	options Options
	conns   *connTable
	faults  *rate.Limiter
	workers sync.Pool // of *tcpWorker
	running sync.WaitGroup
}

// tcpWorker is what answering queries takes.
type tcpWorker struct {
	*worker
	from    arrival // of the queries at hand
	in, out []byte
}

const (
	// tcpRead is the octets that are read at a time.
	tcpRead = 16384
	// tcpFlush is the octets of answers that are not held back for more.
	tcpFlush = 16384
)

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
		return &tcpWorker{
			worker: newWorker(counters),
			in:     make([]byte, tcpRead),
			out:    make([]byte, tcpFlush+lengthSize+wire.MaxMessage),
		}
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
	c, err := s.newConn(conn)
	if err != nil || !s.conns.add(c) {
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
