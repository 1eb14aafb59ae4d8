package interop

import (
	"bytes"
	"errors"
	"fmt"
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

// asker puts questions to one server, over UDP, and over TCP when an answer is
// truncated.
type asker struct {
	*harness.Asker
	id     uint16
	dnssec bool // DO is set
}

func newAsker(addr netip.AddrPort, dnssec bool) (*asker, error) {
	a, err := harness.NewAsker(addr)
	return &asker{Asker: a, dnssec: dnssec}, err
}

// ask asks by UDP with EDNS and 1232 octets, and by TCP when that is truncated.
func (a *asker) ask(q rrset) (*message, error) {
	query, err := a.query(q)
	if err != nil {
		return nil, err
	}
	m, err := a.askUDP(query)
	if err != nil {
		return nil, fmt.Errorf("%s by UDP: %w", a.Addr(), err)
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
	m.SetEdns0(1232, a.dnssec)
	return m.Pack()
}

func (a *asker) askUDP(query []byte) (*message, error) {
	err := errors.New("no try")
	for range udpTries {
		var msg []byte
		if msg, err = a.UDP(query, udpTimeout); err == nil {
			return parse(bytes.Clone(msg))
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
		var msg []byte
		if msg, err = a.TCP(query, tcpTimeout); err != nil {
			continue
		}
		var m *message
		if m, err = parse(msg); err == nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s by TCP: %w", a.Addr(), err)
}

// transfer reads a zone by AXFR, octet for octet, without the last SOA. The
// signatures are not verified: that is not what is tested on this side.
func transfer(t *testing.T, addr netip.AddrPort, zone string, key *harness.Key) []record {
	t.Helper()
	return transferOver(t, dialed(t, addr), zone, key)
}

// dialed is a connection by TCP.
func dialed(t *testing.T, addr netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr.String(), tcpTimeout)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// transferOver is transfer over a connection that is there, which it closes.
func transferOver(t *testing.T, conn net.Conn, zone string, key *harness.Key) []record {
	t.Helper()
	records := stream(t, conn, new(dns.Msg).SetAxfr(dns.Fqdn(zone)), key, 2)
	return records[:len(records)-1]
}

// differences counts the versions that the server's answer to an IXFR query from
// that serial leads through.
func differences(t *testing.T, addr netip.AddrPort, zone string, key *harness.Key, from uint32) int {
	t.Helper()
	soas := 0
	// The newest SOA stands at the beginning, before the last additions, and at
	// the end (RFC 1995 section 4).
	for _, r := range stream(t, dialed(t, addr), new(dns.Msg).SetIxfr(dns.Fqdn(zone), from, ".", "."), key, 3) {
		if r.rtype == dns.TypeSOA {
			soas++
		}
	}
	return (soas - 2) / 2
}

// stream reads what answers a query for a transfer until the first record has
// come so often, and closes the connection.
func stream(t *testing.T, conn net.Conn, m *dns.Msg, key *harness.Key, ends int) []record {
	t.Helper()
	defer conn.Close()
	query, err := m.Pack()
	if key != nil {
		m.SetTsig(dns.CanonicalName(key.Name), key.Algorithm, 300, time.Now().Unix())
		query, _, err = dns.TsigGenerate(m, key.Secret, "", false)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.SetDeadline(time.Now().Add(time.Minute)), harness.WriteFrame(conn, query)); err != nil {
		t.Fatal(err)
	}
	var records []record
	for came := 0; came < ends; {
		msg, err := harness.ReadFrame(conn)
		if err != nil {
			t.Fatalf("transfer from %s after %d records: %v", conn.RemoteAddr(), len(records), err)
		}
		m, err := parse(msg)
		if err != nil || m.rcode != dns.RcodeSuccess {
			t.Fatalf("transfer from %s after %d records: rcode %v, %v", conn.RemoteAddr(), len(records), m, err)
		}
		for _, r := range m.answer {
			records = append(records, r)
			if r == records[0] {
				came++
			}
		}
	}
	return records
}
