package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// texts has a record of each type that the library can read as text.
var texts = []string{
	"A 192.0.2.1", "NS ns.example.org.", "MD md.example.org.", "MF mf.example.org.",
	"CNAME target.example.org.", "SOA ns.example.org. admin.example.org. 1 2 3 4 5",
	"MB mb.example.org.", "MG mg.example.org.", "MR mr.example.org.", "PTR ptr.example.org.",
	`HINFO "cpu" "os"`, "MINFO a.example.org. b.example.org.", "MX 10 mail.example.org.",
	`TXT "one" "" "three"`, "RP mbox.example.org. txt.example.org.", "AFSDB 1 afs.example.org.",
	"X25 311061700956", `ISDN "150862028003217" "004"`, "RT 10 relay.example.org.",
	"SIG A 8 2 300 20300101000000 20200101000000 12345 example.org. AAAA",
	"KEY 256 3 8 AAAA", "PX 10 a.example.org. b.example.org.", "GPOS -32.6882 116.8652 10.0",
	"AAAA 2001:db8::1", "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
	"NXT next.example.org. A MX", "EID 0102", "NIMLOC 0102", "SRV 1 2 53 srv.example.org.",
	`NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:info@example.org!" replacement.example.org.`,
	"KX 10 kx.example.org.", "CERT 1 2 3 AAAA", "DNAME target.example.org.", "APL 1:192.0.2.0/24 !2:2001:db8::/32",
	"DS 12345 8 2 0102030405060708", "SSHFP 1 1 0102", "IPSECKEY 10 3 2 gateway.example.org. AAAA",
	"RRSIG A 8 2 300 20300101000000 20200101000000 12345 example.org. AAAA",
	"NSEC next.example.org. A RRSIG NSEC", "DNSKEY 257 3 8 AAAA", "DHCID AAAA",
	"NSEC3 1 0 10 AABB 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A RRSIG", "NSEC3PARAM 1 0 10 AABB",
	"TLSA 3 1 1 0102", "SMIMEA 3 1 1 0102", "HIP 2 200100107B1A74DF365639CC39F1D578 AwEA rvs.example.org.",
	`NINFO "x"`, "RKEY 0 3 8 AAAA", "TALINK a.example.org. b.example.org.", "CDS 12345 8 2 0102",
	"CDNSKEY 257 3 8 AAAA", "OPENPGPKEY AAAA", "CSYNC 1 3 A NS", "ZONEMD 1 1 1 0102",
	"SVCB 1 svc.example.org. alpn=h2", "HTTPS 0 svc.example.org.", `SPF "v=spf1 -all"`, `UINFO "x"`,
	"UID 1", "GID 1", "NID 10 0014:4fff:ff20:ee64", "L32 10 192.0.2.1", "L64 10 2001:0DB8:1140:1000",
	"LP 10 l64.example.org.", "EUI48 00-00-5e-00-53-2a", "EUI64 00-00-5e-ef-10-00-00-2a",
	`URI 1 2 "https://example.org/"`, `CAA 0 issue "ca.example.org"`, `AVC "x"`, "AMTRELAY 10 0 3 relay.example.org.",
	`RESINFO "qnamemin"`, "TA 12345 8 2 0102", "DLV 12345 8 2 0102", `TYPE65280 \# 3 C00C01`, `TYPE65281 \# 0`,
}

// rdata returns the type and the uncompressed RDATA of a record as the library packs it.
func rdata(t testing.TB, text string) (uint16, []byte) {
	t.Helper()
	rr := mustRR(t, ". 60 IN "+text)
	buf := make([]byte, 4096)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		t.Fatalf("pack %q: %v", text, err)
	}
	return rr.Header().Rrtype, buf[11:end]
}

// TestAppendRdata reads each type that the library knows out of a compressed
// message and wants the octets of the same record alone.
func TestAppendRdata(t *testing.T) {
	t.Parallel()
	m := new(dns.Msg)
	m.SetQuestion("example.org.", dns.TypeANY)
	m.Compress = true
	for _, text := range texts {
		m.Answer = append(m.Answer, mustRR(t, "www.example.org. 60 IN "+text))
	}
	msg := mustPack(t, m)
	var r Reader
	r.Reset(msg)
	if _, err := r.Question(); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		wantType, want := rdata(t, text)
		rr, err := r.RR()
		if err != nil || rr.Type != wantType {
			t.Fatalf("%s: got type %d, %v", text, rr.Type, err)
		}
		got, err := AppendRdata([]byte("kept"), msg, rr.Data, rr.Size, rr.Type)
		if err != nil || !bytes.Equal(got, append([]byte("kept"), want...)) {
			t.Errorf("%s: got %x, %v; want %x", text, got, err, want)
		}
		_, _, compressible := Compressible(rr.Type)
		if compressible != (rr.Size < len(want)) {
			t.Errorf("%s: compressible %v, but the library packed it into %d of %d octets", text, compressible, rr.Size, len(want))
		}
	}
}

// Forms with names, each with valid RDATA whose names are all "b.a.".
var named = []struct {
	t       uint16
	before  string // what precedes the names
	names   int
	after   string
	openEnd bool // any octets may follow the names
}{
	{TypeNS, "", 1, "", false},
	{TypeMD, "", 1, "", false},
	{TypeMF, "", 1, "", false},
	{TypeCNAME, "", 1, "", false},
	{TypeSOA, "", 2, "12345678901234567890", false},
	{TypeMB, "", 1, "", false},
	{TypeMG, "", 1, "", false},
	{TypeMR, "", 1, "", false},
	{TypePTR, "", 1, "", false},
	{TypeMINFO, "", 2, "", false},
	{TypeMX, "\x00\x0A", 1, "", false},
	{TypeRP, "", 2, "", false},
	{TypeAFSDB, "\x00\x01", 1, "", false},
	{TypeRT, "\x00\x01", 1, "", false},
	{TypeSIG, "eighteen octets...", 1, "signature", true},
	{TypePX, "\x00\x01", 2, "", false},
	{TypeNXT, "", 1, "bitmap", true},
	{TypeSRV, "\x00\x01\x00\x02\x00\x35", 1, "", false},
	{TypeNAPTR, "\x00\x01\x00\x02\x01u\x00\x04!..!", 1, "", false},
	{TypeKX, "\x00\x01", 1, "", false},
	{TypeDNAME, "", 1, "", false},
	{TypeRRSIG, "eighteen octets...", 1, "signature", true},
	{TypeNSEC, "", 1, "bitmap", true},
}

// TestAppendRdataCompressed writes each name of each form in every way that
// compression allows: RFC 3597 section 4 wants them read, whoever wrote them.
func TestAppendRdataCompressed(t *testing.T) {
	t.Parallel()
	const name = "\x01b\x01a\x00"
	for _, tc := range named {
		for _, form := range []string{name, "\x01b\xC0\x02", "\xC0\x00"} {
			msg := []byte(name + tc.before)
			want := []byte(tc.before)
			for range tc.names {
				msg = append(msg, form...)
				want = append(want, name...)
			}
			msg, want = append(msg, tc.after...), append(want, tc.after...)
			msg = append(msg, "more behind"...)
			size := len(msg) - len(name) - len("more behind")
			got, err := AppendRdata(nil, msg, len(name), size, tc.t)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("type %d, names as %q: got %q, %v; want %q", tc.t, form, got, err, want)
			}
		}
	}
}

func TestAppendRdataMalformed(t *testing.T) {
	t.Parallel()
	const name = "\x01b\x01a\x00"
	for _, tc := range named {
		fixed := tc.before + strings.Repeat(name, tc.names)
		whole := fixed + tc.after
		shortest := len(whole)
		if tc.openEnd {
			shortest = len(fixed)
		}
		for size := range shortest {
			// The octets behind the RDATA are there, but not part of it.
			if got, err := AppendRdata(nil, []byte(whole), 0, size, tc.t); err == nil {
				t.Errorf("type %d cut to %d of %d octets: got %q", tc.t, size, len(whole), got)
			}
		}
		_, err := AppendRdata(nil, []byte(whole+"x"), 0, len(whole)+1, tc.t)
		if (err == nil) != tc.openEnd {
			t.Errorf("type %d with an octet more: got %v", tc.t, err)
		}
		for _, bad := range []struct {
			name string
			want error
		}{{"\x41x\x00", ErrLabel}, {"\xFF\xFF", ErrPointer}} {
			msg := []byte(tc.before + bad.name + name + tc.after)
			if _, err := AppendRdata(nil, msg, 0, len(msg), tc.t); !errors.Is(err, bad.want) {
				t.Errorf("type %d with the name %q: got %v, want %v", tc.t, bad.name, err, bad.want)
			}
		}
	}
	for name, tc := range map[string]struct {
		t     uint16
		rdata string
		want  error
	}{
		"A of 3 octets":           {TypeA, "abc", ErrRdata},
		"A of 5 octets":           {TypeA, "abcde", ErrRdata},
		"A of none":               {TypeA, "", ErrRdata},
		"A":                       {TypeA, "abcd", nil},
		"AAAA of 4 octets":        {TypeAAAA, "abcd", ErrRdata},
		"AAAA":                    {TypeAAAA, "sixteen octets..", nil},
		"TXT of nothing":          {TypeTXT, "", ErrRdata},
		"TXT of an empty string":  {TypeTXT, "\x00", nil},
		"TXT of two strings":      {TypeTXT, "\x01a\x02bc", nil},
		"TXT string cut off":      {TypeTXT, "\x01a\x02b", ErrRdata},
		"NAPTR string cut off":    {TypeNAPTR, "\x00\x01\x00\x02\x05u", ErrRdata},
		"NAPTR of two strings":    {TypeNAPTR, "\x00\x01\x00\x02\x00\x00", ErrRdata},
		"DS of 3 octets":          {TypeDS, "abc", ErrRdata},
		"NSEC3 of 4 octets":       {TypeNSEC3, "abcd", ErrRdata},
		"NSEC3PARAM of 4 octets":  {TypeNSEC3PARAM, "abcd", ErrRdata},
		"unknown, of nothing":     {65280, "", nil},
		"unknown, like a pointer": {65280, "\xC0\x0C", nil},
	} {
		got, err := AppendRdata(nil, []byte(tc.rdata), 0, len(tc.rdata), tc.t)
		if !errors.Is(err, tc.want) || err == nil && string(got) != tc.rdata {
			t.Errorf("%s: got %q, %v; want %v", name, got, err, tc.want)
		}
	}
}

func TestAppendRdataBounds(t *testing.T) {
	t.Parallel()
	msg := []byte("0123456789")
	for _, tc := range []struct{ off, size int }{{-1, 2}, {0, -1}, {0, 11}, {10, 1}, {11, 0}, {5, 6}} {
		if _, err := AppendRdata(nil, msg, tc.off, tc.size, 65280); !errors.Is(err, ErrShort) {
			t.Errorf("%d octets at %d of 10: got %v, want %v", tc.size, tc.off, err, ErrShort)
		}
	}
}

// TestAppendRdataLong: names written out can make RDATA longer than its size field can say.
func TestAppendRdataLong(t *testing.T) {
	t.Parallel()
	name := mustName(t, labels63(3, 61))
	for _, tc := range []struct {
		tail int
		want error
	}{{MaxMessage - MaxName, nil}, {MaxMessage - MaxName + 1, ErrRdataLong}} {
		msg := append(append([]byte(name), 0xC0, 0), make([]byte, tc.tail)...)
		got, err := AppendRdata(nil, msg, len(name), 2+tc.tail, TypeNSEC)
		if !errors.Is(err, tc.want) || err == nil && len(got) != MaxMessage {
			t.Errorf("%d octets behind a pointer: got %d octets, %v; want %v", tc.tail, len(got), err, tc.want)
		}
	}
}

func TestCompressible(t *testing.T) {
	t.Parallel()
	want := map[uint16][2]int{
		TypeNS: {0, 1}, TypeMD: {0, 1}, TypeMF: {0, 1}, TypeCNAME: {0, 1}, TypeSOA: {0, 2}, TypeMB: {0, 1},
		TypeMG: {0, 1}, TypeMR: {0, 1}, TypePTR: {0, 1}, TypeMINFO: {0, 2}, TypeMX: {2, 1},
	}
	for i := range 1 << 16 {
		head, names, ok := Compressible(uint16(i))
		if w, known := want[uint16(i)]; ok != known || head != w[0] || names != w[1] {
			t.Errorf("type %d: got %d, %d, %v; want %v", i, head, names, ok, w)
		}
	}
}

func TestCompareRdata(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"A 192.0.2.1", "A 192.0.2.1", 0},
		{"A 192.0.2.1", "A 192.0.2.2", -1},
		{"A 128.0.0.0", "A 127.0.0.0", 1},
		{"MX 10 Mail.Example.", "MX 10 mail.example.", 0},
		{"MX 10 b.", "MX 9 c.", 1},
		{"MX 10 B.", "MX 10 a.", 1},
		{"NS long.example.", "NS short.a.", -1}, // by octets: a length comes first
		{"SOA A. B. 1 2 3 4 5", "SOA a. b. 1 2 3 4 5", 0},
		{"SOA a. b. 1 2 3 4 5", "SOA a. b. 1 2 3 4 6", -1},
		{"SRV 1 2 53 A.", "SRV 1 2 53 a.", 0},
		{`NAPTR 1 2 "u" "A" "" x.`, `NAPTR 1 2 "u" "a" "" x.`, -1}, // strings have case
		{`NAPTR 1 2 "u" "a" "" X.`, `NAPTR 1 2 "u" "a" "" x.`, 0},
		{`TXT "A"`, `TXT "a"`, -1},
		{`HINFO "A" "B"`, `HINFO "a" "b"`, -1},
		{"SVCB 1 A.", "SVCB 1 a.", -1}, // a type that RFC 4034 section 6.2 does not list
		{"RRSIG A 8 2 300 20300101000000 20200101000000 1 A. AAAA", "RRSIG A 8 2 300 20300101000000 20200101000000 1 a. AAAA", 0},
		{"RRSIG A 8 2 300 20300101000000 20200101000000 1 a. AAAA", "RRSIG A 8 2 300 20300101000000 20200101000000 1 a. AAAB", -1},
		{"NSEC B. A", "NSEC b. A", -1}, // RFC 6840 section 5.1 takes NSEC off that list
		{`TYPE65280 \# 0`, `TYPE65280 \# 1 00`, -1},
	} {
		typ, a := rdata(t, tc.a)
		_, b := rdata(t, tc.b)
		if got := CompareRdata(typ, a, b); sign(got) != tc.want {
			t.Errorf("%s with %s: got %d, want sign %d", tc.a, tc.b, got, tc.want)
		}
		if got := CompareRdata(typ, b, a); sign(got) != -tc.want {
			t.Errorf("%s with %s: got %d, want sign %d", tc.b, tc.a, got, -tc.want)
		}
	}
}

// TestCompareRdataCanonical sorts RDATA and wants the order of their canonical forms.
func TestCompareRdataCanonical(t *testing.T) {
	t.Parallel()
	names := []string{".", "a.", "A.b.", "a.B.", "aa.", "Z.a.", "b.", `\200.`, `\000.`, "[."}
	for _, tc := range named {
		var all [][]byte
		for _, first := range names {
			for _, second := range names {
				b := append([]byte(tc.before), mustName(t, first)...)
				if tc.names == 2 {
					b = append(b, mustName(t, second)...)
				}
				all = append(all, append(b, tc.after...))
			}
		}
		canonical := func(b []byte) []byte {
			if tc.t == TypeNSEC {
				return b
			}
			names := b[len(tc.before) : len(b)-len(tc.after)]
			return slices.Concat(b[:len(tc.before)], AppendFolded(nil, names), b[len(b)-len(tc.after):])
		}
		for _, a := range all {
			for _, b := range all {
				want := bytes.Compare(canonical(a), canonical(b))
				if got := CompareRdata(tc.t, a, b); sign(got) != want {
					t.Fatalf("type %d, %q with %q: got %d, want %d", tc.t, a, b, got, want)
				}
			}
		}
	}
}

func FuzzAppendRdata(f *testing.F) {
	for _, text := range texts {
		typ, b := rdata(f, text)
		f.Add([]byte("\x07example\x03org\x00"), b, typ)
	}
	f.Add([]byte("\x07example\x03org\x00"), []byte("\x00\x0A\x04mail\xC0\x00"), uint16(TypeMX))
	f.Fuzz(func(t *testing.T, before, data []byte, typ uint16) {
		if len(data) > MaxMessage {
			return
		}
		msg := record(before, data, typ)
		got, err := AppendRdata([]byte("kept"), msg, len(msg)-len(data), len(data), typ)
		if string(got[:4]) != "kept" {
			t.Fatalf("what lay before the RDATA is now %q", got[:4])
		}
		if err != nil {
			return
		}
		got = got[4:]
		if len(got) > MaxMessage {
			t.Fatalf("%d octets", len(got))
		}
		again, err := AppendRdata(nil, got, 0, len(got), typ)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("type %d: %x is read again as %x, %v", typ, got, again, err)
		}
		if CompareRdata(typ, got, again) != 0 {
			t.Fatalf("type %d: %x differs from itself", typ, got)
		}
		if formOf(typ) == nil || formOf(typ).names == 0 {
			if !bytes.Equal(got, data) {
				t.Fatalf("type %d has no names, but %x became %x", typ, data, got)
			}
			return
		}
		// Where the library can read the record too, it must find the same in both.
		compressed, _, err := dns.UnpackRR(msg, len(before))
		if err != nil {
			return
		}
		plain, _, err := dns.UnpackRR(record(nil, got, typ), 0)
		if err != nil || !dns.IsDuplicate(compressed, plain) {
			t.Fatalf("type %d: the library reads %v, then %v, %v", typ, compressed, plain, err)
		}
	})
}

// record is a message with a record of type t, owned by the root, behind before.
func record(before, data []byte, typ uint16) []byte {
	msg := binary.BigEndian.AppendUint16(append(slices.Clone(before), 0), typ)
	msg = append(msg, 0, 1, 0, 0, 0, 60)
	return append(binary.BigEndian.AppendUint16(msg, uint16(len(data))), data...)
}

func BenchmarkCompareRdata(b *testing.B) {
	typ, x := rdata(b, "MX 10 mail.example.org.")
	_, y := rdata(b, "MX 10 MAIL.example.org.")
	b.ReportAllocs()
	for b.Loop() {
		if CompareRdata(typ, x, y) != 0 {
			b.Fatal("differ")
		}
	}
}

// TestAppendCanonical wants names in lower case, and nothing else, in the types
// of RFC 4034 section 6.2 as RFC 6840 section 5.1 changed them.
func TestAppendCanonical(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"NS NS.Example.ORG.": "NS ns.example.org.",
		"SOA NS.Example.org. Admin.Example.org. 1 2 3 4 5":                      "SOA ns.example.org. admin.example.org. 1 2 3 4 5",
		"MX 16705 Mail.Example.org.":                                            "MX 16705 mail.example.org.",
		`NAPTR 1 2 "U" "E2U" "!A!B!" Name.`:                                     `NAPTR 1 2 "U" "E2U" "!A!B!" name.`,
		"SRV 1 2 16705 Srv.Example.org.":                                        "SRV 1 2 16705 srv.example.org.",
		"RRSIG A 8 2 300 20300101000000 20200101000000 12345 Example.ORG. QUJD": "RRSIG A 8 2 300 20300101000000 20200101000000 12345 example.org. QUJD",
		"NSEC Next.Example.org. A RRSIG NSEC":                                   "NSEC Next.Example.org. A RRSIG NSEC",
		`HINFO "CPU" "OS"`:                                                      `HINFO "CPU" "OS"`,
		"SVCB 1 Svc.Example.org. alpn=H2":                                       "SVCB 1 Svc.Example.org. alpn=H2",
		`TXT "Text"`:                                                            `TXT "Text"`,
		`TYPE65280 \# 3 C00C41`:                                                 `TYPE65280 \# 3 C00C41`,
	} {
		typ, given := rdata(t, text)
		_, wanted := rdata(t, want)
		if got := AppendCanonical([]byte("before"), typ, given); string(got) != "before"+string(wanted) {
			t.Errorf("%s: got %q, want %q", text, got[6:], wanted)
		}
	}
}
