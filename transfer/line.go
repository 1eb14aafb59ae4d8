package transfer

import (
	"context"

	"github.com/miekg/dns"
)

// line is the connection to one peer over which transfers are asked for, one
// after the other. It is opened when it is needed first.
type line struct {
	client   *client
	peer     peer
	conn     *dns.Conn
	closed   func()
	reusable bool // nothing of an answer is left unread
}

// ready returns a connection on which a query may be sent. It ends with ctx.
func (l *line) ready(ctx context.Context) (*dns.Conn, error) {
	if l.conn != nil && l.reusable {
		l.reusable = false
		return l.conn, nil
	}
	l.hangUp()
	var err error
	l.conn, l.closed, err = l.client.open(ctx, "tcp", l.peer.addr)
	return l.conn, err
}

func (l *line) hangUp() {
	if l.conn != nil {
		l.closed()
		l.conn = nil
	}
}
