package primary

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

const zoneText = `
$TTL 300
@     SOA ns1 admin 7 3600 600 86400 60
@     NS  ns1
ns1   A   192.0.2.1
www   A   192.0.2.2
www   A   192.0.2.3
a.b   TXT "below an empty non-terminal"
alias CNAME www
`

var (
	key   = Key{Name: "Transfer.example.", Algorithm: dns.HmacSHA256, Secret: "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="}
	other = Key{Name: "other.example.", Algorithm: dns.HmacSHA512, Secret: "YW5vdGhlciBzZWNyZXQ="}
)

// start runs a server of example.test until the test ends.
func start(t *testing.T, keyName string) *Server {
	t.Helper()
	records, err := Parse("example.test", zoneText)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{
		Listen: "127.0.0.1:0",
		Zones:  []Zone{{Name: "Example.Test", Records: records, Key: keyName}},
		Keys:   []Key{key, other},
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	return s
}

// run runs a server until the test ends.
func run(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func ask(t *testing.T, s *Server, network, name string, qtype uint16) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: 5 * time.Second}
	m := new(dns.Msg).SetQuestion(name, qtype)
	answer, _, err := c.Exchange(m, s.Addr().String())
	if err != nil {
		t.Fatalf("%s %s by %s: %v", name, dns.TypeToString[qtype], network, err)
	}
	return answer
}

// axfr transfers with the library's client and returns the records and the count
// of messages.
func axfr(s *Server, with *Key) ([]dns.RR, int, error) {
	m := new(dns.Msg).SetAxfr("example.test.")
	tr := &dns.Transfer{DialTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second}
	if with != nil {
		name := dns.CanonicalName(with.Name)
		tr.TsigSecret = map[string]string{name: with.Secret}
		m.SetTsig(name, with.Algorithm, 300, time.Now().Unix())
	}
	envelopes, err := tr.In(m, s.Addr().String())
	if err != nil {
		return nil, 0, err
	}
	var records []dns.RR
	messages := 0
	for e := range envelopes {
		messages++
		records = append(records, e.RR...)
		err = e.Error
	}
	return records, messages, err
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for _, tt := range []struct {
		name                 string
		qtype                uint16
		rcode, answer, authy int
	}{
		{"example.test.", dns.TypeSOA, dns.RcodeSuccess, 1, 0},
		{"WWW.example.test.", dns.TypeA, dns.RcodeSuccess, 2, 0},
		{"alias.example.test.", dns.TypeA, dns.RcodeSuccess, 1, 0},
		{"www.example.test.", dns.TypeAAAA, dns.RcodeSuccess, 0, 1},
		{"b.example.test.", dns.TypeA, dns.RcodeSuccess, 0, 1},
		{"none.example.test.", dns.TypeA, dns.RcodeNameError, 0, 1},
		{"example.org.", dns.TypeA, dns.RcodeRefused, 0, 0},
	} {
		for _, network := range []string{"udp", "tcp"} {
			m := ask(t, s, network, tt.name, tt.qtype)
			if m.Rcode != tt.rcode || len(m.Answer) != tt.answer || len(m.Ns) != tt.authy {
				t.Errorf("%s %s: got %v, want rcode %d, %d answers, %d in authority",
					tt.name, dns.TypeToString[tt.qtype], m, tt.rcode, tt.answer, tt.authy)
			}
		}
	}
}

func TestNegativeTTL(t *testing.T) {
	t.Parallel()
	m := ask(t, start(t, ""), "udp", "none.example.test.", dns.TypeA)
	if got := m.Ns[0].Header().Ttl; got != 60 {
		t.Errorf("got SOA TTL %d, want the MINIMUM 60", got)
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	for _, with := range []*Key{nil, &key} {
		name := ""
		if with != nil {
			name = with.Name
		}
		s := start(t, name)
		_, err := s.Update("example.test", func(records []dns.RR) []dns.RR {
			for i := range 2000 {
				records = append(records, must(dns.NewRR(fmt.Sprintf("h%d.example.test. 5 TXT %040d", i, i))))
			}
			return records
		})
		if err != nil {
			t.Fatal(err)
		}
		records, messages, err := axfr(s, with)
		if err != nil {
			t.Fatalf("key %q: %v", name, err)
		}
		if len(records) != 2008 || messages < 2 || messages > 20 {
			t.Errorf("key %q: got %d records in %d messages", name, len(records), messages)
		}
	}
}

func TestTransferNeedsItsKey(t *testing.T) {
	t.Parallel()
	s := start(t, key.Name)
	wrong := key
	wrong.Secret = other.Secret
	for name, with := range map[string]*Key{"none": nil, "other": &other, "wrong secret": &wrong} {
		if records, _, err := axfr(s, with); err == nil {
			t.Errorf("%s: got %d records, want an error", name, len(records))
		}
	}
}

func TestUpdateBumpsSerial(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	set := func(serial uint32) func([]dns.RR) []dns.RR {
		return func(records []dns.RR) []dns.RR {
			records[0].(*dns.SOA).Serial = serial
			return records
		}
	}
	same := func(records []dns.RR) []dns.RR { return records }
	for _, step := range []struct {
		change func([]dns.RR) []dns.RR
		want   uint32
	}{{same, 8}, {set(4294967295), 4294967295}, {same, 0}, {same, 1}} {
		got, err := s.Update("example.test.", step.change)
		if err != nil || got != step.want {
			t.Fatalf("got serial %d and %v, want %d", got, err, step.want)
		}
		if served := ask(t, s, "udp", "example.test.", dns.TypeSOA).Answer[0].(*dns.SOA).Serial; served != step.want {
			t.Errorf("served serial %d, want %d", served, step.want)
		}
	}
	_, err := s.Update("example.test.", func(records []dns.RR) []dns.RR { return records[1:] })
	if err == nil {
		t.Error("a zone without SOA was taken")
	}
	if _, err := s.Update("example.org.", same); err == nil {
		t.Error("an unknown zone was updated")
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	ask(t, s, "udp", "example.test.", dns.TypeSOA)
	ask(t, s, "tcp", "example.test.", dns.TypeSOA)
	if soa, axfr := s.Seen("example.test", dns.TypeSOA), s.Seen("example.test", dns.TypeAXFR); soa != 2 || axfr != 0 {
		t.Errorf("got %d SOA and %d AXFR, want 2 and 0", soa, axfr)
	}
}

// TestNotify drops the first NOTIFY, so that it must be sent again.
func TestNotify(t *testing.T) {
	t.Parallel()
	for _, keyName := range []string{"", key.Name} {
		s := start(t, keyName)
		receiver, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer receiver.Close()
		done := make(chan error)
		go func() { done <- s.Notify(t.Context(), "example.test", receiver.LocalAddr().String()) }()
		buf := make([]byte, 1500)
		var first []byte
		for len(first) == 0 {
			n, _, err := receiver.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			first = slices.Clone(buf[:n])
		}
		n, from, err := receiver.ReadFrom(buf)
		if err != nil || string(buf[:n]) != string(first) {
			t.Fatalf("second NOTIFY: %v, or other than the first", err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(first); err != nil {
			t.Fatal(err)
		}
		if m.Opcode != dns.OpcodeNotify || m.Answer[0].(*dns.SOA).Serial != 7 || (m.IsTsig() != nil) != (keyName != "") {
			t.Errorf("key %q: NOTIFY is %v", keyName, m)
		}
		answer := new(dns.Msg).SetReply(m)
		msg := must(answer.Pack())
		if tsig := m.IsTsig(); tsig != nil {
			if err := dns.TsigVerify(slices.Clone(first), key.Secret, "", false); err != nil {
				t.Errorf("NOTIFY: %v", err)
			}
			answer.SetTsig(dns.CanonicalName(key.Name), key.Algorithm, 300, time.Now().Unix())
			if msg, _, err = dns.TsigGenerate(answer, key.Secret, tsig.MAC, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := receiver.WriteTo(msg, from); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("key %q: %v", keyName, err)
		}
	}
}

func TestNotifyRefused(t *testing.T) {
	t.Parallel()
	s, receiver := start(t, ""), start(t, "") // a primary takes no NOTIFY
	err := s.Notify(t.Context(), "example.test", receiver.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "NOTIMP") {
		t.Errorf("got %v, want NOTIMP", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	soa := must(dns.NewRR("example.test. 1 SOA a. b. 1 1 1 1 1"))
	for name, o := range map[string]Options{
		"no SOA":       {Zones: []Zone{{Name: "example.test"}}},
		"two SOA":      {Zones: []Zone{{Name: "example.test", Records: []dns.RR{soa, soa}}}},
		"outside":      {Zones: []Zone{{Name: "a.example.test", Records: []dns.RR{soa}}}},
		"unknown key":  {Zones: []Zone{{Name: "example.test", Records: []dns.RR{soa}, Key: "k."}}},
		"algorithm":    {Keys: []Key{{Name: "k.", Algorithm: "hmac-md5.", Secret: ""}}},
		"secret":       {Keys: []Key{{Name: "k.", Algorithm: dns.HmacSHA1, Secret: "?"}}},
		"taken":        {Listen: start(t, "").Addr().String()},
		"bad address":  {Listen: "127.0.0.1"},
		"no such host": {Listen: "192.0.2.1:0"},
	} {
		if o.Listen == "" {
			o.Listen = "127.0.0.1:0"
		}
		if s, err := New(o); err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// signed counts the signed messages of an AXFR and verifies each of them, with
// the unsigned ones between.
func signed(t *testing.T, s *Server) (total, signed int, err error) {
	t.Helper()
	m := new(dns.Msg).SetAxfr("example.test.")
	m.SetTsig(dns.CanonicalName(key.Name), key.Algorithm, 300, time.Now().Unix())
	request, mac, err := dns.TsigGenerate(m, key.Secret, "", false)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dns.DialTimeout("tcp", s.Addr().String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var skipped []byte
	for soas := 0; soas < 2; total++ {
		msg, err := conn.ReadMsgHeader(nil)
		if err != nil {
			return total, signed, err
		}
		answer := new(dns.Msg)
		if err := answer.Unpack(msg); err != nil {
			return total, signed, err
		}
		for _, rr := range answer.Answer {
			if rr.Header().Rrtype == dns.TypeSOA {
				soas++
			}
		}
		tsig := answer.IsTsig()
		if tsig == nil {
			skipped = append(skipped, msg...)
			continue
		}
		if err := dns.TsigVerifyWithProvider(msg, inserting{key, skipped}, mac, signed > 0); err != nil {
			return total, signed, err
		}
		signed++
		mac, skipped = tsig.MAC, nil
	}
	return total, signed, nil
}

// inserting verifies with octets put behind the prior MAC, which the library
// cannot do by itself.
type inserting struct {
	key     Key
	skipped []byte
}

func (i inserting) Generate([]byte, *dns.TSIG) ([]byte, error) { return nil, io.ErrUnexpectedEOF }

func (i inserting) Verify(msg []byte, t *dns.TSIG) error {
	prior := 2 + int(msg[0])<<8 + int(msg[1])
	sign := signer{key: i.key}
	h := sign.hash()
	h.Write(msg[:prior])
	h.Write(i.skipped)
	h.Write(msg[prior:])
	if hex.EncodeToString(h.Sum(nil)) != t.MAC {
		return dns.ErrSig
	}
	return nil
}

func TestSignedEvery(t *testing.T) {
	t.Parallel()
	s := start(t, key.Name)
	for n, want := range map[int]int{0: 8, 1: 5, 2: 4, 99: 2} {
		s.Script(On(dns.TypeAXFR, SignedEvery(n)))
		total, signed, err := signed(t, s)
		if err != nil || total != 8 || signed != want {
			t.Errorf("n=%d: got %d of %d signed and %v, want %d of 8", n, signed, total, err, want)
		}
	}
	s.Script(LastUnsigned)
	if total, signed, err := signed(t, s); err != nil || total != 8 || signed != 7 {
		t.Errorf("last unsigned: got %d of %d signed and %v", signed, total, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestParse(t *testing.T) {
	t.Parallel()
	if _, err := Parse("example.test", "www A 192.0.2.300"); err == nil {
		t.Error("a bad address was taken")
	}
	records, err := Parse("example.test", "www A 192.0.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("www.example.test.\t3600\tIN\tA\t192.0.2.3", records[0].String()); diff != "" {
		t.Error(diff)
	}
}
