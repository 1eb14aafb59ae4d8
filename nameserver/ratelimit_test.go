package nameserver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/ratelimit"
	"secondaryd/metrics"
)

// limitedWorker answers for exampleOrg within limits.
func limitedWorker(t testing.TB, o ratelimit.Options, log *zap.Logger) *worker {
	t.Helper()
	w := testWorker(newStore(t, exampleOrg, nsecExample))
	limiter, err := newLimiter(o, log)
	if err != nil {
		t.Fatal(err)
	}
	w.limiter = limiter
	w.responder.limits = limiter != nil
	return w
}

// fate puts a question n times at the same time and tells what came of each:
// "+" an answer, "t" a truncated one, "-" nothing.
func fate(t testing.TB, w *worker, question, client string, n int) string {
	t.Helper()
	query, transport := parseQuestion(t, question)
	octets, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for range n {
		out := w.handle(octets, &arrival{transport: transport, client: netip.AddrPortFrom(netip.MustParseAddr(client), 53), at: w.limiter.start}, make([]byte, maxUDP))
		var got dns.Msg
		switch {
		case out == nil:
			all.WriteByte('-')
			continue
		case got.Unpack(out) != nil:
			t.Fatalf("%s: answer does not unpack: %x", question, out)
		case got.Truncated:
			all.WriteByte('t')
			if len(got.Question) != 1 || len(got.Answer)+len(got.Ns)+len(withoutOPT(got.Extra)) > 0 {
				t.Errorf("%s: not empty: %v", question, &got)
			}
		default:
			all.WriteByte('+')
		}
		if (got.IsEdns0() != nil) != (query.IsEdns0() != nil) {
			t.Errorf("%s: OPT is %v", question, got.IsEdns0())
		}
	}
	return all.String()
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	const client, neighbour, other = "192.0.2.1", "192.0.2.200", "198.51.100.1"
	w := limitedWorker(t, ratelimit.Options{Rate: 2, Slip: 2, Exempt: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, zap.NewNop())
	for _, tc := range []struct{ question, client, want string }{
		{"www.example.org A do", client, "++t-t-"},
		{"www.example.org A", neighbour, "t-"}, // of the same block
		{"www.example.org A", other, "++t-"},
		{"www.example.org A", "203.0.113.9", "++++++"},
		{"www.example.org A tcp", client, "++++++"},
		{"mail.example.org A", client, "++t-"}, // another answer
		{"www.example.net A edns", client, "++----"},
	} {
		if got := fate(t, w, tc.question, tc.client, len(tc.want)); got != tc.want {
			t.Errorf("%s from %s: got %s, want %s", tc.question, tc.client, got, tc.want)
		}
	}
}

// A client that has a good cookie asks in its own name.
func TestRateLimitSparesCookies(t *testing.T) {
	t.Parallel()
	w := limitedWorker(t, ratelimit.Options{Rate: 1}, zap.NewNop())
	w.responder.cookies = jarOf(t, rfcSecret)
	query := withAdditional(t, "www.example.org A", optRecord(option(optionCookie, "12345678")))
	exchange := func() []byte {
		return w.handle(query, &arrival{transport: UDP, client: testClient, at: w.limiter.start}, make([]byte, maxUDP))
	}
	given := optionsIn(t, exchange())[optionCookie]
	if exchange() != nil {
		t.Error("half a cookie is not limited")
	}
	query = withAdditional(t, "www.example.org A", optRecord(option(optionCookie, given)))
	for range 5 {
		if exchange() == nil {
			t.Error("a good cookie is limited")
		}
	}
	query = packed(t, "www.example.org A")
	if exchange() != nil {
		t.Error("a cookie of before counts")
	}
}

func TestRateLimitLogOnly(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	w := limitedWorker(t, ratelimit.Options{Rate: 1, LogOnly: true}, zap.New(core))
	if got := fate(t, w, "www.example.org A", "192.0.2.77", 4); got != "++++" {
		t.Errorf("got %s", got)
	}
	all := logs.All()
	if len(all) != 1 {
		t.Fatalf("got log %v, want one line", all)
	}
	if got := fmt.Sprint(all[0].Message, all[0].ContextMap()); got != "answers are rate limitedmap[answers:positive clients:192.0.2.0/24 name:www.example.org.]" {
		t.Errorf("got %s", got)
	}
}

// Answers that resemble each other share a limit, whatever the question.
func TestAlikeAnswers(t *testing.T) {
	t.Parallel()
	w := limitedWorker(t, ratelimit.Options{Rate: 1}, zap.NewNop())
	for i, tc := range []struct {
		a, b  string
		alike bool
	}{
		{"www.example.org A", "WWW.example.org A do", true},
		{"www.example.org A", "mail.example.org A", false},
		{"example.org NS", "example.org SOA", false},
		{"www.example.org AAAA", "www.example.org TXT", true}, // no data
		{"www.example.org AAAA", "ns.example.org TXT", false},
		{"x.nothing.example.org A", "y.example.org MX", true}, // no such name
		{"nothing.a.b.c.example.org A", "nothing.example.org A", false},
		{"x.wild.example.org A", "y.z.wild.example.org A", true},
		{"x.wild.example.org A", "x.wild.example.org MX", false},
		{"x.wild.example.org TXT", "y.wild.example.org NS", true},
		{"x.sub.example.org A", "y.z.sub.example.org NS do", true},
		{"x.sub.example.org A", "x.sib.example.org A", false},
		{"x.dn.example.org A", "y.dn.example.org A", true},
		{"alias.example.org A", "alias.example.org A do", true},
		{"alias.example.org A", "www.example.org A", false},
		{"example.net A", "example.com MX", true}, // REFUSED
	} {
		client := netip.AddrFrom4([4]byte{10, 0, byte(i), 1}).String()
		first, second := fate(t, w, tc.a, client, 1), fate(t, w, tc.b, client, 1)
		if first != "+" || (second == "-") != tc.alike {
			t.Errorf("%s, then %s: got %s%s, want alike %v", tc.a, tc.b, first, second, tc.alike)
		}
	}
}

func TestRateLimitOff(t *testing.T) {
	t.Parallel()
	for _, o := range []ratelimit.Options{{}, {Slip: 2, Window: time.Second}, {Rate: ratelimit.Unlimited, ErrorRate: ratelimit.Unlimited}} {
		if l, err := newLimiter(o, zap.NewNop()); l != nil || err != nil {
			t.Errorf("%+v: got %v, %v; want none", o, l, err)
		}
	}
	_, err := New(Options{Listen: []string{"127.0.0.1:0"}, RateLimit: ratelimit.Options{Rate: 1, Slip: -1}, Metrics: metrics.NewDNS(prometheus.NewRegistry())})
	if err == nil || !strings.Contains(err.Error(), "slip") {
		t.Errorf("got %v, want an error about slip", err)
	}
}

func TestRateLimitAllocatesNothing(t *testing.T) {
	w := limitedWorker(t, ratelimit.Options{Rate: 5, Slip: 2}, zap.NewNop())
	for name, question := range pathQueries {
		query, out, from := packed(t, question), make([]byte, maxUDP), by(UDP)
		w.handle(query, from, out)
		if n := testing.AllocsPerRun(200, func() { w.handle(query, from, out) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
	}
}
