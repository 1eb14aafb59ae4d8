package transfer

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
)

// line is the connection to one peer over which questions are asked one after
// the other. It is one that was kept from before, or opened when it is needed
// first.
type line struct {
	client *client
	peer   peer
	conn   net.Conn
	untie  func() bool // from the context that ends it
	kept   bool        // it has been used before
	clean  bool        // nothing of an answer is left unread
}

// ask gives ask a connection. If the peer has closed one that was kept, which
// is its right, ask is called again with another (RFC 7766 section 6.2.1.1). The
// connection ends with ctx.
func (l *line) ask(ctx context.Context, ask func(net.Conn) error) error {
	for {
		if err := l.connect(ctx); err != nil {
			return err
		}
		kept := l.kept
		l.kept, l.clean = true, false
		err := ask(l.conn)
		if !kept || !wasClosed(err) || ctx.Err() != nil {
			return err
		}
	}
}

// wasClosed reports whether err is what one meets when the peer has closed the
// connection before it was asked.
func wasClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (l *line) connect(ctx context.Context) (err error) {
	if l.conn != nil && l.clean {
		return nil
	}
	l.hangUp()
	conn := l.client.pool.take(l.peer.way())
	l.kept = conn != nil
	if conn == nil {
		if conn, err = l.client.open(ctx, "tcp", l.peer); err != nil {
			return err
		}
	}
	l.conn = conn
	l.untie = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return nil
}

// hangUp ends the use of the connection. It is kept if it may serve again.
func (l *line) hangUp() {
	if l.conn == nil {
		return
	}
	if l.untie() && l.clean {
		l.client.pool.put(l.peer.way(), l.conn)
	} else {
		_ = l.conn.Close() // nothing was left to write
	}
	l.conn = nil
}
