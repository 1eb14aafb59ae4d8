package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	udpTimeout = time.Second
	tcpTimeout = 5 * time.Second
	tries      = 5
)

// asker puts questions to one server over one UDP socket and one TCP
// connection. It is for one goroutine.
type asker struct {
	addr netip.AddrPort
	udp  net.Conn
	tcp  net.Conn // open from the first use on
	id   uint16
	buf  []byte
}

func newAsker(addr netip.AddrPort) (*asker, error) {
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		return nil, err
	}
	return &asker{addr: addr, udp: conn, buf: make([]byte, 65535)}, nil
}

func (a *asker) close() {
	_ = a.udp.Close()
	a.closeTCP()
}

func (a *asker) closeTCP() {
	if a.tcp != nil {
		_ = a.tcp.Close()
		a.tcp = nil
	}
}

// ask returns the answer as it came, valid until the next call. A lost packet
// or a connection that the server has closed is no failure.
func (a *asker) ask(q *question) ([]byte, error) {
	err := errors.New("no try")
	for range tries {
		a.id++
		query := q.pack(a.id)
		var msg []byte
		if q.form.tcp {
			msg, err = a.tryTCP(query)
		} else {
			msg, err = a.tryUDP(query)
		}
		if err == nil {
			return msg, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", a.addr, err)
}

func (a *asker) tryUDP(query []byte) ([]byte, error) {
	if err := a.udp.SetDeadline(time.Now().Add(udpTimeout)); err != nil {
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
		if n >= 12 && a.buf[0] == query[0] && a.buf[1] == query[1] {
			return a.buf[:n], nil
		}
	}
}

func (a *asker) tryTCP(query []byte) (msg []byte, err error) {
	defer func() {
		if err != nil {
			a.closeTCP()
		}
	}()
	if a.tcp == nil {
		if a.tcp, err = net.DialTimeout("tcp", a.addr.String(), tcpTimeout); err != nil {
			return nil, err
		}
	}
	if err := a.tcp.SetDeadline(time.Now().Add(tcpTimeout)); err != nil {
		return nil, err
	}
	if _, err := a.tcp.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(a.tcp, a.buf[:2]); err != nil {
		return nil, err
	}
	msg = a.buf[:binary.BigEndian.Uint16(a.buf)]
	if _, err := io.ReadFull(a.tcp, msg); err != nil {
		return nil, err
	}
	if len(msg) < 12 || msg[0] != query[0] || msg[1] != query[1] {
		return nil, errors.New("answer to another query")
	}
	return msg, nil
}
