package interop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

const (
	udpTimeout = 2 * time.Second
	udpTries   = 3
	tcpTimeout = 10 * time.Second
)

// asker puts questions to one server, over one UDP socket, and over TCP when an
// answer is truncated. It is for one goroutine.
type asker struct {
	addr netip.AddrPort
	udp  net.Conn
	tcp  net.Conn // open from the first use on
	id   uint16
}

func newAsker(addr netip.AddrPort) (*asker, error) {
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		return nil, err
	}
	return &asker{addr: addr, udp: conn}, nil
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

// ask asks by UDP with EDNS and 1232 octets, and by TCP when that is truncated.
func (a *asker) ask(q rrset) (*message, error) {
	query, err := a.query(q)
	if err != nil {
		return nil, err
	}
	m, err := a.askUDP(query)
	if err != nil {
		return nil, fmt.Errorf("%s by UDP: %w", a.addr, err)
	}
	if m.tc {
		return a.askTCP(q)
	}
	return m, nil
}

func (a *asker) query(q rrset) ([]byte, error) {
	a.id++
	m := new(dns.Msg).SetQuestion(q.owner, q.rtype)
	m.Id, m.RecursionDesired = a.id, false
	m.SetEdns0(1232, false)
	return m.Pack()
}

func (a *asker) askUDP(query []byte) (*message, error) {
	buf := make([]byte, 65536)
	err := errors.New("no try")
	for range udpTries {
		if _, err = a.udp.Write(query); err != nil {
			return nil, err
		}
		if err = a.udp.SetReadDeadline(time.Now().Add(udpTimeout)); err != nil {
			return nil, err
		}
		var n int
		for n, err = a.udp.Read(buf); err == nil; n, err = a.udp.Read(buf) {
			if n > 2 && binary.BigEndian.Uint16(buf) == binary.BigEndian.Uint16(query) {
				return parse(buf[:n])
			}
		}
	}
	return nil, err
}

// askTCP tries twice, for the server may have closed a connection that was idle.
func (a *asker) askTCP(q rrset) (*message, error) {
	query, err := a.query(q)
	if err != nil {
		return nil, err
	}
	for range 2 {
		var m *message
		if m, err = a.tryTCP(query); err == nil {
			return m, nil
		}
		a.closeTCP()
	}
	return nil, fmt.Errorf("%s by TCP: %w", a.addr, err)
}

func (a *asker) tryTCP(query []byte) (*message, error) {
	if a.tcp == nil {
		conn, err := net.DialTimeout("tcp", a.addr.String(), tcpTimeout)
		if err != nil {
			return nil, err
		}
		a.tcp = conn
	}
	if err := a.tcp.SetDeadline(time.Now().Add(tcpTimeout)); err != nil {
		return nil, err
	}
	if err := writeFrame(a.tcp, query); err != nil {
		return nil, err
	}
	msg, err := readFrame(a.tcp)
	if err != nil {
		return nil, err
	}
	m, err := parse(msg)
	if err == nil && m.id != binary.BigEndian.Uint16(query) {
		err = errors.New("answer has another ID")
	}
	return m, err
}

func writeFrame(w io.Writer, msg []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, msg)
	return msg, err
}

// transfer reads a zone by AXFR, octet for octet, without the last SOA. The
// signatures are not verified: that is not what is tested on this side.
func transfer(t *testing.T, addr netip.AddrPort, zone string, key *harness.Key) []record {
	t.Helper()
	m := new(dns.Msg).SetAxfr(dns.Fqdn(zone))
	query, err := m.Pack()
	if key != nil {
		m.SetTsig(dns.CanonicalName(key.Name), key.Algorithm, 300, time.Now().Unix())
		query, _, err = dns.TsigGenerate(m, key.Secret, "", false)
	}
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", addr.String(), tcpTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := errors.Join(conn.SetDeadline(time.Now().Add(time.Minute)), writeFrame(conn, query)); err != nil {
		t.Fatal(err)
	}
	var records []record
	for len(records) < 2 || records[len(records)-1] != records[0] {
		msg, err := readFrame(conn)
		if err != nil {
			t.Fatalf("AXFR from %s after %d records: %v", addr, len(records), err)
		}
		m, err := parse(msg)
		if err != nil || m.rcode != dns.RcodeSuccess {
			t.Fatalf("AXFR from %s after %d records: rcode %v, %v", addr, len(records), m, err)
		}
		records = append(records, m.answer...)
	}
	return records[:len(records)-1]
}
