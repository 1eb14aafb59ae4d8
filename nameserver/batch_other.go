//go:build !linux

package nameserver

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// batch receives and sends datagrams one by one.
type batch struct {
	socket   udpSocket
	address  string
	in, out  []byte
	received int
	from     netip.AddrPort
	answer   []byte
}

const queryRoom = 4096

func newBatch(socket udpSocket, _, longest int) (*batch, error) {
	return &batch{socket: socket, address: socket.LocalAddr().String(), in: make([]byte, queryRoom), out: make([]byte, longest)}, nil
}

func (b *batch) receive() (n int, err error) {
	b.answer = nil
	b.received, b.from, err = b.socket.ReadFromUDPAddrPort(b.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, net.ErrClosed
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func (b *batch) stop() error { return b.socket.SetReadDeadline(time.Unix(1, 0)) }

func (b *batch) close() error { return b.socket.Close() }

func (b *batch) query(int) []byte { return b.in[:b.received] }

func (b *batch) client(int) netip.AddrPort {
	return netip.AddrPortFrom(b.from.Addr().Unmap(), b.from.Port())
}

func (b *batch) room() []byte { return b.out }

func (b *batch) reply(_ int, answer []byte) { b.answer = answer }

func (b *batch) send() (unsent int) {
	if b.answer == nil {
		return 0
	}
	if _, err := b.socket.WriteToUDPAddrPort(b.answer, b.from); err != nil {
		return 1
	}
	return 0
}
