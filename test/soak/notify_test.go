package soak

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// notice is one NOTIFY and the answers that are right.
type notice struct {
	msg    *dns.Msg
	raw    []byte
	mac    string // of the request in hexadecimal, if it is signed
	key    *harness.Key
	rcodes []int
}

// notify sends NOTIFY in bursts. An answer may be missing: who is refused too
// often gets none.
func (s *soak) notify(ctx context.Context, from netip.Addr) {
	for ctx.Err() == nil {
		conn := s.dialUDP(ctx, from)
		if conn == nil {
			return
		}
		for range 100 {
			if !rest(ctx, s.scale.notifyPause) {
				break
			}
			if !s.notifyBurst(conn, from) {
				break // late answers must not meet new messages
			}
		}
		_ = conn.Close()
	}
}

// notifyBurst reports whether every message was answered.
func (s *soak) notifyBurst(conn net.Conn, from netip.Addr) bool {
	const size = 16
	sent := make(map[uint16]*notice, size)
	first := uint16(rand.Uint32())
	for i := range uint16(size) {
		n, err := s.notice(first+i, from)
		if err != nil {
			s.faults.add("NOTIFY: %v", err)
			return false
		}
		sent[n.msg.Id] = n
		_, _ = conn.Write(n.raw) // one that is lost is not answered
	}
	s.counts.notifies.Add(size)
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		s.faults.add("UDP socket: %v", err)
	}
	buf := make([]byte, 65535)
	for len(sent) > 0 {
		size, err := conn.Read(buf)
		if err != nil {
			return false
		}
		id := binary.BigEndian.Uint16(buf[:max(size, 2)])
		n := sent[id]
		delete(sent, id)
		if err := n.check(buf[:size]); err != nil {
			s.faults.add("NOTIFY from %s: %v", from, err)
		}
	}
	return true
}

// notice makes a random NOTIFY.
func (s *soak) notice(id uint16, from netip.Addr) (*notice, error) {
	z := s.zones[rand.IntN(len(s.zones))]
	n := &notice{msg: new(dns.Msg).SetNotify(z.name), rcodes: []int{dns.RcodeSuccess}}
	n.msg.Id = id
	if rand.IntN(2) == 0 {
		soa := &dns.SOA{Hdr: dns.RR_Header{Name: z.name, Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: z.name, Mbox: z.name, Serial: z.latest.Load()}
		n.msg.Answer = []dns.RR{soa}
	}
	switch kind := rand.IntN(10); {
	case kind == 0:
		n.key, n.rcodes = &wrongKey, []int{dns.RcodeNotAuth}
	case kind == 1:
		n.key, n.rcodes = &unknownKey, []int{dns.RcodeNotAuth}
	case kind == 2:
		n.msg.Question[0].Name, n.rcodes = "elsewhere.example.", []int{dns.RcodeNotAuth}
	case kind < 6:
		n.key = &goodKey
	case from != s.primary.Addr().Addr():
		n.rcodes = []int{dns.RcodeRefused}
	}
	if !z.stable {
		n.rcodes = append(n.rcodes, dns.RcodeNotAuth, dns.RcodeRefused)
	}
	return n, n.pack()
}

func (n *notice) pack() (err error) {
	if n.key == nil {
		n.raw, err = n.msg.Pack()
		return err
	}
	n.msg.SetTsig(n.key.Name, n.key.Algorithm, 300, time.Now().Unix())
	n.raw, n.mac, err = dns.TsigGenerate(n.msg, n.key.Secret, "", false)
	return err
}

func (n *notice) check(raw []byte) error {
	if n == nil {
		return fmt.Errorf("an answer to nothing: %x", raw)
	}
	m := new(dns.Msg)
	if err := m.Unpack(raw); err != nil {
		return err
	}
	if !m.Response || m.Opcode != dns.OpcodeNotify || !slices.Contains(n.rcodes, m.Rcode) {
		return fmt.Errorf("got\n%v\nwant rcode %v to\n%v", m, n.rcodes, n.msg)
	}
	if n.key == nil || m.Rcode != dns.RcodeSuccess {
		return nil
	}
	if err := dns.TsigVerify(raw, n.key.Secret, n.mac, false); err != nil {
		return fmt.Errorf("the answer does not verify: %w\n%v", err, m)
	}
	return nil
}
