package nameserver

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/metrics"
)

var testNow = time.Now()

func testKey(t testing.TB) *tsig.Key {
	t.Helper()
	key, err := tsig.NewKey("key.example.", "hmac-sha256", "c2VjcmV0IHNlY3JldCBzZWNyZXQ=")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// notifyMsg returns a NOTIFY, with a SOA in its answer section if serial is not 0.
func notifyMsg(t *testing.T, zone string, qtype uint16, serial uint32) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetNotify(zone)
	m.Question[0].Qtype = qtype
	if serial != 0 {
		rr, err := dns.NewRR(zone + " 60 IN SOA ns." + zone + " admin." + zone + " 1 2 3 4 5")
		if err != nil {
			t.Fatal(err)
		}
		rr.(*dns.SOA).Serial = serial
		m.Answer = []dns.RR{rr}
	}
	return m
}

func pack(t *testing.T, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNotify(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	store.Configure("empty", wiretest.Name(t, "empty.org"))
	key := testKey(t)
	peer, stranger := testClient, netip.MustParseAddrPort("198.51.100.1:53")
	otherClass := notifyMsg(t, "example.org.", dns.TypeSOA, 0)
	otherClass.Question[0].Qclass = dns.ClassCHAOS
	withOPT := notifyMsg(t, "example.org.", dns.TypeSOA, 8)
	withOPT.SetEdns0(1232, false)
	otherOwner := notifyMsg(t, "example.org.", dns.TypeSOA, 8)
	otherOwner.Answer[0].Header().Name = "www.example.org."
	more := notifyMsg(t, "example.org.", dns.TypeSOA, 8) // what RFC 1996 section 3.9 has ignored
	more.Ns, more.Extra = notifyMsg(t, "example.org.", dns.TypeSOA, 9).Answer, notifyMsg(t, "example.org.", dns.TypeSOA, 10).Answer
	manyAnswers := notifyMsg(t, "example.org.", dns.TypeSOA, 8)
	manyAnswers.Answer = append(manyAnswers.Answer, notifyMsg(t, "example.org.", dns.TypeSOA, 9).Answer...)
	for _, tc := range []struct {
		name   string
		msg    []byte
		from   netip.AddrPort
		rcode  int
		result string
		serial []uint32
	}{
		{"without a serial", pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 0)), peer, dns.RcodeSuccess, "accepted", []uint32{0}},
		{"with a serial", pack(t, notifyMsg(t, "EXAMPLE.org.", dns.TypeSOA, 8)), peer, dns.RcodeSuccess, "accepted", []uint32{8}},
		{"zone without a copy", pack(t, notifyMsg(t, "empty.org.", dns.TypeSOA, 8)), peer, dns.RcodeSuccess, "accepted", []uint32{8}},
		{"with EDNS", pack(t, withOPT), peer, dns.RcodeSuccess, "accepted", []uint32{8}},
		{"SOA of another name", pack(t, otherOwner), peer, dns.RcodeSuccess, "accepted", []uint32{0}},
		{"with records in all sections", pack(t, more), peer, dns.RcodeSuccess, "accepted", []uint32{8}},
		{"with two SOAs", pack(t, manyAnswers), peer, dns.RcodeSuccess, "accepted", []uint32{8}},
		{"stranger", pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), stranger, dns.RcodeRefused, "refused", nil},
		{"not a zone", pack(t, notifyMsg(t, "www.example.org.", dns.TypeSOA, 8)), peer, dns.RcodeNotAuth, "unknown_zone", nil},
		{"other class", pack(t, otherClass), peer, dns.RcodeNotAuth, "unknown_zone", nil},
		{"other type", pack(t, notifyMsg(t, "example.org.", dns.TypeCDS, 0)), peer, dns.RcodeNotImplemented, "unsupported", nil},
		{"other type and a SOA", pack(t, notifyMsg(t, "example.org.", dns.TypeCSYNC, 8)), peer, dns.RcodeNotImplemented, "unsupported", nil},
		{"no question", setCount(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 0)), questionSection, 0), peer, dns.RcodeFormatError, "malformed", nil},
		{"half a record", setCount(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 0)), answerSection, 1), peer, dns.RcodeFormatError, "malformed", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			notifier := &fakeNotifier{peer: peer.Addr(), key: key}
			registry := prometheus.NewRegistry()
			r := newResponder(store, testDesk(notifier), profile{udpSize: 1232})
			r.notifies.metrics = metrics.NewDNS(registry)
			out := r.answer(tc.msg, &arrival{transport: UDP, client: tc.from, at: time.Now()}, make([]byte, 512))
			checkHeader(t, tc.msg, out)
			got := new(dns.Msg)
			if err := got.Unpack(out); err != nil {
				t.Fatal(err)
			}
			if got.Rcode != tc.rcode || got.Authoritative != (tc.rcode == dns.RcodeSuccess) {
				t.Errorf("got %s AA %v, want %s", dns.RcodeToString[got.Rcode], got.Authoritative, dns.RcodeToString[tc.rcode])
			}
			if len(got.Answer)+len(got.Ns)+len(withoutOPT(got.Extra)) > 0 {
				t.Errorf("got records in %v", got)
			}
			if diff := cmp.Diff(tc.serial, notifier.got); diff != "" {
				t.Errorf("handed on (-want +got):\n%s", diff)
			}
			if n := notifyCount(t, registry, tc.result); n != 1 {
				t.Errorf("counted %v as %s, want 1", n, tc.result)
			}
		})
	}
}

func notifyCount(t *testing.T, registry *prometheus.Registry, result string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "secondaryd_notifies_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

func TestSignedNotify(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	key := testKey(t)
	unknown, err := tsig.NewKey("other.example.", "hmac-sha256", "c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := tsig.NewKey("key.example.", "hmac-sha256", "c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		key      *tsig.Key
		at       time.Time
		rcode    int
		code     uint16 // of the TSIG record
		signed   bool   // the answer is
		accepted int
	}{
		{"right", key, time.Now(), dns.RcodeSuccess, 0, true, 1},
		{"unknown key", unknown, time.Now(), dns.RcodeNotAuth, dns.RcodeBadKey, false, 0},
		{"wrong secret", wrong, time.Now(), dns.RcodeNotAuth, dns.RcodeBadSig, false, 0},
		{"wrong time", key, time.Now().Add(-time.Hour), dns.RcodeNotAuth, dns.RcodeBadTime, true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// From anywhere: a key is better than an address. And a bad signature
			// from the peer's address is refused.
			for _, from := range []string{"203.0.113.9:1", testClient.String()} {
				notifier := &fakeNotifier{peer: testClient.Addr(), key: key}
				r := newResponder(store, testDesk(notifier), profile{udpSize: 1232})
				query, mac := tc.key.Sign(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), nil, tc.at)
				out := r.answer(query, &arrival{transport: UDP, client: netip.MustParseAddrPort(from), at: time.Now()}, make([]byte, 512))
				got := new(dns.Msg)
				if err := got.Unpack(out); err != nil {
					t.Fatal(err)
				}
				rec := got.IsTsig()
				if got.Rcode != tc.rcode || rec == nil || rec.Error != tc.code || (rec.MACSize > 0) != tc.signed {
					t.Fatalf("got %v, want %s with TSIG error %d, signed %v", got, dns.RcodeToString[tc.rcode], tc.code, tc.signed)
				}
				if len(notifier.got) != tc.accepted {
					t.Errorf("handed on %d times, want %d", len(notifier.got), tc.accepted)
				}
				if tc.code == 0 {
					if _, err := tsig.NewAnswer(tc.key, mac).Next(out, time.Now()); err != nil {
						t.Errorf("answer: %v", err)
					}
				}
			}
		})
	}
}

// The signature of an answer has room, whatever the names (RFC 8945 section 5.3).
func TestSignedNotifyOfLongNames(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("x", 63) + "."
	name := label + label + label + label[2:]
	key, err := tsig.NewKey(name, "hmac-sha512", "c2VjcmV0IHNlY3JldCBzZWNyZXQ=")
	if err != nil {
		t.Fatal(err)
	}
	p := fullProfile(t)
	r := newResponder(newStore(t, name+" 60 IN SOA a. b. 1 1 1 1 1\n"), testDesk(&fakeNotifier{key: key}), p)
	m := notifyMsg(t, name, dns.TypeSOA, 0)
	query, mac := key.Sign(setCount(append(pack(t, m), optRecord(askCookie, askNSID)...), additionalSection, 1), nil, time.Now())
	out := r.answer(query, by(UDP), make([]byte, 0, maxUDP))
	if _, err := tsig.NewAnswer(key, mac).Next(out, time.Now()); err != nil {
		t.Errorf("answer: %v", err)
	}
	if h, _ := wire.ParseHeader(out); h.Rcode() != dns.RcodeSuccess || h.Flags&wire.FlagTC != 0 || h.QD != 1 {
		t.Errorf("got header %+v", h)
	}
}

// A signed NOTIFY may have been passed on under another ID; the answer has that one.
func TestNotifyForwarded(t *testing.T) {
	t.Parallel()
	key := testKey(t)
	r := newResponder(newStore(t, exampleOrg), testDesk(&fakeNotifier{key: key}), profile{udpSize: 1232})
	query, _ := key.Sign(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), nil, time.Now())
	id := binary.BigEndian.Uint16(query) + 1
	binary.BigEndian.PutUint16(query, id)
	out := r.answer(query, by(UDP), make([]byte, 512))
	if h, _ := wire.ParseHeader(out); h.ID != id || h.Rcode() != dns.RcodeSuccess {
		t.Errorf("got id %d rcode %d, want id %d and NOERROR", h.ID, h.Rcode(), id)
	}
}

// An answer to a NOTIFY is no NOTIFY: two servers would talk for ever.
func TestNotifyResponse(t *testing.T) {
	t.Parallel()
	key := testKey(t)
	notifier := &fakeNotifier{peer: testClient.Addr(), key: key}
	r := newResponder(newStore(t, exampleOrg), testDesk(notifier), profile{udpSize: 1232})
	m := notifyMsg(t, "example.org.", dns.TypeSOA, 8)
	m.Response = true
	signed, _ := key.Sign(pack(t, m), nil, time.Now())
	for _, msg := range [][]byte{pack(t, m), signed} {
		for _, transport := range []Transport{UDP, TCP} {
			if out := r.answer(msg, by(transport), make([]byte, 512)); out != nil {
				t.Errorf("by %v: answered with %x", transport, out)
			}
		}
	}
	if len(notifier.got) > 0 {
		t.Errorf("handed on %d", len(notifier.got))
	}
}

// Strangers are answered, and told of in the log, at a bounded rate. A peer is
// never limited, even if its address is forged by a flood of bad signatures.
func TestNotifyFlood(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	key := testKey(t)
	notifier := &fakeNotifier{peer: testClient.Addr(), key: key}
	desk := testDesk(notifier)
	desk.strangers = newSourceLimiter(10)
	desk.log, desk.lines = zap.New(core), rate.NewLimiter(0.001, 5)
	r := newResponder(newStore(t, exampleOrg), desk, profile{udpSize: 1232})
	stranger := netip.MustParseAddrPort("198.51.100.1:53")
	answered := 0
	for range 100 {
		if r.answer(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), &arrival{transport: UDP, client: stranger, at: time.Now()}, make([]byte, 512)) != nil {
			answered++
		}
	}
	if answered < 10 || answered > 30 { // the clock may pass a second or two meanwhile
		t.Errorf("answered %d of a stranger's 100, want about 10", answered)
	}
	if got := logs.FilterMessage("notify refused").Len(); got != 5 {
		t.Errorf("got %d log lines, want 5", got)
	}
	want := map[string]any{"zone": "example.org.", "peer": "198.51.100.1:53", "cause": "no peer"}
	if diff := cmp.Diff(want, logs.All()[0].ContextMap()); diff != "" {
		t.Errorf("log fields (-want +got):\n%s", diff)
	}
	wrong, err := tsig.NewKey("key.example.", "hmac-sha256", "c2VjcmV0")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		forged, _ := wrong.Sign(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), nil, time.Now())
		r.answer(forged, by(UDP), make([]byte, 512))
		if r.answer(pack(t, notifyMsg(t, "example.org.", dns.TypeSOA, 8)), by(UDP), make([]byte, 512)) == nil {
			t.Fatal("a peer's NOTIFY was dropped")
		}
	}
	if len(notifier.got) != 100 {
		t.Errorf("handed on %d, want 100", len(notifier.got))
	}
}

func TestSourceLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newSourceLimiter(3)
		a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
		count := func(addr netip.Addr) int {
			n := 0
			for range 10 {
				if l.allow(addr, time.Now()) {
					n++
				}
			}
			return n
		}
		if got := count(a); got != 3 {
			t.Errorf("first second: got %d, want 3", got)
		}
		time.Sleep(time.Second)
		if got := count(a); got != 3 {
			t.Errorf("next second: got %d, want 3", got)
		}
		time.Sleep(time.Second)
		for l.place(a) == l.place(b) {
			l.seed = maphash.MakeSeed()
		}
		if got := count(a) + count(b); got != 6 {
			t.Errorf("two sources: got %d, want 6", got)
		}
	})
}
