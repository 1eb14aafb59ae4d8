package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func mustRR(t testing.TB, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil || rr == nil {
		t.Fatalf("record %q: %v", text, err)
	}
	return rr
}

// sample is an answer with each section filled and names compressed.
func sample(t testing.TB) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion("Www.example.org.", dns.TypeA)
	m.Response, m.Authoritative, m.Compress = true, true, true
	m.Id = 0xBEEF
	m.Answer = []dns.RR{
		mustRR(t, "Www.example.org. 300 IN CNAME host.example.org."),
		mustRR(t, "host.example.org. 300 IN A 192.0.2.1"),
	}
	m.Ns = []dns.RR{mustRR(t, "example.org. 3600 IN NS ns.example.org.")}
	m.Extra = []dns.RR{mustRR(t, "ns.example.org. 3600 IN AAAA 2001:db8::1")}
	m.SetEdns0(1232, true)
	return m
}

func mustPack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestHeader(t *testing.T) {
	t.Parallel()
	msg := mustPack(t, sample(t))
	h, ok := ParseHeader(msg)
	want := Header{ID: 0xBEEF, Flags: FlagQR | FlagAA | FlagRD, QD: 1, AN: 2, NS: 1, AR: 2}
	if !ok || h != want {
		t.Errorf("got %+v, %v; want %+v", h, ok, want)
	}
	if got := h.Append(nil); !bytes.Equal(got, msg[:HeaderSize]) {
		t.Errorf("append: got %x, want %x", got, msg[:HeaderSize])
	}
	if _, ok := ParseHeader(msg[:HeaderSize-1]); ok {
		t.Error("11 octets are taken for a header")
	}
}

func TestHeaderFlags(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		set  func(*dns.Msg)
		want uint16
	}{
		"QR": {func(m *dns.Msg) { m.Response = true }, FlagQR},
		"AA": {func(m *dns.Msg) { m.Authoritative = true }, FlagAA},
		"TC": {func(m *dns.Msg) { m.Truncated = true }, FlagTC},
		"RD": {func(m *dns.Msg) { m.RecursionDesired = true }, FlagRD},
		"RA": {func(m *dns.Msg) { m.RecursionAvailable = true }, FlagRA},
		"AD": {func(m *dns.Msg) { m.AuthenticatedData = true }, FlagAD},
		"CD": {func(m *dns.Msg) { m.CheckingDisabled = true }, FlagCD},
	} {
		m := new(dns.Msg)
		tc.set(m)
		if h, _ := ParseHeader(mustPack(t, m)); h.Flags != tc.want {
			t.Errorf("%s: got flags %#x, want %#x", name, h.Flags, tc.want)
		}
	}
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Opcode: dns.OpcodeUpdate, Rcode: dns.RcodeNotAuth, Response: true}}
	h, _ := ParseHeader(mustPack(t, m))
	if h.Opcode() != OpcodeUpdate || h.Rcode() != dns.RcodeNotAuth {
		t.Errorf("got opcode %d, rcode %d; want %d, %d", h.Opcode(), h.Rcode(), OpcodeUpdate, dns.RcodeNotAuth)
	}
}

// entry is what a test compares of a question or record.
type entry struct {
	Name        string
	Type, Class uint16
	TTL         uint32
	Size        int
}

func TestReader(t *testing.T) {
	t.Parallel()
	msg := mustPack(t, sample(t))
	var r Reader
	r.Reset(msg)
	q, err := r.Question()
	if err != nil || q.Name.String() != "Www.example.org." || q.Type != TypeA || q.Class != ClassIN {
		t.Fatalf("question: got %s %d %d, %v", q.Name, q.Type, q.Class, err)
	}
	var got []entry
	for range 5 {
		start := r.Offset()
		skip := r
		rr, err := r.RR()
		if err != nil {
			t.Fatal(err)
		}
		if rr.Start != start || rr.Data+rr.Size != r.Offset() || r.Rest() != len(msg)-r.Offset() {
			t.Errorf("record %s of type %d: %+v ends at %d", rr.Owner, rr.Type, rr, r.Offset())
		}
		got = append(got, entry{rr.Owner.String(), rr.Type, rr.Class, rr.TTL, rr.Size})
		skipped, err := skip.Skip()
		rr.Owner = nil
		if err != nil || !cmp.Equal(skipped, rr) || skip.Offset() != r.Offset() {
			t.Errorf("skip: got %+v, %v; want %+v", skipped, err, rr)
		}
	}
	want := []entry{
		{"Www.example.org.", TypeCNAME, ClassIN, 300, 7},
		{"host.example.org.", TypeA, ClassIN, 300, 4},
		{"example.org.", TypeNS, ClassIN, 3600, 5},
		{"ns.example.org.", TypeAAAA, ClassIN, 3600, 16},
		{".", TypeOPT, 1232, 1 << 15, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r.Rest() != 0 {
		t.Errorf("%d octets are left", r.Rest())
	}
	if _, err := r.RR(); !errors.Is(err, ErrShort) {
		t.Errorf("a record behind the end: got %v, want %v", err, ErrShort)
	}
}

// TestReaderTruncated cuts a message after each octet: the reader must stop
// with an error where the cut is, and give what lies before it.
func TestReaderTruncated(t *testing.T) {
	t.Parallel()
	msg := mustPack(t, sample(t))
	var ends []int
	if whole := walk(msg, &ends); whole != nil {
		t.Fatal(whole)
	}
	for size := range len(msg) {
		var got []int
		err := walk(msg[:size], &got)
		if !errors.Is(err, ErrShort) {
			t.Errorf("cut to %d octets: got %v, want %v", size, err, ErrShort)
		}
		for i, end := range got {
			if end != ends[i] || end > size {
				t.Errorf("cut to %d octets: entry %d ends at %d, want %d", size, i, end, ends[i])
			}
		}
	}
}

// walk reads a whole message, with RR and Skip in turn, as its counts say.
func walk(msg []byte, ends *[]int) error {
	h, ok := ParseHeader(msg)
	if !ok {
		return ErrShort
	}
	var r Reader
	r.Reset(msg)
	for range h.QD {
		if _, err := r.Question(); err != nil {
			return err
		}
		*ends = append(*ends, r.Offset())
	}
	for i := range int(h.AN) + int(h.NS) + int(h.AR) {
		read := r.RR
		if i%2 == 1 {
			read = r.Skip
		}
		if _, err := read(); err != nil {
			return err
		}
		*ends = append(*ends, r.Offset())
	}
	return nil
}

func TestReaderShort(t *testing.T) {
	t.Parallel()
	for _, msg := range []string{"", "\x00", "eleven octe"} {
		var r Reader
		r.Reset([]byte(msg))
		if _, err := r.Question(); !errors.Is(err, ErrShort) {
			t.Errorf("question of %q: got %v", msg, err)
		}
		if _, err := r.RR(); !errors.Is(err, ErrShort) {
			t.Errorf("record of %q: got %v", msg, err)
		}
		if _, err := r.Skip(); !errors.Is(err, ErrShort) {
			t.Errorf("skip in %q: got %v", msg, err)
		}
	}
}

func TestIsData(t *testing.T) {
	t.Parallel()
	no := map[uint16]bool{0: true, TypeOPT: true}
	for i := uint16(128); i < 256; i++ { // RFC 6895 section 3.1
		no[i] = true
	}
	for i := range 1 << 16 {
		if got := IsData(uint16(i)); got == no[uint16(i)] {
			t.Errorf("type %d: got %v", i, got)
		}
	}
}

// checkOwners reads the records of a message one after the other, and each of them
// alone: an owner that is meant by a pointer to the last one is the same.
func checkOwners(t *testing.T, msg []byte) (read int) {
	t.Helper()
	h, ok := ParseHeader(msg)
	if !ok {
		return 0
	}
	var r Reader
	r.Reset(msg)
	for range h.QD {
		if _, err := r.Question(); err != nil {
			return 0
		}
	}
	for range int(h.AN) + int(h.NS) + int(h.AR) {
		alone := Reader{msg: msg, off: r.Offset()}
		want, wantErr := alone.RR()
		got, err := r.RR()
		if errors.Is(wantErr, ErrPointer) && err == nil {
			return read // one pointer more than may be followed
		}
		if !errors.Is(err, wantErr) || !cmp.Equal(got, want) || r.Offset() != alone.Offset() {
			t.Fatalf("record at %d: got %+v, %v, alone %+v, %v", alone.Offset(), got, err, want, wantErr)
		}
		if err != nil {
			return read
		}
		read++
	}
	return read
}

// TestReaderOwners points to the last owner in every way that is meant by it, or
// might be taken for it.
func TestReaderOwners(t *testing.T) {
	t.Parallel()
	const a = "\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\xC0\x00\x02\x01" // the rest of an address record
	head := "\x00\x07\x84\x00\x00\x00\x00\x08\x00\x00\x00\x00"
	msg := []byte(head +
		"\x01a\x01b\x00" + a + // at 12
		"\xC0\x0C" + a + // at 31: the one before it
		"\xC0\x0C" + a + // and again
		"\xC0\x1F" + a + // at 63: through the pointer of the second
		"\xC0\x0C" + a + // at 79: back to the first
		"\x01c\xC0\x0C" + a + // at 95: below it
		"\xC0\x5F" + a + // at 113: the one before it
		"\xC0\x0E" + a) // above the first
	if n := checkOwners(t, msg); n != 8 {
		t.Errorf("%d records were read, want 8", n)
	}
	var r Reader
	r.Reset(msg)
	var got []string
	for range 8 {
		rr, err := r.RR()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rr.Owner.String())
	}
	want := []string{"a.b.", "a.b.", "a.b.", "a.b.", "a.b.", "c.a.b.", "c.a.b.", "b."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	// What was read of another message is forgotten.
	r.Reset(append([]byte(head), "\x01x\x00"+a...))
	if rr, err := r.RR(); err != nil || rr.Owner.String() != "x." {
		t.Errorf("owner %s, %v in another message, want x.", rr.Owner, err)
	}
}

func FuzzReader(f *testing.F) {
	msg := mustPack(f, sample(f))
	f.Add(msg)
	f.Add(msg[:40])
	f.Add([]byte("\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		checkOwners(t, msg)
		var ends []int
		err := walk(msg, &ends)
		last := HeaderSize
		for _, end := range ends {
			if end <= last || end > len(msg) {
				t.Fatalf("entries end at %v of %d octets", ends, len(msg))
			}
			last = end
		}
		if err != nil {
			return
		}
		// What is read must be what the library finds at the same places.
		h, _ := ParseHeader(msg)
		for i, end := range ends[h.QD:] {
			start := HeaderSize
			if at := i + int(h.QD); at > 0 {
				start = ends[at-1]
			}
			r := Reader{msg: msg, off: start}
			rr, err := r.RR()
			if err != nil {
				continue // skipped by walk, which does not follow pointers
			}
			generic, libraryEnd, err := dns.UnpackRR(msg, start)
			if err != nil {
				continue // RDATA that the library refuses
			}
			got := entry{Type: rr.Type, Class: rr.Class, TTL: rr.TTL, Size: rr.Size}
			header := generic.Header()
			want := entry{Type: header.Rrtype, Class: header.Class, TTL: header.Ttl, Size: int(header.Rdlength)}
			if got != want || end != libraryEnd || !mustName(t, header.Name).Equal(rr.Owner) {
				t.Fatalf("record at %d: got %s %+v up to %d, the library %s up to %d", start, rr.Owner, got, end, header, libraryEnd)
			}
		}
	})
}
