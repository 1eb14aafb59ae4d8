package nameserver

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// Options that carry nothing, as queries have them.
var (
	askNSID        = option(optionNSID, "")
	askExpire      = option(optionExpire, "")
	askCookie      = option(optionCookie, "12345678")
	askKeepalive   = option(optionKeepalive, "")
	askZoneVersion = option(optionZoneVersion, "")
	padding        = option(12, "\x00\x00\x00\x00")
	unknownOption  = option(65001, "?")
)

// fullProfile has every option on.
func fullProfile(t testing.TB) profile {
	return profile{
		udpSize:   1232,
		identity:  "ns1",
		nsid:      []byte("ns1.test"),
		agent:     wiretest.Name(t, "agent.example.org."),
		keepalive: keepaliveOf(10 * time.Second),
		cookies:   newCookieJar(newCookieSecret([16]byte{1})),
	}
}

func TestReadOptions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		data string
		ok   bool
		want options
	}{
		{"none", "", true, options{}},
		{"unknown", unknownOption + padding, true, options{}},
		{"NSID", askNSID, true, options{asked: withNSID}},
		{"NSID with a payload", option(optionNSID, "x"), true, options{asked: withNSID}},
		{"EXPIRE with a payload", option(optionExpire, "1234"), true, options{asked: withExpire}},
		{"all", askNSID + unknownOption + askExpire + askCookie + askKeepalive + padding + askZoneVersion, true, options{
			asked: withNSID | withExpire | withCookie | withKeepalive | withZoneVersion, cookie: []byte("12345678"),
		}},
		{"two cookies", askCookie + option(optionCookie, "abcdefgh"), true, options{asked: withCookie, cookie: []byte("12345678")}},
		{"empty cookie, then another", option(optionCookie, "") + askCookie, true, options{asked: withCookie, cookie: []byte{}}},
		{"keepalive with a time", option(optionKeepalive, "\x00\x01") + askKeepalive, true, options{asked: withKeepalive, keepaliveData: true}},
		{"ZONEVERSION with a payload", option(optionZoneVersion, "\x02\x00\x00\x00\x00\x01"), false, options{}},
		{"two ZONEVERSION", askZoneVersion + askNSID + askZoneVersion, false, options{}},
		{"half a head", askNSID + "\x00\x03\x00", false, options{}},
		{"beyond the end", askNSID + "\x00\x0A\x00\x09" + "12345678", false, options{}},
	} {
		var got options
		ok := got.read([]byte(tc.data))
		if ok != tc.ok {
			t.Errorf("%s: got %v, want %v", tc.name, ok, tc.ok)
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(options{})); ok && diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// TestOptionsInAnswers: which options an answer has, by question and query.
func TestOptionsInAnswers(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	store.Configure("empty", wiretest.Name(t, "empty.org."))
	everything := fullProfile(t)
	nothing := profile{udpSize: 1232}
	all := []string{askNSID, askExpire, askCookie, askKeepalive, askZoneVersion, padding, unknownOption}
	for _, tc := range []struct {
		name     string
		profile  profile
		question string
		options  []string
		rcode    int
		want     []uint16
	}{
		{"nothing asked", everything, "www.example.org A", nil, 0, []uint16{optionReportChannel}},
		{"all of an apex", everything, "Example.Org SOA", all, 0, []uint16{optionNSID, optionExpire, optionCookie, optionReportChannel, optionZoneVersion}},
		{"all over TCP", everything, "example.org SOA tcp", all, 0, []uint16{optionNSID, optionExpire, optionCookie, optionKeepalive, optionReportChannel, optionZoneVersion}},
		{"all, with everything off", nothing, "example.org SOA tcp", all, 0, []uint16{optionExpire, optionKeepalive, optionZoneVersion}},
		{"apex, but not the SOA", everything, "example.org NS", all, 0, []uint16{optionNSID, optionCookie, optionReportChannel, optionZoneVersion}},
		{"SOA, but not the apex", everything, "www.example.org SOA", all, 0, []uint16{optionNSID, optionCookie, optionReportChannel, optionZoneVersion}},
		{"NXDOMAIN", everything, "nothing.example.org A", all, rcodeNXDomain, []uint16{optionNSID, optionCookie, optionReportChannel, optionZoneVersion}},
		{"referral", everything, "x.sub.example.org A", all, 0, []uint16{optionNSID, optionCookie, optionReportChannel, optionZoneVersion}},
		{"not our zone", everything, "example.net SOA", all, rcodeRefused, []uint16{optionNSID, optionCookie, optionEDE}},
		{"no copy yet", everything, "empty.org SOA", all, rcodeServFail, []uint16{optionNSID, optionCookie, optionEDE, optionReportChannel}},
		{"the agent domain", everything, "AGENT.example.org A", nil, rcodeNXDomain, nil},
		{"below the agent domain", everything, "_er.1.www.7._er.agent.example.org TXT", nil, rcodeNXDomain, nil},
		{"beside the agent domain", everything, "xagent.example.org A", nil, rcodeNXDomain, []uint16{optionReportChannel}},
		{"keepalive with a time over UDP", everything, "www.example.org A", []string{option(optionKeepalive, "\x00\x64")}, 0, []uint16{optionReportChannel}},
		{"keepalive with a time over TCP", everything, "www.example.org A tcp", []string{option(optionKeepalive, "\x00\x64")}, rcodeFormErr, nil},
		{"ZONEVERSION with a payload", everything, "www.example.org A", []string{option(optionZoneVersion, "\x00")}, rcodeFormErr, nil},
		{"illegal cookie", everything, "www.example.org A", []string{option(optionCookie, "1234567")}, rcodeFormErr, nil},
		{"illegal cookie, cookies off", nothing, "www.example.org A", []string{option(optionCookie, "1234567")}, 0, nil},
		{"client subnet", everything, "agent.example.org A", []string{option(8, "\x00\x01\x18\x00\xC0\x00\x02")}, rcodeNXDomain, nil}, // RFC 7871
		{"malformed client subnet", everything, "agent.example.org A", []string{option(8, "\x00")}, rcodeNXDomain, nil},
		{"padding over UDP", everything, "agent.example.org A", []string{padding}, rcodeNXDomain, nil},
		{"padding over TCP", everything, "agent.example.org A tcp", []string{padding}, rcodeNXDomain, nil},
	} {
		r := newResponder(store, testDesk(&fakeNotifier{}), tc.profile)
		question, isTCP := strings.CutSuffix(tc.question, " tcp")
		transport := UDP
		if isTCP {
			transport = TCP
		}
		got, options := exchangeFrom(t, r, withAdditional(t, question, optRecord(tc.options...)), by(transport))
		if got.Rcode != tc.rcode || options == nil {
			t.Errorf("%s: got %s, options %v; want %s", tc.name, dns.RcodeToString[got.Rcode], options, dns.RcodeToString[tc.rcode])
		}
		slices.Sort(tc.want)
		if codes := slices.Sorted(maps.Keys(options)); !slices.Equal(codes, tc.want) {
			t.Errorf("%s: got options %v, want %v", tc.name, codes, tc.want)
		}
		if got, options := exchangeFrom(t, r, packed(t, question), by(transport)); options != nil {
			t.Errorf("%s: without OPT: got %v", tc.name, got)
		}
	}
}

func TestOptionContents(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	served := publish(t, store, exampleOrg)
	view := served.View()
	r := newResponder(store, testDesk(&fakeNotifier{}), fullProfile(t))
	query := withAdditional(t, "example.org SOA", optRecord(askNSID, askExpire, askKeepalive, askZoneVersion))
	for _, tc := range []struct {
		name   string
		at     time.Time
		expire string
	}{
		{"in time", view.Expires.Add(-90*time.Second - time.Millisecond), "\x00\x00\x00\x5A"},
		{"due to expire", view.Expires.Add(time.Second), "\x00\x00\x00\x00"},
		{"a clock in the past", view.Expires.AddDate(-200, 0, 0), "\xFF\xFF\xFF\xFF"},
	} {
		_, got := exchangeFrom(t, r, query, &arrival{transport: TCP, client: testClient, at: tc.at})
		want := map[uint16]string{
			optionNSID:          "ns1.test",
			optionExpire:        tc.expire,
			optionKeepalive:     "\x00\x64",
			optionReportChannel: "\x05agent\x07example\x03org\x00",
			optionZoneVersion:   string(append([]byte{2, 0}, serialOctets(view.Serial)...)),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func serialOctets(serial uint32) []byte {
	return []byte{byte(serial >> 24), byte(serial >> 16), byte(serial >> 8), byte(serial)}
}

// The version is that of the zone that answers: the parent's for DS at an apex.
func TestZoneVersionOf(t *testing.T) {
	t.Parallel()
	const (
		root   = "$ORIGIN .\n@ 60 SOA ns. a. 7 1 1 1 1\nexample. 60 NS ns.\n"
		parent = "$ORIGIN example.\n@ 60 SOA ns a 8 1 1 1 1\nchild 60 NS ns\n"
		child  = "$ORIGIN child.example.\n@ 60 SOA ns a 4294967295 1 1 1 1\n"
	)
	r := testResponder(newStore(t, root, parent, child))
	for question, want := range map[string]string{
		"nothing A":            "\x00\x00\x00\x00\x00\x07",
		"example SOA":          "\x01\x00\x00\x00\x00\x08",
		"x.child.example A":    "\x02\x00\xFF\xFF\xFF\xFF",
		"child.example DS":     "\x01\x00\x00\x00\x00\x08",
		"child.example DNSKEY": "\x02\x00\xFF\xFF\xFF\xFF",
	} {
		_, got := exchangeFrom(t, r, withAdditional(t, question, optRecord(askZoneVersion)), by(UDP))
		if got[optionZoneVersion] != want {
			t.Errorf("%s: got %x, want %x", question, got[optionZoneVersion], want)
		}
	}
}

func TestKeepaliveOf(t *testing.T) {
	t.Parallel()
	for idle, want := range map[time.Duration]uint16{
		time.Millisecond: 0, 199 * time.Millisecond: 1, 10 * time.Second: 100, 24 * time.Hour: 65535,
	} {
		if got := keepaliveOf(idle); got != want {
			t.Errorf("%v: got %d, want %d", idle, got, want)
		}
	}
}

// For every size: an answer with options stays within it; what was asked for is
// there even where records had to go, and the rest never costs a record.
func TestOptionsAndRoom(t *testing.T) {
	t.Parallel()
	p := fullProfile(t)
	p.udpSize = maxUDP
	p.nsid = []byte(strings.Repeat("n", 128))
	store := newStore(t, sizeZone())
	full := newResponder(store, testDesk(&fakeNotifier{}), p)
	bare := newResponder(store, testDesk(&fakeNotifier{}), profile{udpSize: maxUDP, cookies: p.cookies})
	sawNSID, sawNone, sawTC, sawWhole := false, false, false, false
	for size := 512; size <= 1700; size += 3 {
		query := withAdditional(t, "x.in20.s A", optRecord(askNSID, askCookie, askZoneVersion))
		at := len(query) - len(optRecord(askNSID, askCookie, askZoneVersion)) + 3
		query[at], query[at+1] = byte(size>>8), byte(size)
		from := by(UDP)
		out := full.answer(query, from, make([]byte, 0, maxUDP))
		got, options := exchangeFrom(t, full, query, from)
		want, _ := exchangeFrom(t, bare, query, from)
		if len(out) > size {
			t.Fatalf("size %d: got %d octets", size, len(out))
		}
		if len(options[optionCookie]) != cookieSize || len(options[optionZoneVersion]) != zoneVersionSize {
			t.Errorf("size %d: got options %v", size, options)
		}
		if got.Truncated != want.Truncated || len(got.Ns) != len(want.Ns) || len(got.Extra) != len(want.Extra) {
			t.Errorf("size %d: NSID cost records: got %v, want %v", size, got, want)
		}
		_, hasNSID := options[optionNSID]
		sawNSID, sawNone = sawNSID || hasNSID, sawNone || !hasNSID
		sawTC, sawWhole = sawTC || got.Truncated, sawWhole || !got.Truncated
	}
	if !sawNSID || !sawNone || !sawTC || !sawWhole {
		t.Errorf("the sizes tried say nothing: NSID %v %v, TC %v %v", sawNSID, sawNone, sawTC, sawWhole)
	}
}

// A text goes before its code, and a code before a record.
func TestExtendedErrorAndRoom(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t))
	r.extended = extendedError{extendedInvalidData, "why"}
	for room, want := range map[int]string{
		5: "", 6: "\x00\x0F\x00\x02\x00\x18", 8: "\x00\x0F\x00\x02\x00\x18", 9: "\x00\x0F\x00\x05\x00\x18why",
	} {
		r.size = 100 + room
		if got := r.appendExtendedError(make([]byte, 100))[100:]; string(got) != want {
			t.Errorf("%d octets left: got %x, want %x", room, got, want)
		}
	}
}

// The largest question and every option that is promised fit the smallest answer.
func TestSmallestAnswerHasRoom(t *testing.T) {
	t.Parallel()
	p := fullProfile(t)
	r := newResponder(newStore(t, exampleOrg), testDesk(&fakeNotifier{}), p)
	label := strings.Repeat("a", 63)
	name := strings.Join([]string{label, label, label, label[:49], "example.org"}, ".")
	if got := len(wiretest.Name(t, dns.Fqdn(name))); got != wire.MaxName {
		t.Fatalf("the name has %d octets", got)
	}
	query := withAdditional(t, name+" A", optRecord(askCookie, askZoneVersion))
	query[len(query)-len(optRecord(askCookie, askZoneVersion))+3] = 2 // 512 octets
	got, options := exchangeFrom(t, r, query, by(UDP))
	if got.Rcode != rcodeNXDomain || got.Truncated || len(got.Ns) != 1 || len(options[optionCookie]) != cookieSize {
		t.Errorf("got %v", got)
	}
}
