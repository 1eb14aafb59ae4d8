package nameserver

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

var testClient = netip.MustParseAddrPort("192.0.2.53:4711")

// newStore returns a store that serves zones given as zone files, each with its
// SOA first.
func newStore(t testing.TB, zones ...string) *zonestore.Store {
	t.Helper()
	dir := t.TempDir()
	store, err := zonestore.Open(zonestore.Options{
		Dir:      dir,
		Lifetime: func(zone.SOA) time.Duration { return time.Hour },
		Log:      zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, text := range zones {
		publish(t, store, text)
	}
	return store
}

// publish serves the zone of a zone file; its id is its name.
func publish(t testing.TB, store *zonestore.Store, text string) *zonestore.Served {
	t.Helper()
	return publishZone(t, store, buildZone(t, store.Seed(), text))
}

func publishZone(t testing.TB, store *zonestore.Store, z *zone.Zone) *zonestore.Served {
	t.Helper()
	served := store.Configure(z.Apex().String(), z.Apex())
	now := time.Now()
	if err := store.Publish(served, z, zonestore.Timers{Checked: now, Confirmed: now, Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	return served
}

func buildZone(t testing.TB, seed uint64, text string) *zone.Zone {
	t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(text), "", "")
	var b *zone.Builder
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		h := rr.Header()
		owner := wiretest.Name(t, h.Name)
		var err error
		if b == nil {
			if b, err = zone.NewBuilder(owner, seed, zone.Limits{}); err != nil {
				t.Fatal(err)
			}
		}
		if err = b.Add(owner, h.Rrtype, h.Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatal(err)
		}
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// fakeNotifier accepts NOTIFY from one address, and from whoever has its key.
type fakeNotifier struct {
	peer netip.Addr
	key  *tsig.Key

	mu     sync.Mutex // guards the fields below
	got    []uint32   // serials; 0 for none
	zoneID string     // of the last one
}

var errNotPeer = errors.New("no peer")

func (f *fakeNotifier) NotifyKey(_ string, _ netip.Addr, name wire.Name) *tsig.Key {
	if f.key != nil && f.key.Name().Equal(name) {
		return f.key
	}
	return nil
}

func (f *fakeNotifier) Notify(id string, from netip.Addr, key *tsig.Key, serial uint32, hasSerial bool) error {
	if from != f.peer && key == nil {
		return errNotPeer
	}
	if !hasSerial {
		serial = 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got, f.zoneID = append(f.got, serial), id
	return nil
}

// last returns the zone id of the last NOTIFY that was accepted.
func (f *fakeNotifier) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.zoneID
}

func testDesk(notifier Notifier) *notifyDesk {
	return &notifyDesk{
		notifier:  notifier,
		strangers: newSourceLimiter(1000),
		log:       zap.NewNop(),
		lines:     rate.NewLimiter(0, 0),
		metrics:   metrics.NewDNS(prometheus.NewRegistry()),
	}
}

func testResponder(zones Zones) *responder {
	return newResponder(zones, testDesk(&fakeNotifier{}), profile{udpSize: 1232})
}

// ask puts a question like "www.example.org A" to r, with words behind it:
// udp (the default), tcp, do, edns (without DO), size=N.
func ask(t testing.TB, r *responder, question string) *dns.Msg {
	t.Helper()
	query, transport := parseQuestion(t, question)
	packed, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, r, packed, transport)
}

// by is how a message of testClient arrives.
func by(transport Transport) *arrival {
	return &arrival{transport: transport, client: testClient, at: time.Now()}
}

func parseQuestion(t testing.TB, text string) (*dns.Msg, Transport) {
	t.Helper()
	words := strings.Fields(text)
	m := new(dns.Msg).SetQuestion(dns.Fqdn(words[0]), dns.StringToType[words[1]])
	m.RecursionDesired = false
	transport := UDP
	for _, word := range words[2:] {
		switch word {
		case "tcp":
			transport = TCP
		case "do":
			m.SetEdns0(4096, true)
		case "edns":
			m.SetEdns0(4096, false)
		default:
			t.Fatalf("question %q: what is %q?", text, word)
		}
	}
	return m, transport
}

// exchange gives r a packed query and checks what holds of every answer.
func exchange(t testing.TB, r *responder, query []byte, transport Transport) *dns.Msg {
	t.Helper()
	answer, _ := exchangeFrom(t, r, query, by(transport))
	return answer
}

// exchangeFrom is exchange for a message that arrives in a certain way. It
// returns the options of the answer too, by their codes.
func exchangeFrom(t testing.TB, r *responder, query []byte, from *arrival) (*dns.Msg, map[uint16]string) {
	t.Helper()
	out := r.answer(query, from, make([]byte, wire.MaxMessage))
	if out == nil {
		t.Fatal("no answer")
	}
	answer := new(dns.Msg)
	if err := answer.Unpack(out); err != nil {
		t.Fatalf("answer does not unpack: %v\n%x", err, out)
	}
	checkHeader(t, query, out)
	checkSettled(t, out, answer)
	return answer, optionsIn(t, out)
}

// optionsIn returns the options of a message's OPT record, by their codes; nil
// without that record. None may be there twice.
func optionsIn(t testing.TB, msg []byte) map[uint16]string {
	t.Helper()
	var options map[uint16]string
	h, _ := wire.ParseHeader(msg)
	var reader wire.Reader
	reader.Reset(msg)
	for range h.QD {
		if _, err := reader.Question(); err != nil {
			t.Fatal(err)
		}
	}
	for range int(h.AN) + int(h.NS) + int(h.AR) {
		rr, err := reader.Skip()
		if err != nil {
			t.Fatal(err)
		}
		if rr.Type != wire.TypeOPT {
			continue
		}
		if options != nil {
			t.Fatal("two OPT records")
		}
		options = map[uint16]string{}
		for b := msg[rr.Data : rr.Data+rr.Size]; len(b) > 0; {
			code, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
			if _, twice := options[code]; twice {
				t.Errorf("option %d twice", code)
			}
			options[code] = string(b[4 : 4+size])
			b = b[4+size:]
		}
	}
	return options
}

// bareHeader begins a query without a question, with one additional record.
const bareHeader = "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"

// optRecord is an OPT record of version 0 for 4096 octets with the options,
// each from option.
func optRecord(options ...string) string {
	data := strings.Join(options, "")
	return "\x00\x00\x29\x10\x00\x00\x00\x00\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(len(data)))) + data
}

func option(code uint16, data string) string {
	return string(appendOptionHead(nil, code, len(data))) + data
}

// checkHeader compares the raw header and question of an answer with the query's.
func checkHeader(t testing.TB, query, answer []byte) {
	t.Helper()
	q, _ := wire.ParseHeader(query)
	a, ok := wire.ParseHeader(answer)
	switch {
	case !ok:
		t.Fatalf("answer of %d octets", len(answer))
	case a.ID != q.ID:
		t.Errorf("id %d, want %d", a.ID, q.ID)
	case a.Flags&wire.FlagQR == 0:
		t.Error("QR is clear")
	case a.Opcode() != q.Opcode():
		t.Errorf("opcode %d, want %d", a.Opcode(), q.Opcode())
	case a.Flags&wire.FlagRD != q.Flags&wire.FlagRD:
		t.Error("RD is not copied")
	case a.Flags&(wire.FlagRA|wire.FlagAD|wire.FlagCD|1<<6) != 0:
		t.Errorf("flags %04x: RA, Z, AD and CD must be clear", a.Flags)
	}
	if a.QD == 0 {
		return
	}
	end, err := wire.SkipName(answer, wire.HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := answer[wire.HeaderSize:end+4], query[wire.HeaderSize:end+4]; string(got) != string(want) {
		t.Errorf("question %x, want %x", got, want)
	}
}

// checkSettled checks that a message has the records that it counts and nothing
// behind them, no record twice, and every RRset in one section.
func checkSettled(t testing.TB, packed []byte, m *dns.Msg) {
	t.Helper()
	h, _ := wire.ParseHeader(packed)
	var reader wire.Reader
	reader.Reset(packed)
	for range h.QD {
		if _, err := reader.Question(); err != nil {
			t.Fatal(err)
		}
	}
	for range int(h.AN) + int(h.NS) + int(h.AR) {
		if _, err := reader.Skip(); err != nil {
			t.Fatalf("counts %+v: %v", h, err)
		}
	}
	if reader.Rest() != 0 {
		t.Errorf("%d octets behind the last record", reader.Rest())
	}
	seen := map[string]bool{}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if text := strings.ToLower(rr.String()); seen[text] {
				t.Errorf("record twice: %s", rr)
			} else {
				seen[text] = true
			}
		}
	}
}

// wantAnswer is what an answer must be. Sections are records, one a line.
type wantAnswer struct {
	rcode      int
	noAA       bool
	tc         bool
	answer     string
	authority  string
	additional string
}

func checkAnswer(t *testing.T, question string, got *dns.Msg, want wantAnswer) {
	t.Helper()
	if got.Rcode != want.rcode || got.Authoritative == want.noAA || got.Truncated != want.tc {
		t.Errorf("%s: got %s AA=%v TC=%v, want %s AA=%v TC=%v", question, dns.RcodeToString[got.Rcode], got.Authoritative,
			got.Truncated, dns.RcodeToString[want.rcode], !want.noAA, want.tc)
	}
	for _, section := range []struct {
		name string
		got  []dns.RR
		want string
	}{{"answer", got.Answer, want.answer}, {"authority", got.Ns, want.authority}, {"additional", withoutOPT(got.Extra), want.additional}} {
		if diff := cmp.Diff(lines(t, section.want), texts(section.got)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", question, section.name, diff)
		}
	}
}

func withoutOPT(rrs []dns.RR) []dns.RR {
	var rest []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			rest = append(rest, rr)
		}
	}
	return rest
}

func texts(rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		all = append(all, rr.String())
	}
	return all
}

// lines parses records one a line and writes them the way texts does.
func lines(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		all = append(all, rr.String())
	}
	return all
}

// extendedCodes returns the codes of the extended errors in m, -1 if it has no OPT.
func extendedCodes(m *dns.Msg) []int {
	opt := m.IsEdns0()
	if opt == nil {
		return []int{-1}
	}
	var codes []int
	for _, option := range opt.Option {
		if ede, ok := option.(*dns.EDNS0_EDE); ok {
			codes = append(codes, int(ede.InfoCode))
		}
	}
	return codes
}

// packed returns the octets of a query for question, see ask.
func packed(t testing.TB, question string) []byte {
	t.Helper()
	m, _ := parseQuestion(t, question)
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func setCount(msg []byte, s section, n uint16) []byte {
	binary.BigEndian.PutUint16(msg[4+2*int(s):], n)
	return msg
}
