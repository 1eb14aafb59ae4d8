package nameserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// sizeZone has RRsets and delegations of many sizes.
func sizeZone() string {
	var b strings.Builder
	b.WriteString("$ORIGIN s.\n$TTL 60\n@ SOA ns admin 1 1 1 1 1\n")
	for _, n := range []int{1, 20, 40, 100, 1000} {
		for i := range n {
			fmt.Fprintf(&b, "a%d A 10.0.%d.%d\n", n, i/256, i%256)
			fmt.Fprintf(&b, "mx%d MX %d host%d.a-rather-long-name-of-a-mail-server\n", n, i, i)
			fmt.Fprintf(&b, "host%d.a-rather-long-name-of-a-mail-server A 10.0.%d.%d\n", i, i/256, i%256)
			fmt.Fprintf(&b, "out%d NS ns%d.elsewhere.net.\n", n, i)
			fmt.Fprintf(&b, "in%d NS ns%d.in%d\nns%d.in%d A 10.0.%d.%d\nns%d.in%d AAAA 2001:db8::%d\n", n, i, n, i, n, i/256, i%256, i, n, i)
			fmt.Fprintf(&b, "sib%d NS ns%d.in%d\n", n, i, n)
		}
		fmt.Fprintf(&b, "c%d CNAME a%d\n", n, n)
	}
	for i := range 300 {
		fmt.Fprintf(&b, "huge TXT \"%s%03d\"\n", strings.Repeat("x", 250), i)
	}
	b.WriteString("hugealias CNAME huge\n")
	return b.String()
}

func TestTruncation(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, sizeZone()))
	for _, tc := range []struct {
		question   string
		size       uint16 // of EDNS; 0 for none
		transport  Transport
		limit      int
		tc         bool
		counts     string // answer, authority, additional without OPT
		unfinished bool   // the additional section may be less than in counts
	}{
		{"a20.s A", 0, UDP, 512, false, "20 0 0", false},
		{"a40.s A", 0, UDP, 512, true, "0 0 0", false},
		{"a40.s A", 512, UDP, 512, true, "0 0 0", false},
		{"a40.s A", 0, TCP, wire.MaxMessage, false, "40 0 0", false},
		{"a40.s A", 1, UDP, 512, true, "0 0 0", false}, // less than 512 counts as 512
		{"a40.s A", 700, UDP, 700, false, "40 0 0", false},
		{"a100.s A", 65535, UDP, 1232, true, "0 0 0", false}, // ours is the most
		{"a1000.s A", 0, TCP, wire.MaxMessage, false, "1000 0 0", false},
		{"c40.s A", 0, UDP, 512, true, "1 0 0", false}, // whole RRsets that came before stay
		{"mx20.s MX", 4096, UDP, 1232, false, "20 0 20", false},
		{"mx20.s MX", 800, UDP, 800, false, "20 0 20", true}, // additional data is dropped in silence
		{"mx40.s MX", 0, UDP, 512, true, "0 0 0", false},
		{"mx100.s MX", 0, TCP, wire.MaxMessage, false, "100 0 32", false}, // and bounded
		{"x.out20.s A", 0, UDP, 512, false, "0 20 0", false},
		{"x.out100.s A", 0, UDP, 512, true, "0 0 0", false},
		{"x.in20.s A", 4096, UDP, 1232, false, "0 20 40", true}, // see TestGlueIsRequired
		{"x.in1000.s A", 0, TCP, wire.MaxMessage, false, "0 1000 2000", true},
		{"x.sib20.s A", 512, UDP, 512, false, "0 20 40", true}, // sibling glue is not required
	} {
		name := fmt.Sprintf("%s size %d transport %d", tc.question, tc.size, tc.transport)
		m, _ := parseQuestion(t, tc.question)
		if tc.size > 0 {
			m.SetEdns0(tc.size, false)
		}
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := exchange(t, r, query, tc.transport)
		out := r.answer(query, by(tc.transport), make([]byte, tc.limit))
		if len(out) > tc.limit {
			t.Errorf("%s: got %d octets, want at most %d", name, len(out), tc.limit)
		}
		if (got.IsEdns0() != nil) != (tc.size > 0) {
			t.Errorf("%s: OPT %v", name, got.IsEdns0())
		}
		extra := len(withoutOPT(got.Extra))
		counts := fmt.Sprint(len(got.Answer), len(got.Ns), extra)
		if tc.unfinished {
			var a, n, most int
			if _, err := fmt.Sscan(tc.counts, &a, &n, &most); err != nil {
				t.Fatal(err)
			}
			if a != len(got.Answer) || n != len(got.Ns) || extra > most {
				t.Errorf("%s: got %s records, want up to %s", name, counts, tc.counts)
			}
			if got.Truncated && extra == most {
				t.Errorf("%s: TC with nothing missing", name)
			}
			continue
		}
		if counts != tc.counts || got.Truncated != tc.tc {
			t.Errorf("%s: got %s records, TC %v; want %s, TC %v", name, counts, got.Truncated, tc.counts, tc.tc)
		}
	}
}

// For every size: glue below the cut is complete or TC is set, and no octet is
// spent beyond the limit.
func TestGlueIsRequired(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, sizeZone()))
	r.udpSize = maxUDP
	sawTC, sawWhole := false, false
	for size := 512; size <= maxUDP; size += 7 {
		m, _ := parseQuestion(t, "x.in20.s A")
		m.SetEdns0(uint16(size), false)
		query, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		out := r.answer(query, by(UDP), make([]byte, maxUDP))
		got := new(dns.Msg)
		if err := got.Unpack(out); err != nil {
			t.Fatal(err)
		}
		whole := len(withoutOPT(got.Extra)) == 40 && len(got.Ns) == 20
		if len(out) > size || whole == got.Truncated {
			t.Errorf("size %d: got %d octets, %d servers, %d addresses, TC %v", size, len(out), len(got.Ns), len(got.Extra)-1, got.Truncated)
		}
		sawTC, sawWhole = sawTC || got.Truncated, sawWhole || whole
	}
	if !sawTC || !sawWhole {
		t.Errorf("the sizes tried say nothing: truncated %v, whole %v", sawTC, sawWhole)
	}
}

// Over TCP there is nowhere to send a client whose answer does not fit.
func TestBeyond64KiB(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, sizeZone()))
	for _, question := range []string{"huge.s TXT tcp edns", "hugealias.s TXT tcp edns"} {
		got := ask(t, r, question)
		if codes := extendedCodes(got); got.Rcode != dns.RcodeServerFailure || got.Truncated || len(got.Answer) > 0 || len(codes) != 1 || codes[0] != 0 {
			t.Errorf("%s: got %v, want SERVFAIL", question, got.MsgHdr)
		}
	}
	if got := ask(t, r, "huge.s TXT"); !got.Truncated {
		t.Error("over UDP: TC is clear")
	}
}

// Pointers are legal, shorten what can be shortened, and touch nothing else.
func TestCompression(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, sizeZone(), `
$ORIGIN c.example.
$TTL 60
@	SOA	ns.c.example. admin.c.example. 1 1 1 1 1
@	NS	ns
@	MX	1 mail
@	MX	2 MAIL.other
srv	SRV	1 1 1 target
dn	DNAME	target
mixed	NS	NS.mixed
mixed	NS	ns2.MIXED
NS.mixed	A	192.0.2.1
ns2.mixed	A	192.0.2.2
@	RP	a.c.example. b.c.example.
`))
	for _, question := range []string{
		"c.example NS", "c.example SOA", "c.example MX", "C.eXample MX", "srv.c.example SRV", "dn.c.example DNAME", "x.dn.c.example A",
		"x.mixed.c.example A", "X.mIxed.c.example A", "c.example RP", "nothing.c.example A",
		"mx1000.s MX tcp", "x.in1000.s A tcp", "x.out1000.s A tcp",
	} {
		query, transport := parseQuestion(t, question)
		b, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := exchange(t, r, b, transport)
		out := r.answer(b, by(transport), make([]byte, wire.MaxMessage))
		checkPointers(t, question, out)
		// No message can be larger than the one that miekg/dns makes of it without compression.
		got.Compress = false
		if len(out) > got.Len() {
			t.Errorf("%s: %d octets, uncompressed %d", question, len(out), got.Len())
		}
	}
	for question, want := range map[string]int{
		// header, question, pointer and fixed part, compressed names
		"c.example NS":       12 + 15 + 12 + 5,
		"C.eXample NS":       12 + 15 + 12 + 14, // case is kept, so nothing to point to
		"srv.c.example SRV":  12 + 19 + 12 + 6 + 18,
		"dn.c.example DNAME": 12 + 18 + 12 + 18, // not to be compressed
		"c.example MX":       12 + 15 + 12 + 2 + 7 + 12 + 2 + 13,
	} {
		query, transport := parseQuestion(t, question)
		b, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.answer(b, by(transport), make([]byte, wire.MaxMessage))); got != want {
			t.Errorf("%s: got %d octets, want %d", question, got, want)
		}
	}
}

// checkPointers checks the owner names of a message: pointers go backwards, and
// to below 0x4000.
func checkPointers(t *testing.T, question string, msg []byte) {
	t.Helper()
	h, _ := wire.ParseHeader(msg)
	var reader wire.Reader
	reader.Reset(msg)
	if _, err := reader.Question(); err != nil {
		t.Fatal(err)
	}
	for range int(h.AN) + int(h.NS) + int(h.AR) {
		rr, err := reader.RR()
		if err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		for i := rr.Start; msg[i] != 0; i += int(msg[i]) + 1 {
			if msg[i] >= 0xC0 {
				if target := int(msg[i]&0x3F)<<8 | int(msg[i+1]); target >= rr.Start {
					t.Errorf("%s: record at %d points to %d", question, rr.Start, target)
				}
				break
			}
		}
	}
}
