package nameserver

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// Secrets and addresses of RFC 9018 appendix A.
const (
	rfcSecret    = "e5e973e5a6b2a43f48e7dc849e37bfcf"
	rfcOldSecret = "dd3bdf9344b678b185a6f5cb60fca715"
	rfcNewSecret = "445536bcd2513298075a5d379663c962"
)

func jarOf(t testing.TB, secrets ...string) *cookieJar {
	t.Helper()
	parsed, err := ParseCookieSecrets([]byte(strings.Join(secrets, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return newCookieJar(parsed...)
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCookieVectors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		secrets  []string
		client   string
		received string
		now      uint32
		good     bool
		want     string
	}{
		{"A.1: the first", []string{rfcSecret}, "198.51.100.100", "2464c4abcf10c957", 1559731985, false, "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
		{"A.2: renewed", []string{rfcSecret}, "198.51.100.100", "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559734385, true, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
		{"A.3: another client, made anew", []string{rfcSecret}, "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559734700, false, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
		{"A.3: reserved octets while young", []string{rfcSecret}, "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559728000, true, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"},
		{"A.4: IPv6, secret rolled over", []string{rfcNewSecret, rfcOldSecret}, "2001:db8:220:1:59de:d0f4:8769:82b8", "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, true, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
		{"A.4: old secret gone", []string{rfcNewSecret}, "2001:db8:220:1:59de:d0f4:8769:82b8", "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, false, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
	} {
		var got cookie
		good := jarOf(t, tc.secrets...).answer(&got, unhex(t, tc.received), netip.MustParseAddr(tc.client), tc.now)
		if good != tc.good || hex.EncodeToString(got[:]) != tc.want {
			t.Errorf("%s: got %v %x, want %v %s", tc.name, good, got, tc.good, tc.want)
		}
	}
}

// TestCookieAges: good until an hour old or five minutes ahead, renewed after
// half an hour; also where 32 bits of seconds wrap.
func TestCookieAges(t *testing.T) {
	t.Parallel()
	jar, client := jarOf(t, rfcSecret), netip.MustParseAddr("192.0.2.1")
	for _, made := range []uint32{1_700_000_000, 1<<32 - 1000, 100} {
		var first cookie
		jar.answer(&first, []byte("12345678"), client, made)
		for _, tc := range []struct {
			age           int32
			good, renewed bool
		}{
			{0, true, false},
			{1800, true, false},
			{1801, true, true},
			{3600, true, true},
			{3601, false, true},
			{-300, true, false},
			{-301, false, true},
			{-1 << 31, false, true},
		} {
			var next cookie
			good := jar.answer(&next, first[:], client, made+uint32(tc.age))
			if good != tc.good || (next != first) != tc.renewed {
				t.Errorf("made %d, age %d: got good %v, renewed %v", made, tc.age, good, next != first)
			}
		}
	}
}

func TestBadCookies(t *testing.T) {
	t.Parallel()
	const now = 1_700_000_000
	jar, client := jarOf(t, rfcSecret), netip.MustParseAddr("192.0.2.1")
	var made cookie
	jar.answer(&made, []byte("12345678"), client, now)
	if !jar.answer(new(cookie), made[:], client, now) {
		t.Fatal("the cookie itself is not good")
	}
	if jar.answer(new(cookie), made[:], netip.MustParseAddr("192.0.2.2"), now) || jar.answer(new(cookie), made[:], netip.MustParseAddr("::ffff:192.0.2.1"), now) {
		t.Error("good for another address")
	}
	for i := range made {
		bad := made
		bad[i] ^= 1
		if jar.answer(new(cookie), bad[:], client, now) {
			t.Errorf("octet %d does not matter", i)
		}
	}
	for _, size := range []int{8, 16, 23, 25, 40} {
		if jar.answer(new(cookie), append(made[:], make([]byte, 16)...)[:size], client, now) {
			t.Errorf("good with %d octets", size)
		}
	}
}

// TestCookieQueries: cookies as they come in queries.
func TestCookieQueries(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	r := newResponder(store, testDesk(&fakeNotifier{}), profile{udpSize: 1232, cookies: jarOf(t, rfcSecret)})
	off := testResponder(store)
	from := &arrival{transport: UDP, client: testClient, at: time.Unix(1_700_000_000, 0)}
	var made cookie
	r.cookies.answer(&made, []byte("12345678"), testClient.Addr(), 1_700_000_000)
	good, bad := option(optionCookie, string(made[:])), option(optionCookie, string(made[:23])+"?")
	foreign := option(optionCookie, "12345678"+"16 octets of any")
	const question = "www.example.org A"
	for _, tc := range []struct {
		name     string
		r        *responder
		question string // none if empty
		opt      []string
		rcode    int
		cookie   bool
	}{
		{"the client's", r, question, []string{optRecord(askCookie)}, dns.RcodeSuccess, true},
		{"a good one", r, question, []string{optRecord(good)}, dns.RcodeSuccess, true},
		{"a bad one counts as none", r, question, []string{optRecord(bad)}, dns.RcodeSuccess, true},
		{"another server's counts as none", r, question, []string{optRecord(foreign)}, dns.RcodeSuccess, true},
		{"none", r, question, []string{optRecord()}, dns.RcodeSuccess, false},
		{"in an error", r, "example.net A", []string{optRecord(askCookie)}, dns.RcodeRefused, true},
		{"in version 1", r, question, []string{"\x00\x00\x29\x10\x00\x00\x01\x00\x00\x00\x0C" + askCookie}, dns.RcodeBadVers, false},
		{"two OPT", r, question, []string{optRecord(askCookie), optRecord()}, dns.RcodeFormatError, false},
		{"cookies off", off, question, []string{optRecord(good)}, dns.RcodeSuccess, false},

		{"no question: the client's", r, "", []string{optRecord(askCookie)}, dns.RcodeSuccess, true},
		{"no question: a good one", r, "", []string{optRecord(good)}, dns.RcodeSuccess, true},
		{"no question: a bad one", r, "", []string{optRecord(bad)}, dns.RcodeBadCookie, true},
		{"no question: illegal", r, "", []string{optRecord(option(optionCookie, "1"))}, dns.RcodeFormatError, false},
		{"no question: no cookie", r, "", []string{optRecord(askNSID)}, dns.RcodeFormatError, false},
		{"no question: cookies off", off, "", []string{optRecord(askCookie)}, dns.RcodeFormatError, false},
	} {
		query := append([]byte(bareHeader), tc.opt[0]...)
		if tc.question != "" {
			query = withAdditional(t, tc.question, tc.opt...)
		}
		got, options := exchangeFrom(t, tc.r, query, from)
		cookie, has := options[optionCookie]
		if got.Rcode != tc.rcode || has != tc.cookie || options == nil {
			t.Errorf("%s: got %s, cookie %x; want %s, cookie %v", tc.name, dns.RcodeToString[got.Rcode], cookie, dns.RcodeToString[tc.rcode], tc.cookie)
		}
		if has && cookie[:8] != "12345678" || has && len(cookie) != cookieSize {
			t.Errorf("%s: got cookie %x", tc.name, cookie)
		}
		if tc.question == "" && (len(got.Question) > 0 || len(got.Answer)+len(got.Ns) > 0 || got.Authoritative) {
			t.Errorf("%s: got %v, want nothing but OPT", tc.name, got)
		}
	}
}

func TestCookieLengths(t *testing.T) {
	t.Parallel()
	for size := range 64 {
		want := size == 8 || size >= 16 && size <= 40
		if got := legalCookie(make([]byte, size)); got != want {
			t.Errorf("%d octets: got %v", size, got)
		}
	}
}

// A query without a question is legal with opcode QUERY alone.
func TestNotifyWithoutQuestion(t *testing.T) {
	t.Parallel()
	r := newResponder(newStore(t), testDesk(&fakeNotifier{}), fullProfile(t))
	query := append([]byte(bareHeader), optRecord(askCookie)...)
	query[2] = wire.OpcodeNotify << 3
	if got := exchange(t, r, query, UDP); got.Rcode != rcodeFormErr {
		t.Errorf("got %v, want FORMERR", got)
	}
}
