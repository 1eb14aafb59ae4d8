package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	scripted "secondaryd/internal/primary"
)

// many is a primary of any number of zones that differ in nothing but their
// names, which are of one length. An answer is a packed message with the name in
// its question replaced: all other names in it point there.
type many struct {
	*scripted.Server
	octets    int // of a zone's records as they are in messages, not compressed
	name      []byte
	templates map[uint16][]byte

	mu    sync.Mutex // guards the field below
	asked seen
}

// seen is when a primary was asked for what.
type seen struct {
	polls     []time.Time
	transfers []time.Time
}

// startMany starts the primary of the small zones.
func startMany(t *testing.T) *many {
	t.Helper()
	model := smallNames(1)[0]
	records, err := scripted.Parse(model, small)
	if err != nil {
		t.Fatal(err)
	}
	m := &many{name: packedName(t, model), templates: map[uint16][]byte{}}
	for _, rr := range records {
		m.octets += dns.Len(rr)
	}
	soa := records[0]
	m.templates[dns.TypeSOA] = m.template(t, model, dns.TypeSOA, soa)
	m.templates[dns.TypeAXFR] = m.template(t, model, dns.TypeAXFR, append(slices.Clone(records), soa)...)
	if m.Server, err = scripted.New(scripted.Options{Listen: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	m.Script(m.answer)
	runServer(t, m.Server)
	return m
}

// runServer runs a primary until the test ends.
func runServer(t *testing.T, s *scripted.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func packedName(t *testing.T, name string) []byte {
	t.Helper()
	buf := make([]byte, 256)
	n, err := dns.PackDomainName(name, buf, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// template packs an answer about the zone that all others are like.
func (m *many) template(t *testing.T, zone string, qtype uint16, answer ...dns.RR) []byte {
	t.Helper()
	reply := new(dns.Msg).SetQuestion(zone, qtype)
	reply.Response, reply.Authoritative, reply.RecursionDesired, reply.Compress = true, true, false, true
	reply.Answer = answer
	reply.SetEdns0(dns.DefaultMsgSize, false)
	msg, err := reply.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(msg, m.name); n != 1 {
		t.Fatalf("the name of the zone is %d times in an answer, so it can't be replaced", n)
	}
	return msg
}

// questionStart is where the name in a message's question begins.
const questionStart = 12

// answer implements scripted.Script.
func (m *many) answer(e *scripted.Exchange) error {
	q := e.Question()
	template, ok := m.templates[q.Qtype]
	name := make([]byte, len(m.name))
	n, err := dns.PackDomainName(q.Name, name, 0, nil, false)
	if !ok || err != nil || n != len(m.name) {
		return scripted.Rcode(dns.RcodeRefused)(e)
	}
	m.note(q.Qtype)
	msg := bytes.Clone(template)
	binary.BigEndian.PutUint16(msg, e.Request.Id)
	copy(msg[questionStart:], name)
	return e.Write(msg)
}

func (m *many) note(qtype uint16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if qtype == dns.TypeSOA {
		m.asked.polls = append(m.asked.polls, time.Now())
		return
	}
	m.asked.transfers = append(m.asked.transfers, time.Now())
}

// take returns what the primary was asked for since the last call.
func (m *many) take() seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.asked
	m.asked = seen{}
	return s
}

// polled counts the polls since take was called last.
func (m *many) polled() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked.polls)
}

// most is the greatest number of times, in order, that lie within one second.
func most(times []time.Time) int {
	greatest, first := 0, 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Second {
			first++
		}
		greatest = max(greatest, i-first+1)
	}
	return greatest
}
