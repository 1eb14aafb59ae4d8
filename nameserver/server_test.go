package nameserver

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/zonestore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline ends reads of tests that would wait for ever.
const deadline = 10 * time.Second

// startServer runs a server on loopback until the test ends. Options that are
// not set get what suits a test.
func startServer(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Listen == nil {
		o.Listen = []string{"127.0.0.1:0"}
	}
	if o.Zones == nil {
		o.Zones = newStore(t, exampleOrg, sizeZone())
	}
	if o.Notifier == nil {
		o.Notifier = &fakeNotifier{}
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewDNS(prometheus.NewRegistry())
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s
}

func dial(t *testing.T, network string, addr netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// lookUp asks for www.example.org A and wants its two addresses.
func lookUp(t *testing.T, conn net.Conn) {
	t.Helper()
	query, _ := parseQuestion(t, "www.example.org A")
	c := &dns.Conn{Conn: conn}
	if err := c.WriteMsg(query); err != nil {
		t.Fatal(err)
	}
	got, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	if got.Id != query.Id || len(got.Answer) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestServeBoth(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	s := startServer(t, Options{Listen: []string{"127.0.0.1:0", "127.0.0.2:0"}, Workers: 3, Metrics: metrics.NewDNS(registry)})
	for _, addr := range s.Addrs() {
		for _, network := range []string{"udp", "tcp"} {
			for range 8 { // enough for every socket to get one, by hash of the port
				lookUp(t, dial(t, network, addr))
			}
		}
	}
	want := `
# HELP secondaryd_dns_queries_total Queries that were answered, by transport, query type and response code.
# TYPE secondaryd_dns_queries_total counter
secondaryd_dns_queries_total{rcode="NOERROR",transport="tcp",type="A"} 16
secondaryd_dns_queries_total{rcode="NOERROR",transport="udp",type="A"} 16
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "secondaryd_dns_queries_total"); err != nil {
		t.Error(err)
	}
}

// Queries are counted for the zone that their name is in, whoever answers them,
// and for none where there is none.
func TestCountByZone(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg, signedExample)
	s := startServer(t, Options{Listen: []string{"127.0.0.1:0"}, Workers: 3, Zones: store, ByZone: true})
	for _, network := range []string{"udp", "tcp"} {
		for range 8 {
			lookUp(t, dial(t, network, s.Addrs()[0]))
		}
		c := &dns.Conn{Conn: dial(t, network, s.Addrs()[0])}
		for _, question := range []string{"nothing.example.org A", "example.net A"} {
			query, _ := parseQuestion(t, question)
			if err := c.WriteMsg(query); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadMsg(); err != nil {
				t.Fatal(err)
			}
		}
	}
	registry := prometheus.NewRegistry()
	metrics.RegisterZones(registry, false, true, func() iter.Seq[metrics.Zone] {
		return func(yield func(metrics.Zone) bool) {
			for _, z := range store.All() {
				if !yield(metrics.Zone{Name: z.Apex().String(), State: "serving", Queries: z.Queries()}) {
					return
				}
			}
		}
	})
	want := `
# HELP secondaryd_zone_queries_total Queries about the zone that were answered, by response code.
# TYPE secondaryd_zone_queries_total counter
secondaryd_zone_queries_total{rcode="NOERROR",zone="example.org."} 16
secondaryd_zone_queries_total{rcode="NXDOMAIN",zone="example.org."} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "secondaryd_zone_queries_total"); err != nil {
		t.Error(err)
	}
}

// An answer leaves from the address that was asked: a connected socket takes no other.
func TestWildcardAddress(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Listen: []string{"0.0.0.0:0"}, Workers: 2})
	port := s.Addrs()[0].Port()
	for _, addr := range []string{"127.0.0.1", "127.0.0.2", "127.5.6.7"} {
		for _, network := range []string{"udp", "tcp"} {
			lookUp(t, dial(t, network, netip.AddrPortFrom(netip.MustParseAddr(addr), port)))
		}
	}
}

func TestWildcardAddressIPv6(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, Options{Listen: []string{"[::]:0"}})
	port := s.Addrs()[0].Port()
	for _, network := range []string{"udp", "tcp"} {
		lookUp(t, dial(t, network, netip.AddrPortFrom(netip.IPv6Loopback(), port)))
	}
	// It has not taken IPv4.
	lookUp(t, dial(t, "udp", startServer(t, Options{Listen: []string{fmt.Sprintf("0.0.0.0:%d", port)}}).Addrs()[0]))
}

// The same socket options that let workers share an address would let two daemons.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	addr := startServer(t, Options{}).Addrs()[0].String()
	_, err := New(Options{Listen: []string{"127.0.0.1:0", addr}})
	want := "dns.listen " + addr + ": address already in use by another process (udp): stop it or choose another address"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr = listener.Addr().String()
	_, err = New(Options{Listen: []string{addr}})
	want = "dns.listen " + addr + ": address already in use by another process (tcp): stop it or choose another address"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"192.0.2.1:0": "dns.listen 192.0.2.1:0: this machine does not have that address (udp)",
		"localhost:0": "dns.listen localhost:0: ",
	} {
		if _, err := New(Options{Listen: []string{listen}}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", listen, err, want)
		}
	}
}

// Addresses of ours that overlap are no other process.
func TestOverlappingAddresses(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	for _, hosts := range [][]string{
		{"0.0.0.0", "127.0.0.1"},
		{"127.0.0.1", "0.0.0.0"},
		{"127.0.0.1", "127.0.0.1"},
	} {
		var addresses []string
		for _, host := range hosts {
			addresses = append(addresses, fmt.Sprintf("%s:%d", host, port))
		}
		s, err := listen(addresses, 2)
		if err != nil {
			t.Errorf("%v: %v", hosts, err)
			continue
		}
		if len(s.udp) != 2 || len(s.tcp) != 1 || fmt.Sprint(s.addrs) != fmt.Sprint(addresses) {
			t.Errorf("%v: %d UDP sockets, %d TCP listeners for %v", hosts, len(s.udp), len(s.tcp), s.addrs)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	all := fmt.Sprintf("0.0.0.0:%d", port)
	s := startServer(t, Options{Listen: []string{all, fmt.Sprintf("127.0.0.1:%d", port)}})
	lookUp(t, dial(t, "udp", s.Addrs()[1]))
	lookUp(t, dial(t, "tcp", s.Addrs()[1]))
}

// freePort returns a port that is free for both protocols on all addresses.
func freePort(t *testing.T) uint16 {
	t.Helper()
	udp, tcp, err := claim(netip.MustParseAddrPort("0.0.0.0:0"))
	if err != nil {
		t.Fatal(err)
	}
	addr := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	if err := errors.Join(udp.Close(), tcp.Close()); err != nil {
		t.Fatal(err)
	}
	return addr.Port()
}

// mustBeFree fails the test if something has the address.
func mustBeFree(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	udp, tcp, err := claim(addr)
	if err != nil {
		t.Errorf("the address is not free again: %v", err)
		return
	}
	if err := errors.Join(udp.Close(), tcp.Close()); err != nil {
		t.Error(err)
	}
}

func TestCloseWithoutRun(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Listen: []string{"127.0.0.1:0"}, Zones: newStore(t), Metrics: metrics.NewDNS(prometheus.NewRegistry()), Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustBeFree(t, s.Addrs()[0])
}

// What must get no answer over UDP gets none, and does not end the worker.
func TestUDPSurvives(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Workers: 1})
	conn := dial(t, "udp", s.Addrs()[0])
	for _, junk := range [][]byte{{}, {1}, make([]byte, 11), append([]byte{0, 1, 0x80}, make([]byte, 40)...), make([]byte, 9000)} {
		if _, err := conn.Write(junk); err != nil {
			t.Fatal(err)
		}
	}
	// 9,000 zeros are a header without a question, so FORMERR comes first.
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if h, _ := wire.ParseHeader(answer[:n]); err != nil || n != wire.HeaderSize || h.Rcode() != rcodeFormErr {
		t.Errorf("got %x, %v; want FORMERR", answer[:n], err)
	}
	lookUp(t, conn)
}

// panicking zones stand for any bug in answering.
type panickingZones struct{}

func (panickingZones) Seed() uint64                                      { return 1 }
func (panickingZones) Find(*wire.Suffixes, int) (*zonestore.Served, int) { panic("a bug") }

func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	registry := prometheus.NewRegistry()
	s := startServer(t, Options{Zones: panickingZones{}, Metrics: metrics.NewDNS(registry), Log: zap.New(core), Workers: 1})
	const each = 20
	for _, network := range []string{"udp", "tcp"} {
		c := &dns.Conn{Conn: dial(t, network, s.Addrs()[0])}
		for range each {
			query, _ := parseQuestion(t, "www.example.org A")
			if err := c.WriteMsg(query); err != nil {
				t.Fatal(err)
			}
			got, err := c.ReadMsg()
			if err != nil || got.Id != query.Id || got.Rcode != dns.RcodeServerFailure || !got.Response {
				t.Fatalf("got %v, %v; want SERVFAIL", got, err)
			}
		}
	}
	want := fmt.Sprintf(`
# HELP secondaryd_dns_panics_total Messages whose handling panicked, which is always a bug. They were answered SERVFAIL.
# TYPE secondaryd_dns_panics_total counter
secondaryd_dns_panics_total %d
`, 2*each)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "secondaryd_dns_panics_total"); err != nil {
		t.Error(err)
	}
	if n := logs.FilterMessage("answering panicked").Len(); n < faultRate || n >= 2*each {
		t.Errorf("got %d log lines for %d panics", n, 2*each)
	}
}

// A NOTIFY comes by either transport.
func TestNotifyOverSockets(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		notifier := &fakeNotifier{peer: netip.MustParseAddr("127.0.0.1")}
		s := startServer(t, Options{Notifier: notifier, Workers: 1})
		c := &dns.Conn{Conn: dial(t, network, s.Addrs()[0])}
		if err := c.WriteMsg(new(dns.Msg).SetNotify("example.org.")); err != nil {
			t.Fatal(err)
		}
		got, err := c.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		if got.Rcode != dns.RcodeSuccess || notifier.last() != "example.org." {
			t.Errorf("%s: got %v and zone %q", network, got, notifier.last())
		}
	}
}

// Answers go on while versions are published, and Run ends all it started.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg)
	s, err := New(Options{
		Listen: []string{"127.0.0.1:0"}, Zones: store, Notifier: &fakeNotifier{},
		Metrics: metrics.NewDNS(prometheus.NewRegistry()), Log: zap.NewNop(), Workers: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	idle, half := dial(t, "tcp", s.Addrs()[0]), dial(t, "tcp", s.Addrs()[0])
	lookUp(t, idle)
	if _, err := half.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	udp := dial(t, "udp", s.Addrs()[0])
	for range 20 {
		publish(t, store, exampleOrg)
		lookUp(t, udp)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(deadline):
		t.Fatal("Run goes on")
	}
	for _, conn := range []net.Conn{idle, half} {
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("connection is still open: %v", err)
		}
	}
	mustBeFree(t, s.Addrs()[0])
}

// Cookies reach clients, with the secrets that are set at the time.
func TestServerCookies(t *testing.T) {
	t.Parallel()
	first, second := jarOf(t, rfcOldSecret), jarOf(t, rfcNewSecret)
	shared := startServer(t, Options{Cookies: true, CookieSecrets: first.load()})
	random := startServer(t, Options{Cookies: true})
	off := startServer(t, Options{})
	madeBy := func(s *Server, jar *cookieJar, network string) bool {
		t.Helper()
		conn := &dns.Conn{Conn: dial(t, network, s.Addrs()[0])}
		if _, err := conn.Write(withAdditional(t, "www.example.org A", optRecord(askCookie))); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 512)
		size, err := conn.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		got := optionsIn(t, answer[:size])[optionCookie]
		return jar.answer(new(cookie), []byte(got), netip.MustParseAddr("127.0.0.1"), uint32(time.Now().Unix()))
	}
	for _, network := range []string{"udp", "tcp"} {
		if !madeBy(shared, first, network) || madeBy(shared, second, network) {
			t.Errorf("%s: the cookie is not made with the secret that was set", network)
		}
		if !madeBy(random, random.profile.cookies, network) || madeBy(random, first, network) {
			t.Errorf("%s: the cookie is not made with the random secret", network)
		}
		if madeBy(off, first, network) {
			t.Errorf("%s: a cookie though they are off", network)
		}
	}
	shared.SetCookieSecrets(append(second.load(), first.load()...))
	off.SetCookieSecrets(second.load())
	if !madeBy(shared, second, "udp") || madeBy(off, second, "udp") {
		t.Error("other secrets are not taken, or cookies are turned on by them")
	}
}
