package nameserver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"go.uber.org/zap"
)

// udpServer answers the queries of one socket, one after the other, without
// allocating.
type udpServer struct {
	socket  udpSocket
	worker  *worker
	in, out []byte
	control []byte // where the query was sent to, for a wildcard address
}

// run answers until the socket gets a read deadline or is closed.
func (u *udpServer) run(ctx context.Context) {
	if u.socket.anyAddress {
		u.control = make([]byte, destinationSize)
	}
	for {
		err := u.serveOne()
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil && !u.failed(ctx, err) {
			return
		}
	}
}

// serveOne takes a query and answers it. Its error is one of receiving: an
// answer that can't be sent is only counted, for the client will ask again.
func (u *udpServer) serveOne() error {
	size, control, from, err := u.receive()
	if err != nil {
		return err
	}
	client := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	answer := u.worker.handle(u.in[:size], UDP, client, u.out)
	if answer == nil {
		return nil
	}
	if err := u.send(answer, control, from); err != nil {
		u.worker.metrics.SendFailed(UDP)
	}
	return nil
}

func (u *udpServer) receive() (size int, control []byte, from netip.AddrPort, err error) {
	if u.control == nil {
		size, from, err = u.socket.ReadFromUDPAddrPort(u.in)
		return size, nil, from, err
	}
	size, n, _, from, err := u.socket.ReadMsgUDPAddrPort(u.in, u.control)
	return size, u.control[:n], from, err
}

func (u *udpServer) send(answer, control []byte, to netip.AddrPort) error {
	if u.control == nil {
		_, err := u.socket.WriteToUDPAddrPort(answer, to)
		return err
	}
	_, _, err := u.socket.WriteMsgUDPAddrPort(answer, replyFrom(control), to)
	return err
}

// failed reports an error of receiving that is not the end, and waits a little,
// for it may last. It reports false when ctx has ended.
func (u *udpServer) failed(ctx context.Context, err error) bool {
	if u.worker.faults.Allow() {
		u.worker.log.Error("can't receive", zap.Stringer("address", u.socket.LocalAddr()), zap.Error(err))
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(faultPause):
		return true
	}
}

// faultPause keeps an error that lasts from making a loop spin.
const faultPause = 10 * time.Millisecond
