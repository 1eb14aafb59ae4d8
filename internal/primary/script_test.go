package primary

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// raw sends an AXFR request and reads messages until the connection ends or
// falls silent.
func raw(t *testing.T, s *Server, with *Key) (messages []*dns.Msg, octets [][]byte, end error) {
	t.Helper()
	conn, err := dns.DialTimeout("tcp", s.Addr().String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m := new(dns.Msg).SetAxfr("example.test.")
	m.Id = 77
	if with != nil {
		conn.TsigSecret = map[string]string{dns.CanonicalName(with.Name): with.Secret}
		m.SetTsig(dns.CanonicalName(with.Name), with.Algorithm, 300, time.Now().Unix())
	}
	if err := conn.WriteMsg(m); err != nil {
		t.Fatal(err)
	}
	for {
		if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		msg, err := conn.ReadMsgHeader(nil)
		if err != nil {
			return messages, octets, err
		}
		m := new(dns.Msg)
		if err := m.Unpack(msg); err != nil {
			m = nil
		}
		messages, octets = append(messages, m), append(octets, msg)
	}
}

func silent(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func TestScripts(t *testing.T) {
	t.Parallel()
	soa := func(m *dns.Msg, i int) *dns.SOA {
		soa, _ := m.Answer[i].(*dns.SOA)
		return soa
	}
	older := func(soa *dns.SOA) { soa.Serial-- }
	for _, tt := range []struct {
		name   string
		script Script
		with   *Key
		right  func(messages []*dns.Msg, octets [][]byte, silent bool) bool
	}{
		{"honest", nil, nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool {
			return len(m) == 1 && len(m[0].Answer) == 8 && m[0].Authoritative && silent
		}},
		{"refused", Rcode(dns.RcodeRefused), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return m[0].Rcode == dns.RcodeRefused && len(m[0].Answer) == 0
		}},
		{"signed servfail", Rcode(dns.RcodeServerFailure), &key, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return m[0].Rcode == dns.RcodeServerFailure && m[0].IsTsig() != nil
		}},
		{"only SOA", On(dns.TypeSOA, Rcode(dns.RcodeRefused)), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m[0].Answer) == 8
		}},
		{"wrong zone", WrongZone("other.test"), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return soa(m[0], 0).Hdr.Name == "other.test." && soa(m[0], 7).Hdr.Name == "other.test."
		}},
		{"other question", OtherQuestion(dns.Question{Name: "other.test.", Qtype: 252, Qclass: 1}), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return m[0].Question[0].Name == "other.test." && len(m[0].Answer) == 8
		}},
		{"wrong ID", WrongID(), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool { return m[0].Id == 78 }},
		{"cut", CutAfter(3), nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool { return len(m) == 3 && !silent }},
		{"cut at once", CutAfter(0), nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool { return len(m) == 0 && !silent }},
		{"stall", StallAfter(3), nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool { return len(m) == 3 && silent }},
		{"silence", Silence, nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool { return len(m) == 0 && silent }},
		{"final SOA", FinalSOA(older), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return soa(m[0], 0).Serial == 7 && soa(m[0], 7).Serial == 6
		}},
		{"SOA in the middle", MidSOA(older), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m[0].Answer) == 9 && soa(m[0], 4).Serial == 6 && soa(m[0], 8).Serial == 7
		}},
		{"other records", With(func(r []dns.RR) []dns.RR { return append(r[:1], r[7]) }), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m[0].Answer) == 2
		}},
		{"one a message", OnePerMessage(), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m) == 8 && len(m[0].Question) == 1 && len(m[1].Question) == 0
		}},
		{"more announced", LyingCounts(2), nil, func(_ []*dns.Msg, o [][]byte, _ bool) bool { return o[0][7] == 10 }},
		{"fewer announced", LyingCounts(-2), nil, func(_ []*dns.Msg, o [][]byte, _ bool) bool { return o[0][7] == 6 }},
		{"another serial", WithSerial(9), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return soa(m[0], 0).Serial == 9 && soa(m[0], 7).Serial == 9
		}},
		{"each record", EachRecord(func(i, n int, m *dns.Msg) *dns.Msg { m.Truncated = i == n/2; return m }), nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m) == 8 && !m[3].Truncated && m[4].Truncated
		}},
		{"without end", Endless(3*batchOctets, func(zone string, _ int) dns.RR {
			return &dns.TXT{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{"more"}}
		}), nil, func(m []*dns.Msg, o [][]byte, silent bool) bool {
			return silent && soa(m[0], 0) != nil && soa(m[len(m)-1], len(m[len(m)-1].Answer)-1) == nil && len(slices.Concat(o...)) >= 3*batchOctets
		}},
		{"trickle", Trickle(time.Second), nil, func(m []*dns.Msg, _ [][]byte, silent bool) bool {
			return silent && len(m) == 1 && len(m[0].Answer) == 0
		}},
		{"octets", func(e *Exchange) error { return cmp.Or(e.Raw([]byte("\x00\x0dnot a message")), e.Cut()) }, nil, func(_ []*dns.Msg, o [][]byte, silent bool) bool {
			return !silent && len(o) == 1 && string(o[0]) == "not a message"
		}},
		{"pause", func(e *Exchange) error { return cmp.Or(e.Pause(10*time.Millisecond), Honest(e)) }, nil, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m[0].Answer) == 8
		}},
		{"trailing", Trailing(1, 2, 3), nil, func(_ []*dns.Msg, o [][]byte, _ bool) bool {
			return string(o[0][len(o[0])-3:]) == "\x01\x02\x03"
		}},
		{"unsigned", Unsigned, &key, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m[0].Answer) == 8 && m[0].IsTsig() == nil
		}},
		{"other key", SignedBy(other), &key, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return m[0].IsTsig().Hdr.Name == other.Name && len(m[0].Answer) == 8
		}},
		{"forged", Forged(func(i, _ int, msg []byte, t *dns.TSIG, attach Attach) ([]byte, error) {
			t.Fudge = uint16(i)
			return attach(msg, t)
		}), &key, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return len(m) == 8 && m[5].IsTsig().Fudge == 5 && len(m[5].Answer) == 1
		}},
		{"signed at another time", SignedAt(-time.Hour), &key, func(m []*dns.Msg, _ [][]byte, _ bool) bool {
			return time.Since(time.Unix(int64(m[0].IsTsig().TimeSigned), 0)) > 50*time.Minute
		}},
		{"BADKEY", TSIGError(dns.RcodeBadKey), &key, tsigError(17, 0, 0)},
		{"BADSIG", TSIGError(dns.RcodeBadSig), &key, tsigError(16, 0, 0)},
		{"BADTIME", TSIGError(dns.RcodeBadTime), &key, tsigError(18, 32, 6)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "")
			s.Script(tt.script)
			messages, octets, end := raw(t, s, tt.with)
			if !tt.right(messages, octets, silent(end)) {
				t.Errorf("got %d messages: %v, end: %v", len(messages), messages, end)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for range 3 {
		if _, err := s.Update("example.test.", func(records []dns.RR) []dns.RR { return records }); err != nil {
			t.Fatal(err)
		}
	}
	s.Script(Differences(func(steps []Difference) []Difference {
		steps[0].From = nil
		return slices.Delete(steps, 1, 2)
	}))
	for asked, want := range map[uint32]string{
		7:  "10 8 9 10 10", // without its first SOA, and without the step from 8 to 9
		10: "10",           // there is nothing to spoil
	} {
		m := new(dns.Msg).SetIxfr("example.test.", asked, ".", ".")
		answer, _, err := (&dns.Client{Net: "tcp"}).Exchange(m, s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var serials []string
		for _, rr := range answer.Answer {
			serials = append(serials, fmt.Sprint(rr.(*dns.SOA).Serial))
		}
		if got := strings.Join(serials, " "); got != want {
			t.Errorf("from %d: got the serials %s, want %s", asked, got, want)
		}
	}
}

func tsigError(code, mac, other uint16) func([]*dns.Msg, [][]byte, bool) bool {
	return func(m []*dns.Msg, _ [][]byte, _ bool) bool {
		tsig := m[0].IsTsig()
		return m[0].Rcode == dns.RcodeNotAuth && tsig != nil && tsig.Error == code && tsig.MACSize == mac && tsig.OtherLen == other
	}
}
