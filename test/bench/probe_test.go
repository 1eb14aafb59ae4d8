package bench

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A probe asks a server for the SOA of zones until all are answered. It pipelines
// over one socket, so that it takes little of the machine from the server.
type probe struct {
	conn    net.Conn
	queries [][]byte // by zone; the ID is the zone's index
	pending []int    // zones that are not served yet
	answer  [dns.MinMsgSize]byte
}

const (
	probeStep  = 2 * time.Millisecond
	probeBurst = 64
	// maxZones is how many zones an ID can tell apart.
	maxZones = 1 << 16
)

func newProbe(t *testing.T, addr netip.AddrPort, zones []string) *probe {
	t.Helper()
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{conn: conn}
	for i, zone := range zones {
		m := new(dns.Msg).SetQuestion(zone, dns.TypeSOA)
		m.Id, m.RecursionDesired = uint16(i), false
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		p.queries, p.pending = append(p.queries, query), append(p.pending, i)
	}
	return p
}

func (p *probe) close() { _ = p.conn.Close() } // a UDP socket has nothing to lose

// wait returns when every zone is served with that serial. Bursts grow while all
// of their queries are answered so.
func (p *probe) wait(t *testing.T, serial uint32, limit time.Duration) {
	t.Helper()
	burst := 1
	for end := time.Now().Add(limit); len(p.pending) > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d zones are not served after %v", len(p.pending), len(p.queries), limit)
		}
		n := min(burst, len(p.pending))
		missing, err := p.ask(p.pending[:n], serial)
		if err != nil {
			t.Fatal(err)
		}
		burst = 1
		if len(missing) == 0 {
			burst = min(2*n, probeBurst)
		}
		p.pending = append(p.pending[n:], missing...)
	}
}

// ask asks for zones and returns those that are not served. While there are any,
// it takes one step of time.
func (p *probe) ask(zones []int, serial uint32) (missing []int, err error) {
	asked := make(map[int]bool, len(zones))
	for _, zone := range zones {
		asked[zone] = true
		_, _ = p.conn.Write(p.queries[zone]) // refused as long as nobody listens
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(probeStep)); err != nil {
		return nil, err
	}
	for len(asked) > 0 {
		size, err := p.conn.Read(p.answer[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			continue // the write was refused
		}
		if zone, ok := servedZone(p.answer[:size], serial); ok {
			delete(asked, zone)
		}
	}
	for zone := range asked {
		missing = append(missing, zone)
	}
	return missing, nil
}

// servedZone returns which zone a message answers with authority and that serial.
func servedZone(msg []byte, serial uint32) (zone int, ok bool) {
	var m dns.Msg
	if err := m.Unpack(msg); err != nil || m.Rcode != dns.RcodeSuccess || !m.Authoritative || len(m.Answer) != 1 {
		return 0, false
	}
	soa, ok := m.Answer[0].(*dns.SOA)
	return int(m.Id), ok && soa.Serial == serial
}
