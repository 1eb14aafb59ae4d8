package transfer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/certtest"
	"secondaryd/internal/primary"
	"secondaryd/internal/tsig"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/registry"
)

const primaryName = "primary.test"

// tlsWorld is a primary with TLS and a client whose every octet is looked at.
type tlsWorld struct {
	ca, certificate *certtest.Certificate
	server          *primary.Server
	client          *client
	wire            *tap
}

// newTLSWorld runs a primary with the test zone; change may spoil its side of
// TLS. Its certificate is for a name and an address.
func newTLSWorld(t *testing.T, change func(*tls.Config), issue ...func(*x509.Certificate)) *tlsWorld {
	t.Helper()
	w := &tlsWorld{ca: certtest.Authority(t), wire: &tap{}}
	issue = append(issue, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	w.certificate = w.ca.Issue(t, primaryName, issue...)
	config := &tls.Config{
		Certificates: []tls.Certificate{w.certificate.TLS()},
		NextProtos:   []string{alpnDoT},
		ClientCAs:    w.ca.Pool(),
	}
	if change != nil {
		change(config)
	}
	w.server = runPrimary(t, primary.Options{
		Zones: []primary.Zone{{Name: testZone, Records: records(t, soaOf(7)+nsLine+lineA)}},
		Keys:  []primary.Key{{Name: "k.test.", Algorithm: "hmac-sha256.", Secret: testSecret}},
		TLS:   config,
	})
	limits := defaultLimits()
	w.client = newClient(w.wire.dial, &limits, testSeed)
	t.Cleanup(w.client.pool.close)
	return w
}

// peer is the primary to whom conf asks by TLS.
func (w *tlsWorld) peer(t *testing.T, conf registry.PeerTLS) peer {
	t.Helper()
	config, err := newTLS(&conf)
	if err != nil {
		t.Fatal(err)
	}
	return peer{addr: w.server.TLSAddr(), tls: config, ixfr: true}
}

// tap dials and keeps what is written.
type tap struct {
	mu       sync.Mutex // guards the fields below
	networks []string
	written  []*bytes.Buffer // of each connection
}

func (w *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.networks = append(w.networks, network)
	w.written = append(w.written, new(bytes.Buffer))
	return &tapped{conn, w, w.written[len(w.written)-1]}, err
}

type tapped struct {
	net.Conn
	tap     *tap
	written *bytes.Buffer
}

func (c *tapped) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	c.written.Write(b)
	c.tap.mu.Unlock()
	return c.Conn.Write(b)
}

// check fails unless all that was written was TLS, by TCP, and returns the
// number of connections.
func (w *tap) check(t *testing.T) int {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, written := range w.written {
		if w.networks[i] != "tcp" {
			t.Errorf("connection by %s", w.networks[i])
		}
		const handshake = 22 // the type of record that TLS begins with
		if b := written.Bytes(); len(b) == 0 || b[0] != handshake || bytes.Contains(b, wiretest.Name(t, testZone)) {
			t.Errorf("in clear: %q", b)
		}
	}
	return len(w.written)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	stranger := certtest.Authority(t)
	mutual := newTLSWorld(t, func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert })
	ours := mutual.ca.Issue(t, "secondary.test")
	for _, c := range []struct {
		name  string
		world *tlsWorld
		conf  registry.PeerTLS
	}{
		{"name", w, registry.PeerTLS{Name: primaryName, CACertificate: w.ca.PEM()}},
		{"name with another case and a dot", w, registry.PeerTLS{Name: "Primary.TEST.", CACertificate: w.ca.PEM()}},
		{"several authorities", w, registry.PeerTLS{Name: primaryName, CACertificate: stranger.PEM() + w.ca.PEM()}},
		{"address", w, registry.PeerTLS{Name: "127.0.0.1", CACertificate: w.ca.PEM()}},
		{"pin", w, registry.PeerTLS{Pins: []string{w.certificate.Pin()}}},
		{"one of two pins", w, registry.PeerTLS{Pins: []string{stranger.Pin(), w.certificate.Pin()}}},
		{"name and pin", w, registry.PeerTLS{Name: primaryName, CACertificate: w.ca.PEM(), Pins: []string{w.certificate.Pin()}}},
		{"client certificate", mutual, registry.PeerTLS{
			Pins:              []string{mutual.certificate.Pin()},
			ClientCertificate: ours.PEM(), ClientKey: registry.Secret(ours.KeyPEM(t)),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.world.peer(t, c.conf)
			for range 2 {
				got, err := c.world.client.poll(t.Context(), p, wiretest.Name(t, testZone))
				if err != nil || got.soa.Serial != 7 {
					t.Errorf("poll: got serial %d, error %v", got.soa.Serial, err)
				}
			}
			got, err := c.world.client.transfer(t.Context(), p, wantAny(t, nil))
			if err != nil || got.zone.Serial() != 7 {
				t.Errorf("transfer: error %v", err)
			}
			c.world.wire.check(t)
		})
	}
}

func TestTLSRefuses(t *testing.T) {
	t.Parallel()
	wanted := func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }
	stranger := certtest.Authority(t)
	byName := func(w *tlsWorld) registry.PeerTLS {
		return registry.PeerTLS{Name: primaryName, CACertificate: w.ca.PEM()}
	}
	byPin := func(w *tlsWorld) registry.PeerTLS { return registry.PeerTLS{Pins: []string{w.certificate.Pin()}} }
	for _, c := range []struct {
		name   string
		change func(*tls.Config)
		issue  func(*x509.Certificate)
		conf   func(*tlsWorld) registry.PeerTLS
		cause  Cause
	}{
		{"another name", nil, nil, func(w *tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Name: "other.test", CACertificate: w.ca.PEM()}
		}, CauseHostName},
		{"another name, the right pin", nil, nil, func(w *tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Name: "other.test", CACertificate: w.ca.PEM(), Pins: []string{w.certificate.Pin()}}
		}, CauseHostName},
		{"unknown authority", nil, nil, func(*tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Name: primaryName, CACertificate: stranger.PEM()}
		}, CauseNotTrusted},
		{"not an authority of the system's", nil, nil, func(*tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Name: primaryName}
		}, CauseNotTrusted},
		{"not for servers", nil, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, byName, CauseNotTrusted},
		{"another pin", nil, nil, func(*tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Pins: []string{stranger.Pin()}}
		}, CausePin},
		{"the pin of the authority", nil, nil, func(w *tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Pins: []string{w.ca.Pin()}}
		}, CausePin},
		{"the right name, another pin", nil, nil, func(w *tlsWorld) registry.PeerTLS {
			return registry.PeerTLS{Name: primaryName, CACertificate: w.ca.PEM(), Pins: []string{stranger.Pin()}}
		}, CausePin},
		{"expired", nil, certtest.Expired, byName, CauseValidity},
		{"expired, the right pin", nil, certtest.Expired, byPin, CauseValidity},
		{"not valid yet", nil, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}, byPin, CauseValidity},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, nil, byName, CauseTLSVersion},
		{"no ALPN", func(c *tls.Config) { c.NextProtos = nil }, nil, byName, CauseNoDoT},
		{"another protocol", func(c *tls.Config) { c.NextProtos = []string{"h2"} }, nil, byName, CauseNoDoT},
		{"no certificate", func(c *tls.Config) {
			c.Certificates = nil
			c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }
		}, nil, byName, CauseTLS},
		{"a client certificate wanted", wanted, nil, byName, CauseClient},
		{"another client certificate wanted", wanted, nil, func(w *tlsWorld) registry.PeerTLS {
			ours := stranger.Issue(t, "secondary.test")
			return registry.PeerTLS{
				Pins:              []string{w.certificate.Pin()},
				ClientCertificate: ours.PEM(), ClientKey: registry.Secret(ours.KeyPEM(t)),
			}
		}, CauseClient},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var issue []func(*x509.Certificate)
			if c.issue != nil {
				issue = append(issue, c.issue)
			}
			w := newTLSWorld(t, c.change, issue...)
			w.refuses(t, w.peer(t, c.conf(w)), StepTLS, c.cause)
		})
	}
}

// refuses expects that neither a SOA query nor a transfer does anything but
// fail, and that nothing but TLS goes out. Who listens by UDP on the port of
// TLS hears nothing.
func (w *tlsWorld) refuses(t *testing.T, p peer, step Step, cause Cause) {
	t.Helper()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(p.addr))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	_, err = w.client.poll(t.Context(), p, wiretest.Name(t, testZone))
	wantFailure(t, err, step, cause)
	_, err = w.client.transfer(t.Context(), p, wantAny(t, nil))
	wantFailure(t, err, step, cause)
	if n := w.wire.check(t); n != 2 {
		t.Errorf("%d connections, want one for each", n)
	}
	if n := w.server.Seen(testZone, dns.TypeSOA) + w.server.Seen(testZone, dns.TypeAXFR); n != 0 {
		t.Errorf("%d questions came to the primary", n)
	}
	if err := udp.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := udp.ReadFromUDP(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("%d octets by UDP, error %v", n, err)
	}
}

// What listens at the port and does not speak TLS gets a greeting, and no more.
func TestTLSMeetsOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		serve func(net.Conn)
		cause Cause
	}{
		{"DNS in clear", func(conn net.Conn) {
			_, _ = (&dns.Conn{Conn: conn}).ReadMsg() // ends when the client goes
		}, CauseNoAnswer},
		{"something else", func(conn net.Conn) { _, _ = conn.Write([]byte("220 mail.test ESMTP\r\n")) }, CauseNotTLS},
		{"a closed door", func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1<<16)) }, CauseClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newTLSWorld(t, nil)
			w.client.limits.Connect = 300 * time.Millisecond
			p := w.peer(t, registry.PeerTLS{Pins: []string{w.certificate.Pin()}})
			p.addr = listen(t, c.serve)
			w.refuses(t, p, StepTLS, c.cause)
		})
	}
}

// listen serves each connection until the test ends.
func listen(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = tcp.Close()
		all.Wait()
	})
	return tcp.Addr().(*net.TCPAddr).AddrPort()
}

// No way around TLS is open, whoever should try one.
func TestTLSIsNotAskedByUDP(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	p := w.peer(t, registry.PeerTLS{Pins: []string{w.certificate.Pin()}})
	_, err := w.client.open(t.Context(), "udp", p)
	wantFailure(t, err, StepTLS, CauseInternal)
	if n := w.wire.check(t); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TSIG works in TLS as it does without, also where the client asks once more to
// find out what is wrong with the key.
func TestTLSSigned(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	p := w.peer(t, registry.PeerTLS{Pins: []string{w.certificate.Pin()}})
	var err error
	if p.key, err = tsig.NewKey("k.test.", "hmac-sha256.", testSecret); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.poll(t.Context(), p, wiretest.Name(t, testZone)); err != nil {
		t.Error(err)
	}
	if _, err := w.client.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
		t.Error(err)
	}
	if p.key, err = p.key.WithAlgorithm("hmac-sha512"); err != nil {
		t.Fatal(err)
	}
	_, err = w.client.poll(t.Context(), p, wiretest.Name(t, testZone))
	wantFailure(t, err, StepTSIG, CauseAlgorithm)
	_, err = w.client.transfer(t.Context(), p, wantAny(t, nil))
	wantFailure(t, err, StepTSIG, CauseAlgorithm)
	w.wire.check(t)
}

// Differences come by TLS, and if they do not, the whole zone does.
func TestTLSIXFR(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]primary.Script{
		"differences": nil,
		"refused":     primary.On(dns.TypeIXFR, primary.Rcode(dns.RcodeRefused)),
		"cut":         primary.On(dns.TypeIXFR, primary.CutAfter(2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTLSWorld(t, nil)
			p := w.peer(t, registry.PeerTLS{Pins: []string{w.certificate.Pin()}})
			base, err := w.client.transfer(t.Context(), p, wantAny(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.server.Update(testZone, func(rrs []dns.RR) []dns.RR { return append(rrs, records(t, lineB)...) }); err != nil {
				t.Fatal(err)
			}
			w.server.Script(script)
			got, err := w.client.transfer(t.Context(), p, wantAny(t, base.zone))
			if err != nil || got.zone.Serial() != 8 || (got.kind == kindIXFR) != (script == nil) {
				t.Errorf("got %s, error %v", got.kind, err)
			}
			w.wire.check(t)
		})
	}
}

// RFC 9103 sections 7.9.1 and 7.10.3: padded messages, and those with nothing
// in them, may come in the middle of a stream.
func TestTLSPaddedStream(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	p := w.peer(t, registry.PeerTLS{Pins: []string{w.certificate.Pin()}})
	padded := func(m *dns.Msg) *dns.Msg {
		m.Extra = []dns.RR{&dns.OPT{
			Hdr:    dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT, Class: 1232},
			Option: []dns.EDNS0{&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE, Timeout: 100}, &dns.EDNS0_PADDING{Padding: make([]byte, 300)}},
		}}
		return m
	}
	w.server.Script(primary.On(dns.TypeAXFR, func(e *primary.Exchange) error {
		for i, m := range e.Messages(e.Answer()[0].Answer, 1) {
			if i > 0 {
				if err := e.Send(padded(new(dns.Msg).SetReply(e.Request))); err != nil {
					return err
				}
			}
			if err := e.Send(padded(m)); err != nil {
				return err
			}
		}
		return nil
	}))
	got, err := w.client.transfer(t.Context(), p, wantAny(t, nil))
	if err != nil || got.zone.Records() != 3 {
		t.Errorf("got %+v, error %v", got, err)
	}
}

// RFC 8467 section 4.1: the size of a query tells little, signed or not.
func TestQueryPadding(t *testing.T) {
	t.Parallel()
	_, _, p, base := primaryOf(t, true)
	for _, apex := range []string{testZone, "a.", strings.Repeat("a.", 40), strings.Repeat("abcdefg.", 31)} {
		for _, signed := range []bool{false, true} {
			ask := question{apex: wiretest.Name(t, apex), qtype: dns.TypeSOA, edns: true, padded: true}
			if signed {
				ask.key = p.key
			}
			differences := ask
			differences.qtype, differences.base = dns.TypeIXFR, base
			for _, ask := range []question{ask, differences} {
				q := newQuery(testID, ask, bubbleStart)
				m := new(dns.Msg)
				if err := m.Unpack(q.bytes); err != nil {
					t.Fatal(err)
				}
				if opt := m.IsEdns0(); len(opt.Option) != 2 || opt.Option[1].Option() != dns.EDNS0PADDING || (m.IsTsig() != nil) != signed {
					t.Errorf("the query is %v", m)
				}
				if len(q.bytes)%128 != 0 {
					t.Errorf("query for %s, signed %t: %d octets", apex, signed, len(q.bytes))
				}
			}
		}
	}
}

// The registry lets no such peer in; should there be one, it is not asked.
func TestTLSNeedsIdentity(t *testing.T) {
	t.Parallel()
	for name, conf := range map[string]*registry.PeerTLS{
		"nobody": {}, "no certificate": {Name: "a", CACertificate: "x"}, "no key": {Name: "a", ClientCertificate: "x"},
	} {
		p := new(resolver).resolve(registry.Peer{ID: "p", IP: new("192.0.2.1"), TLS: conf})
		if wantFailure(t, p.fact, StepTLS, CauseInternal); p.tls != nil {
			t.Errorf("%s: got %v", name, p.tls)
		}
	}
}

// A connection that was kept is for those who would have made the same: what
// else is known of a peer at that address holds from its first question on.
func TestTLSConnectionsAreKeptApart(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	apex := wiretest.Name(t, testZone)
	conf := registry.PeerTLS{Pins: []string{w.certificate.Pin()}}
	p := w.peer(t, conf)
	for range 2 {
		if _, err := w.client.poll(t.Context(), p, apex); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.wire.check(t); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	_, err := w.client.poll(t.Context(), w.peer(t, registry.PeerTLS{Pins: []string{w.ca.Pin()}}), apex)
	wantFailure(t, err, StepTLS, CausePin)
	plain := peer{addr: p.addr}
	if kept := w.client.pool.take(plain.way()); kept != nil {
		t.Error("a peer in clear gets a connection by TLS")
	}
}

// The second connection resumes the session of the first, and is checked like
// it.
func TestTLSResumes(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	conf := registry.PeerTLS{Pins: []string{w.certificate.Pin()}}
	p := w.peer(t, conf)
	if _, err := w.client.poll(t.Context(), p, wiretest.Name(t, testZone)); err != nil {
		t.Fatal(err)
	}
	if err := w.client.pool.take(p.way()).Close(); err != nil {
		t.Fatal(err)
	}
	verify, resumed := p.tls.VerifyConnection, false
	p.tls.VerifyConnection = func(state tls.ConnectionState) error {
		resumed = state.DidResume
		if err := verify(state); err != nil {
			return err
		}
		late := w.certificate.NotAfter.Add(time.Second)
		wantFailure(t, verifySession(&conf, &state, late), StepTLS, CauseValidity)
		return nil
	}
	if _, err := w.client.poll(t.Context(), p, wiretest.Name(t, testZone)); err != nil {
		t.Fatal(err)
	}
	if !resumed {
		t.Error("the session was not resumed")
	}
}
