package nameserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/time/rate"

	"secondaryd/metrics"
)

// framed returns n queries as they follow each other on a connection, with IDs
// from 0 on.
func framed(t *testing.T, question string, n int) []byte {
	t.Helper()
	query := packed(t, question)
	var all []byte
	for id := range n {
		binary.BigEndian.PutUint16(query, uint16(id))
		all = binary.BigEndian.AppendUint16(all, uint16(len(query)))
		all = append(all, query...)
	}
	return all
}

// readAnswers reads n answers and checks that their IDs count from 0.
func readAnswers(t *testing.T, conn net.Conn, n int) {
	t.Helper()
	c := &dns.Conn{Conn: conn}
	for id := range n {
		got, err := c.ReadMsg()
		if err != nil {
			t.Fatalf("answer %d of %d: %v", id, n, err)
		}
		if int(got.Id) != id || got.Rcode != dns.RcodeSuccess || len(got.Answer) == 0 {
			t.Fatalf("answer %d: got %v", id, got)
		}
	}
}

func wantClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	n, err := conn.Read(make([]byte, 1))
	if n != 0 || err == nil || errors.Is(err, syscall.EAGAIN) {
		t.Errorf("connection is still open: %d octets, %v", n, err)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("connection is still open after the test's deadline")
	}
}

func send(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(deadline); !condition(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (t *connTable) count() (open, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.open {
		if c.entry.idleSince.Load() != 0 {
			waiting++
		}
	}
	return len(t.open), waiting
}

// eventuallyWaiting waits until n connections are open and all wait.
func eventuallyWaiting(t *testing.T, s *Server, n int) {
	t.Helper()
	eventually(t, "idle connections", func() bool {
		open, waiting := s.tcp.conns.count()
		return open == n && waiting == n
	})
}

func TestPipelining(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{MaxInFlight: 7})
	conn := dial(t, "tcp", s.Addrs()[0])
	for _, n := range []int{1, 6, 7, 8, 500} {
		send(t, conn, framed(t, "www.example.org A", n))
		readAnswers(t, conn, n)
	}
}

// Queries may come in pieces of any size.
func TestPartialReads(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	conn := dial(t, "tcp", s.Addrs()[0])
	if err := conn.(*net.TCPConn).SetNoDelay(true); err != nil {
		t.Fatal(err)
	}
	all := framed(t, "www.example.org A", 3)
	for i := range all {
		send(t, conn, all[i:i+1])
	}
	readAnswers(t, conn, 3)
	for step := range 5 {
		all := framed(t, "www.example.org A", 9)
		for size := 11 * (step + 1); len(all) > 0; {
			n := min(size, len(all))
			send(t, conn, all[:n])
			all = all[n:]
		}
		readAnswers(t, conn, 9)
	}
}

// A client that has sent all its queries and says so gets all answers.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	for _, n := range []int{1, 200} {
		conn := dial(t, "tcp", s.Addrs()[0])
		send(t, conn, framed(t, "mx100.s MX", n))
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		readAnswers(t, conn, n)
		wantClosed(t, conn)
	}
}

// Queries before a message of no octets are answered, then the connection ends.
func TestLengthZero(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	conn := dial(t, "tcp", s.Addrs()[0])
	send(t, conn, append(framed(t, "www.example.org A", 2), 0, 0))
	readAnswers(t, conn, 2)
	wantClosed(t, conn)
}

// Queries larger than the read buffer are taken too, up to the largest there is.
func TestLargeQueries(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	c := &dns.Conn{Conn: dial(t, "tcp", s.Addrs()[0])}
	for _, size := range []int{100, 5000, tcpRead - 3, tcpRead - 2, tcpRead - 1, tcpRead, 2 * tcpRead, 65535} {
		m, _ := parseQuestion(t, "www.example.org A edns")
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, size-m.Len()-4)}}
		for range 2 {
			if err := c.WriteMsg(m); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			got, err := c.ReadMsg()
			if err != nil || len(got.Answer) != 2 {
				t.Fatalf("%d octets: got %v, %v", size, got, err)
			}
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{IdleTimeout: 20 * time.Millisecond, ReadTimeout: time.Minute})
	conn := dial(t, "tcp", s.Addrs()[0])
	lookUp(t, conn)
	wantClosed(t, conn)
}

func TestReadTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{IdleTimeout: time.Minute, ReadTimeout: 20 * time.Millisecond})
	query := framed(t, "www.example.org A", 1)
	for _, part := range [][]byte{query[:1], query[:2], query[:20], {0xFF, 0xFF, 1}} {
		conn := dial(t, "tcp", s.Addrs()[0])
		send(t, conn, part)
		wantClosed(t, conn)
	}
}

// A client that does not read its answers is let go, and others are served meanwhile.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	s := startServer(t, Options{WriteTimeout: 50 * time.Millisecond, Metrics: metrics.NewDNS(registry)})
	slow := dial(t, "tcp", s.Addrs()[0])
	queries := framed(t, "mx1000.s MX", 2000)
	if _, err := slow.Write(queries); err == nil {
		lookUp(t, dial(t, "tcp", s.Addrs()[0]))
	}
	eventually(t, "the slow connection's end", func() bool {
		n, err := testutil.GatherAndCount(registry, "secondaryd_dns_send_failures_total")
		if err != nil || n != 2 {
			t.Fatalf("%d series, %v", n, err)
		}
		return testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP secondaryd_dns_send_failures_total Answers that could not be sent.
# TYPE secondaryd_dns_send_failures_total counter
secondaryd_dns_send_failures_total{transport="tcp"} 1
secondaryd_dns_send_failures_total{transport="udp"} 0
`), "secondaryd_dns_send_failures_total") == nil
	})
}

// When the table is full, the connection that waits for longest goes, also one
// that waits in the middle of a query.
func TestOldestIdleGoes(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{MaxConns: 3})
	var conns []net.Conn
	for i := range 3 {
		conns = append(conns, dial(t, "tcp", s.Addrs()[0]))
		lookUp(t, conns[i])
		eventuallyWaiting(t, s, i+1)
	}
	lookUp(t, conns[0]) // now 1 has waited for longest
	eventuallyWaiting(t, s, 3)
	lookUp(t, dial(t, "tcp", s.Addrs()[0]))
	wantClosed(t, conns[1])
	eventuallyWaiting(t, s, 3)

	send(t, conns[2], []byte{0, 50, 1, 2, 3}) // half a query makes no difference
	lookUp(t, dial(t, "tcp", s.Addrs()[0]))
	wantClosed(t, conns[2])
	lookUp(t, conns[0])
}

// However often connections become busy and idle again, the one that makes room
// has been idle for longest.
func TestEvictionOrder(t *testing.T) {
	t.Parallel()
	const room = 3 * evictionShare
	table := newConnTable(room, 2*room, metrics.NewDNS(prometheus.NewRegistry()))
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Now()
	idle := map[*tcpConn]time.Time{}
	for step := range 5000 {
		now := start.Add(time.Duration(step))
		if len(table.open) < room || random.IntN(3) == 0 {
			var oldest *tcpConn
			for c, since := range idle {
				if oldest == nil || since.Before(idle[oldest]) {
					oldest = c
				}
			}
			full := len(table.open) == room
			c := &tcpConn{conn: new(net.TCPConn)}
			if added := table.add(c); added != (!full || oldest != nil) {
				t.Fatalf("step %d: added %v, with %d of %d open and %d idle", step, added, len(table.open), room, len(idle))
			}
			if full && oldest != nil {
				if !oldest.entry.gone {
					t.Fatalf("step %d: the one idle for longest stayed", step)
				}
				delete(idle, oldest)
			}
		}
		for c := range table.open { // any one
			if _, ok := idle[c]; ok {
				table.busy(c)
				delete(idle, c)
			} else {
				table.idle(c, now)
				idle[c] = now
			}
			break
		}
	}
}

// Connections in the middle of an answer are not sacrificed for new ones.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{MaxConns: 1, WriteTimeout: time.Minute, DrainTimeout: time.Millisecond})
	busy := dial(t, "tcp", s.Addrs()[0])
	go func() { _, _ = busy.Write(framed(t, "mx1000.s MX", 2000)) }() // ends with the connection
	stuck := 0                                                        // looks in a row: one that is between two queries is so for one
	eventually(t, "a connection that is stuck in sending", func() bool {
		stuck++
		if open, waiting := s.tcp.conns.count(); open != 1 || waiting != 0 {
			stuck = 0
		}
		return stuck == 50
	})
	wantClosed(t, dial(t, "tcp", s.Addrs()[0]))
	lookUp(t, dial(t, "udp", s.Addrs()[0])) // UDP never suffers
}

func TestConnsPerAddress(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	s := startServer(t, Options{MaxConnsPerAddress: 2, Metrics: metrics.NewDNS(registry)})
	first, second := dial(t, "tcp", s.Addrs()[0]), dial(t, "tcp", s.Addrs()[0])
	lookUp(t, first)
	lookUp(t, second)
	wantClosed(t, dial(t, "tcp", s.Addrs()[0]))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	other, err := dialer.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lookUp(t, other)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room for another", func() bool { open, _ := s.tcp.conns.count(); return open == 2 })
	lookUp(t, dial(t, "tcp", s.Addrs()[0]))
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP secondaryd_dns_tcp_limited_total TCP connections closed because of a limit: total, address, or idle (the oldest idle one made room).
# TYPE secondaryd_dns_tcp_limited_total counter
secondaryd_dns_tcp_limited_total{limit="address"} 1
secondaryd_dns_tcp_limited_total{limit="idle"} 0
secondaryd_dns_tcp_limited_total{limit="total"} 0
`), "secondaryd_dns_tcp_limited_total"); err != nil {
		t.Error(err)
	}
}

// exhausted fails like a listener of a process without free descriptors.
type exhausted struct {
	failures int
	waits    []time.Time
}

func (e *exhausted) Addr() net.Addr { return &net.TCPAddr{} }

func (e *exhausted) AcceptTCP() (*net.TCPConn, error) {
	e.waits = append(e.waits, time.Now())
	if len(e.waits) > e.failures {
		return nil, net.ErrClosed
	}
	return nil, syscall.EMFILE
}

// Accept goes on after a failure that lasts, ever more slowly, and says so.
func TestAcceptSurvives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.ErrorLevel)
		o := Options{Metrics: metrics.NewDNS(prometheus.NewRegistry()), Log: zap.New(core)}
		s := newTCPServer(o, rate.NewLimiter(1, 3), nil)
		listener := &exhausted{failures: 20}
		s.accept(t.Context(), listener)
		last := len(listener.waits) - 1
		if first, end := listener.waits[1].Sub(listener.waits[0]), listener.waits[last].Sub(listener.waits[last-1]); first != faultPause || end != time.Second {
			t.Errorf("waited %s first and %s at the end, want %s and 1s", first, end, faultPause)
		}
		if n := logs.FilterMessage("can't accept").Len(); n < 3 || n == 20 {
			t.Errorf("got %d log lines", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		listener = &exhausted{failures: 20}
		if s.accept(ctx, listener); len(listener.waits) != 1 {
			t.Errorf("accepted %d times after the end, want 1", len(listener.waits))
		}
	})
}

// A drain ends idle connections at once, after their answers. (TestNoRoom drains
// one that is stuck.)
func TestDrain(t *testing.T) {
	t.Parallel()
	client, server := tcpPair(t)
	o := Options{Zones: newStore(t, exampleOrg), Metrics: metrics.NewDNS(prometheus.NewRegistry()), Log: zap.NewNop()}
	o.setDefaults()
	s := newTCPServer(o, nil, func(*metrics.DNSWorker) *worker { return testWorker(o.Zones) })
	send(t, client, framed(t, "www.example.org A", 5))
	s.start(server)
	readAnswers(t, client, 5)
	s.drain(time.Minute)
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
		t.Errorf("got %x, %v; want the end", rest, err)
	}
}

// tcpPair returns the two ends of a connection.
func tcpPair(t *testing.T) (client net.Conn, server *net.TCPConn) {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err = net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	return client, server
}
