package nameserver

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// TestRefusals: what is answered with nothing but a response code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	question := func(flags uint16, class uint16) []byte {
		m := packed(t, "www.example.org A")
		binary.BigEndian.PutUint16(m[2:], flags)
		binary.BigEndian.PutUint16(m[len(m)-2:], class)
		return m
	}
	asking := func(qtype uint16) []byte {
		m := question(0, wire.ClassIN)
		binary.BigEndian.PutUint16(m[len(m)-4:], qtype)
		return m
	}
	plain := func() []byte { return question(0, wire.ClassIN) }
	for _, tc := range []struct {
		name      string
		query     []byte
		transport Transport
		rcode     int
		question  bool // echoed
	}{
		{"header alone", setCount(plain()[:12], questionSection, 0), UDP, rcodeFormErr, false},
		{"header that claims a question", plain()[:12], UDP, rcodeFormErr, false},
		{"half a question", plain()[:20], UDP, rcodeFormErr, false},
		{"no question", setCount(plain(), questionSection, 0), UDP, rcodeFormErr, false},
		{"no question, but OPT", append([]byte(bareHeader), optRecord()...), UDP, rcodeFormErr, false},
		{"no question, but a record behind", append([]byte(bareHeader), "\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00"...), UDP, rcodeFormErr, false},
		{"two questions", setCount(plain(), questionSection, 2), UDP, rcodeFormErr, false},
		{"missing additional record", setCount(plain(), additionalSection, 1), UDP, rcodeFormErr, false},
		{"65535 missing records", setCount(plain(), answerSection, 65535), UDP, rcodeFormErr, false},
		{"pointer as question", append(plain()[:12], 0xC0, 0, 0, 1, 0, 1), UDP, rcodeFormErr, false},
		{"pointer to itself", append(plain()[:12], 0xC0, 12, 0, 1, 0, 1), UDP, rcodeFormErr, false},
		{"label of a reserved kind", append(plain()[:12], 0x40, 0, 0, 1, 0, 1), UDP, rcodeFormErr, false},
		{"octets behind the message", append(plain(), 1, 2, 3), UDP, rcodeNoError, true},
		{"RD, CD and AD set", question(wire.FlagRD|wire.FlagCD|wire.FlagAD|wire.FlagRA|1<<6, 1), UDP, rcodeNoError, true},
		{"AA and TC set", question(wire.FlagAA|wire.FlagTC, 1), UDP, rcodeNoError, true},
		{"response code set", question(11, 1), UDP, rcodeNoError, true},
		{"opcode IQUERY", question(1<<11, 1), UDP, rcodeNotImp, true},
		{"opcode UPDATE", question(5<<11, 1), UDP, rcodeNotImp, true},
		{"opcode 15", question(15<<11, 1), TCP, rcodeNotImp, true},
		{"opcode 15 and half a question", question(15<<11, 1)[:20], TCP, rcodeNotImp, false},
		{"opcode 3 and no question", setCount(question(3<<11, 1)[:12], questionSection, 0), UDP, rcodeNotImp, false},
		{"type 0", asking(0), UDP, rcodeNoError, true},
		{"type OPT", asking(wire.TypeOPT), UDP, rcodeNoError, true},
		{"type TKEY", asking(wire.TypeTKEY), UDP, rcodeNoError, true},
		{"type 65535", asking(65535), UDP, rcodeNoError, true},
		{"class 0", question(0, 0), UDP, rcodeRefused, true},
		{"class 65535", question(0, 65535), UDP, rcodeRefused, true},
		{"class ANY", question(0, wire.ClassANY), UDP, rcodeRefused, true},
		{"class HS", question(0, 4), UDP, rcodeRefused, true},
		{"class NONE", question(0, wire.ClassNONE), UDP, rcodeRefused, true},
		{"AXFR over UDP", packed(t, "example.org AXFR"), UDP, rcodeNotImp, true},
		{"IXFR over UDP", packed(t, "example.org IXFR"), UDP, rcodeNotImp, true},
		{"AXFR over TCP", packed(t, "example.org AXFR"), TCP, rcodeRefused, true},
		{"IXFR over TCP", packed(t, "example.org IXFR"), TCP, rcodeRefused, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := exchange(t, r, tc.query, tc.transport)
			if got.Rcode != tc.rcode || (len(got.Question) == 1) != tc.question {
				t.Errorf("got %s and %d questions, want %s, question %v",
					dns.RcodeToString[got.Rcode], len(got.Question), dns.RcodeToString[tc.rcode], tc.question)
			}
			if got.Authoritative != (tc.rcode == rcodeNoError) || got.Truncated {
				t.Errorf("AA %v, TC %v", got.Authoritative, got.Truncated)
			}
			if tc.rcode != rcodeNoError && len(got.Answer)+len(got.Ns)+len(withoutOPT(got.Extra)) > 0 {
				t.Errorf("records in a refusal: %v", got)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	answer := packed(t, "www.example.org A")
	answer[2] |= 0x80
	notify := packed(t, "example.org SOA")
	notify[2] = 0x80 | wire.OpcodeNotify<<3
	for name, msg := range map[string][]byte{
		"nothing": nil, "less than a header": answer[:11], "an answer": answer,
		"an answer's header": answer[:12], "an answer to NOTIFY": notify,
	} {
		if got := r.answer(msg, by(UDP), make([]byte, 512)); got != nil {
			t.Errorf("%s: got an answer %x", name, got)
		}
	}
}

// withAdditional returns a query with the given records as its additional section.
func withAdditional(t testing.TB, question string, records ...string) []byte {
	t.Helper()
	m := setCount(packed(t, question), additionalSection, uint16(len(records)))
	return append(m, strings.Join(records, "")...)
}

func TestEDNS(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	const (
		opt      = "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
		optDO    = "\x00\x00\x29\x10\x00\x00\x00\x80\x00\x00\x00"
		zFlags   = "\x00\x00\x29\x10\x00\x00\x00\x7F\xFF\x00\x00"
		version1 = "\x00\x00\x29\x10\x00\x00\x01\x00\x00\x00\x00"
		owned    = "\x01a\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
		unknown  = "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x08\xFF\x01\x00\x00\xFF\x02\x00\x00"
		overrun  = "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x04\xFF\x01\x00\x01"
		stub     = "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x03\xFF\x01\x00"
		a        = "\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04"
	)
	for _, tc := range []struct {
		name    string
		records []string
		rcode   int
		opt     bool
		do      bool
	}{
		{"none", nil, dns.RcodeSuccess, false, false},
		{"plain", []string{opt}, dns.RcodeSuccess, true, false},
		{"DO", []string{optDO}, dns.RcodeSuccess, true, true},
		{"other flags", []string{zFlags}, dns.RcodeSuccess, true, false},
		{"version 1", []string{version1}, dns.RcodeBadVers, true, false},
		{"version 255 with options", []string{"\x00\x00\x29\x10\x00\x00\xFF\x00\x00\x00\x04" + askNSID}, dns.RcodeBadVers, true, false},
		{"version 1 with half an option", []string{"\x00\x00\x29\x10\x00\x00\x01\x00\x00\x00\x03\xFF\x01\x00"}, dns.RcodeFormatError, true, false},
		{"size 0", []string{"\x00\x00\x29\x00\x00\x00\x00\x00\x00\x00\x00"}, dns.RcodeSuccess, true, false},
		{"two", []string{opt, optDO}, dns.RcodeFormatError, true, false},
		{"owner not the root", []string{owned}, dns.RcodeFormatError, true, false},
		{"unknown options", []string{unknown}, dns.RcodeSuccess, true, false},
		{"option runs past the end", []string{overrun}, dns.RcodeFormatError, true, false},
		{"half an option", []string{stub}, dns.RcodeFormatError, true, false},
		{"behind another record", []string{a, opt}, dns.RcodeSuccess, true, false},
		{"before another record", []string{opt, a}, dns.RcodeSuccess, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := exchange(t, r, withAdditional(t, "www.example.org A", tc.records...), UDP)
			opt := got.IsEdns0()
			if got.Rcode != tc.rcode || (opt != nil) != tc.opt {
				t.Fatalf("got %s, OPT %v; want %s, OPT %v", dns.RcodeToString[got.Rcode], opt, dns.RcodeToString[tc.rcode], tc.opt)
			}
			if (len(got.Answer) == 2) != (tc.rcode == dns.RcodeSuccess) || got.Authoritative != (tc.rcode == dns.RcodeSuccess) {
				t.Errorf("got %d answers, AA %v", len(got.Answer), got.Authoritative)
			}
			if opt == nil {
				return
			}
			if opt.UDPSize() != 1232 || opt.Version() != 0 || opt.Do() != tc.do || len(opt.Option) != 0 || opt.Hdr.Ttl&0x7FFF != 0 {
				t.Errorf("got %v, want size 1232, version 0, DO %v, nothing else", opt, tc.do)
			}
		})
	}
}

func TestExtendedErrors(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	for _, tc := range []struct {
		question  string
		transport Transport
		qtype     uint16
		rcode     int
		code      int
	}{
		{"example.org", TCP, dns.TypeAXFR, rcodeRefused, 18},
		{"example.org", UDP, typeNXNAME, rcodeFormErr, 30},
		{"example.net", UDP, dns.TypeA, rcodeRefused, 20},
	} {
		m := new(dns.Msg).SetQuestion(tc.question+".", tc.qtype)
		for _, edns := range []bool{false, true} {
			if edns {
				m.SetEdns0(512, false)
			}
			query, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			got := exchange(t, r, query, tc.transport)
			want := -1 // without OPT there is nowhere to say it
			if edns {
				want = tc.code
			}
			if codes := extendedCodes(got); got.Rcode != tc.rcode || len(codes) != 1 || codes[0] != want {
				t.Errorf("%s type %d: got %s and %v, want %s and %d", tc.question, tc.qtype,
					dns.RcodeToString[got.Rcode], codes, dns.RcodeToString[tc.rcode], want)
			}
		}
	}
}

func TestChaos(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	named, nameless := testResponder(store), testResponder(store)
	named.identity = "ns1 in a rack"
	for _, tc := range []struct {
		responder *responder
		name      string
		qtype     uint16
		want      string
	}{
		{named, "id.server.", dns.TypeTXT, "ns1 in a rack"},
		{named, "HostName.Bind.", dns.TypeTXT, "ns1 in a rack"},
		{named, "id.server.", dns.TypeANY, "ns1 in a rack"},
		{named, "id.server.", dns.TypeA, ""},
		{named, "version.bind.", dns.TypeTXT, ""},
		{named, "example.org.", dns.TypeSOA, ""},
		{nameless, "id.server.", dns.TypeTXT, ""},
	} {
		m := new(dns.Msg).SetQuestion(tc.name, tc.qtype)
		m.Question[0].Qclass = dns.ClassCHAOS
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := exchange(t, tc.responder, query, UDP)
		if tc.want == "" {
			if got.Rcode != dns.RcodeRefused || len(got.Answer) > 0 {
				t.Errorf("%s: got %v, want REFUSED", tc.name, got)
			}
			continue
		}
		if len(got.Answer) != 1 || !got.Authoritative {
			t.Fatalf("%s: got %v", tc.name, got)
		}
		txt := got.Answer[0].(*dns.TXT)
		if txt.Txt[0] != tc.want || txt.Hdr.Class != dns.ClassCHAOS || txt.Hdr.Ttl != 0 {
			t.Errorf("%s: got %v, want %q", tc.name, txt, tc.want)
		}
	}
}

// A query with a signature can't be verified by anybody: there are no keys for queries.
func TestSignedQuery(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg))
	key := testKey(t)
	query, _ := key.Sign(packed(t, "www.example.org A edns"), nil, testNow)
	got := exchange(t, r, query, UDP)
	rec := got.IsTsig()
	if got.Rcode != dns.RcodeNotAuth || rec == nil || rec.Error != dns.RcodeBadKey || rec.MACSize != 0 || len(got.Answer) > 0 {
		t.Errorf("got %v, want NOTAUTH with BADKEY", got)
	}
	misplaced := setCount(append(query, "\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04"...), additionalSection, 3)
	if got := exchange(t, r, misplaced, UDP); got.Rcode != dns.RcodeFormatError {
		t.Errorf("TSIG not last: got %v, want FORMERR", got)
	}
}
