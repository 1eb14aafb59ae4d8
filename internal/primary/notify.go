package primary

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// A NOTIFY that gets no answer is sent again after a second, then after twice
// the time before, five times in all (RFC 1996 section 3.6).
const (
	notifyWait  = time.Second
	notifyTries = 5
)

var errNoAnswer = errors.New("no answer")

// Notify tells the servers at these addresses (host:port) of the zone's serial,
// one after the other, and waits for their answers. NOTIFY is signed when the
// zone has a key. The errors of all addresses are joined; an answer other than
// NOERROR is one.
func (s *Server) Notify(ctx context.Context, zone string, addresses ...string) error {
	c := s.content(zone)
	if c == nil {
		return fmt.Errorf("notify %s: %w", zone, errNoZone)
	}
	var all error
	for _, address := range addresses {
		if err := s.notifyOne(ctx, c, address); err != nil {
			all = errors.Join(all, fmt.Errorf("notify %s of %s: %w", address, c.name, err))
		}
	}
	return all
}

func (s *Server) notifyOne(ctx context.Context, c *content, address string) error {
	m := new(dns.Msg).SetNotify(c.name)
	m.Answer = []dns.RR{c.soa} // a hint (RFC 1996 section 3.7)
	msg, err := m.Pack()
	if err != nil {
		return err
	}
	var sign *signer
	if c.key != "" {
		sign = &signer{key: s.keys[c.key]}
		if msg, err = sign.sign(msg); err != nil {
			return err
		}
	}
	conn, err := s.dialNotify(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	answer, err := retry(conn, msg, m, sign)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if answer.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("answered %s", dns.RcodeToString[answer.Rcode])
	}
	return nil
}

// dialNotify sends from the address that the server listens on, by which the
// other side knows its peer.
func (s *Server) dialNotify(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	if ip := s.Addr().Addr(); !ip.IsUnspecified() {
		dialer.LocalAddr = &net.UDPAddr{IP: ip.AsSlice(), Zone: ip.Zone()}
	}
	return dialer.DialContext(ctx, "udp", address)
}

// retry sends msg until a matching answer comes.
func retry(conn net.Conn, msg []byte, m *dns.Msg, sign *signer) (*dns.Msg, error) {
	wait := notifyWait
	for range notifyTries {
		if _, err := conn.Write(msg); err != nil {
			return nil, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		answer, err := readAnswer(conn, m, sign)
		if err == nil {
			return answer, nil
		}
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
			return nil, err
		}
		wait *= 2
	}
	return nil, fmt.Errorf("%w after %d tries", errNoAnswer, notifyTries)
}

// readAnswer passes over everything that is not the answer to m.
func readAnswer(conn net.Conn, m *dns.Msg, sign *signer) (*dns.Msg, error) {
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		answer := new(dns.Msg)
		if answer.Unpack(buf[:n]) != nil || !answers(answer, m) {
			continue
		}
		if sign == nil || answer.Rcode == dns.RcodeNotAuth {
			return answer, nil
		}
		if err := dns.TsigVerify(buf[:n], sign.key.Secret, hex.EncodeToString(sign.prior), false); err != nil {
			continue // not from one who has the key
		}
		return answer, nil
	}
}

func answers(answer, m *dns.Msg) bool {
	return answer.Response && answer.Id == m.Id && answer.Opcode == m.Opcode &&
		slices.EqualFunc(answer.Question, m.Question, func(a, b dns.Question) bool {
			return dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
		})
}
