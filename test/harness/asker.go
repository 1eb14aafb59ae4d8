package harness

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// Asker exchanges messages with one server, octet for octet, over one UDP
// socket and one TCP connection. It is for one goroutine.
type Asker struct {
	addr netip.AddrPort
	udp  net.Conn
	tcp  net.Conn // open from the first use on
	buf  []byte
}

// headerSize is what every message has.
const headerSize = 12

// NewAsker opens the UDP socket. Close it.
func NewAsker(addr netip.AddrPort) (*Asker, error) {
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		return nil, err
	}
	return &Asker{addr: addr, udp: conn, buf: make([]byte, 65535)}, nil
}

// Addr returns the server's address.
func (a *Asker) Addr() netip.AddrPort { return a.addr }

// Close closes socket and connection.
func (a *Asker) Close() {
	_ = a.udp.Close()
	a.closeTCP()
}

func (a *Asker) closeTCP() {
	if a.tcp != nil {
		_ = a.tcp.Close()
		a.tcp = nil
	}
}

// UDP sends the query once and returns the message that comes back with its ID,
// valid until the next call.
func (a *Asker) UDP(query []byte, timeout time.Duration) ([]byte, error) {
	if err := a.udp.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if _, err := a.udp.Write(query); err != nil {
		return nil, err
	}
	for {
		n, err := a.udp.Read(a.buf)
		if err != nil {
			return nil, err
		}
		if answers(a.buf[:n], query) {
			return a.buf[:n], nil
		}
	}
}

// TCP sends the query over the connection, opened if need be, and returns the
// message that comes back; it is the caller's. After an error the next call
// opens another connection: the server may have closed one that was idle.
func (a *Asker) TCP(query []byte, timeout time.Duration) (msg []byte, err error) {
	defer func() {
		if err != nil {
			a.closeTCP()
		}
	}()
	if a.tcp == nil {
		if a.tcp, err = net.DialTimeout("tcp", a.addr.String(), timeout); err != nil {
			a.tcp = nil // not an interface around nothing
			return nil, err
		}
	}
	if err := errors.Join(a.tcp.SetDeadline(time.Now().Add(timeout)), WriteFrame(a.tcp, query)); err != nil {
		return nil, err
	}
	if msg, err = ReadFrame(a.tcp); err != nil {
		return nil, err
	}
	if !answers(msg, query) {
		return nil, errors.New("answer has another ID")
	}
	return msg, nil
}

func answers(msg, query []byte) bool {
	return len(msg) >= headerSize && binary.BigEndian.Uint16(msg) == binary.BigEndian.Uint16(query)
}

// WriteFrame writes a message as TCP carries it (RFC 1035 section 4.2.2).
func WriteFrame(w io.Writer, msg []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
	return err
}

// ReadFrame reads a message as TCP carries it.
func ReadFrame(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}
