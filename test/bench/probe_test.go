package bench

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// A probe asks a server for the SOA of zones until all are answered. It pipelines
// over one socket at a time, so that it takes little of the machine from the server.
type probe struct {
	addr    *net.UDPAddr
	conn    *net.UDPConn
	step    time.Duration // between two looks at a zone that is not served
	queries [][]byte      // by zone; the ID is the zone's index
	pending []int         // zones that are not served yet
	open    []bool        // by zone: an answer is to come
	answer  [dns.MinMsgSize]byte
}

const (
	probeStep = 2 * time.Millisecond
	// fineStep is for what takes milliseconds only.
	fineStep   = 150 * time.Microsecond
	probeBurst = 64
	// probePatience is how long an answer may take before the question is
	// repeated.
	probePatience = 2 * time.Millisecond
	// maxZones is how many zones an ID can tell apart.
	maxZones = 1 << 16
)

func newProbe(t *testing.T, addr netip.AddrPort, zones []string) *probe {
	t.Helper()
	p := &probe{addr: net.UDPAddrFromAddrPort(addr), step: probeStep}
	if err := p.dial(); err != nil {
		t.Fatal(err)
	}
	for i, zone := range zones {
		m := new(dns.Msg).SetQuestion(zone, dns.TypeSOA)
		m.Id, m.RecursionDesired = uint16(i), false
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		p.queries, p.pending = append(p.queries, query), append(p.pending, i)
	}
	p.open = make([]bool, len(zones))
	return p
}

// dial takes a socket of another port.
func (p *probe) dial() error {
	conn, err := net.DialUDP("udp", nil, p.addr)
	if err == nil {
		p.conn = conn
	}
	return err
}

func (p *probe) close() { _ = p.conn.Close() } // a UDP socket has nothing to lose

// wait returns when every zone is served with that serial. Bursts grow while all
// of their queries are answered so, up to what leaves a server time for other work.
func (p *probe) wait(t *testing.T, serial uint32, limit time.Duration) {
	t.Helper()
	burst := 1
	for end := time.Now().Add(limit); len(p.pending) > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d zones are not served after %v", len(p.pending), len(p.queries), limit)
		}
		n, start := min(burst, len(p.pending)), time.Now()
		missing, err := p.ask(p.pending[:n], serial)
		if err != nil {
			t.Fatal(err)
		}
		p.pending = append(p.pending[n:], missing...)
		if len(missing) == 0 {
			burst = min(2*n, probeBurst)
			continue
		}
		burst = 1
		pause(p.step - time.Since(start))
	}
}

// ask asks for zones and returns those that are not served.
func (p *probe) ask(zones []int, serial uint32) (missing []int, err error) {
	for _, zone := range zones {
		p.open[zone] = true
		_, _ = p.conn.Write(p.queries[zone]) // refused as long as nobody listens
	}
	end := time.Now().Add(probePatience)
	for left := len(zones); left > 0; {
		size, err := receive(p.conn, p.answer[:], end)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return p.renew(zones, missing)
		}
		if err != nil {
			continue // the write was refused
		}
		zone, served := servedZone(p.answer[:size], serial)
		if zone < 0 || zone >= len(p.open) || !p.open[zone] {
			continue // it answers what was asked before
		}
		p.open[zone] = false
		left--
		if !served {
			missing = append(missing, zone)
		}
	}
	return missing, nil
}

// renew takes another socket when answers are late: they must not be taken for those
// to later questions. It returns those of the zones that were not answered, beside
// the missing ones.
func (p *probe) renew(zones, missing []int) ([]int, error) {
	for _, zone := range zones {
		if p.open[zone] {
			p.open[zone] = false
			missing = append(missing, zone)
		}
	}
	p.close()
	return missing, p.dial()
}

// probes ask for any number of zones, as many as one probe can tell apart at a
// time.
type probes []*probe

// newProbes are probes that look every step.
func newProbes(t *testing.T, addr netip.AddrPort, zones []string, step time.Duration) probes {
	t.Helper()
	var ps probes
	for some := range slices.Chunk(zones, maxZones) {
		p := newProbe(t, addr, some)
		p.step = step
		ps = append(ps, p)
	}
	return ps
}

func (ps probes) wait(t *testing.T, serial uint32, limit time.Duration) {
	t.Helper()
	for _, p := range ps {
		p.wait(t, serial, limit)
	}
}

func (ps probes) close() {
	for _, p := range ps {
		p.close()
	}
}

// servedZone returns which zone a message is about, negative if it can't be told,
// and whether it answers with authority and that serial.
func servedZone(msg []byte, serial uint32) (id int, served bool) {
	h, ok := wire.ParseHeader(msg)
	if !ok {
		return -1, false
	}
	id = int(h.ID)
	if h.Rcode() != 0 || h.Flags&wire.FlagAA == 0 || h.QD != 1 || h.AN != 1 {
		return id, false
	}
	var r wire.Reader
	r.Reset(msg)
	if _, err := r.Question(); err != nil {
		return id, false
	}
	rr, err := r.RR()
	if err != nil || rr.Type != wire.TypeSOA || rr.Size < 20 {
		return id, false
	}
	numbers := msg[rr.Data+rr.Size-20:] // behind the names, which may be compressed
	return id, binary.BigEndian.Uint32(numbers) == serial
}
