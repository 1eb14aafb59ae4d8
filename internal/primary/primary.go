// Package primary is a small primary server for tests and for the demo.
//
// It promises an honest primary: SOA and plain look-ups by exact name over UDP
// and TCP, AXFR and IXFR over TCP in messages of several records, TSIG on every message
// of an answer to a signed request, NOTIFY with retransmission, all but that over TLS too. It knows no
// referrals, wildcards or DNSSEC. A Script makes it misbehave in one chosen way.
// All methods of Server are safe for concurrent use.
package primary

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
)

// Key is a shared TSIG key. Name and Algorithm are domain names, with or without
// the last dot; Secret is base64.
type Key struct {
	Name      string
	Algorithm string
	Secret    string
}

// Zone is what the server is told of a zone. Records hold the apex SOA, once,
// anywhere among them.
type Zone struct {
	Name    string
	Records []dns.RR
	// Key names the key that an AXFR must be signed with and that NOTIFY is
	// signed with. Empty: AXFR is open and NOTIFY is unsigned.
	Key string
}

// Options are the settings of a Server.
type Options struct {
	// Listen is the address for UDP and TCP; port 0 picks one free for both.
	Listen string
	// TLS, when set, opens a listener for TLS on another port of the same host.
	TLS   *tls.Config
	Zones []Zone
	Keys  []Key
	// Log is told of each request and each failure; nil means nobody is.
	Log func(format string, args ...any)
}

// Server is one primary. Its listeners are open from New until Run returns.
type Server struct {
	udp    net.PacketConn
	tcp    net.Listener
	tls    net.Listener // nil: none
	keys   map[string]Key
	log    func(format string, args ...any)
	script atomic.Pointer[Script]

	mu    sync.Mutex // guards the fields below
	zones map[string]*content
	seen  map[question]int
}

type question struct {
	zone  string
	qtype uint16
}

// New opens the listeners and checks the zones. Run must follow, or Close.
func New(o Options) (*Server, error) {
	s := &Server{
		keys:  make(map[string]Key),
		log:   o.Log,
		zones: make(map[string]*content),
		seen:  make(map[question]int),
	}
	if s.log == nil {
		s.log = func(string, ...any) {}
	}
	for _, k := range o.Keys {
		if err := k.check(); err != nil {
			return nil, err
		}
		s.keys[dns.CanonicalName(k.Name)] = k
	}
	for _, z := range o.Zones {
		if err := s.Add(z); err != nil {
			return nil, err
		}
	}
	var err error
	if s.udp, s.tcp, err = listen(o.Listen); err != nil {
		return nil, err
	}
	if o.TLS == nil {
		return s, nil
	}
	if s.tls, err = tls.Listen("tcp", netip.AddrPortFrom(s.Addr().Addr(), 0).String(), o.TLS); err != nil {
		s.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	return s, nil
}

// Add begins to serve a zone, in place of one of the same name.
func (s *Server) Add(z Zone) error {
	c, err := newContent(z)
	if err != nil {
		return err
	}
	if _, ok := s.keys[c.key]; c.key != "" && !ok {
		return fmt.Errorf("zone %s: no key %s", c.name, c.key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones[c.name] = c
	return nil
}

// Addr is the address that the server listens on, the same for UDP and TCP.
func (s *Server) Addr() netip.AddrPort {
	return s.tcp.Addr().(*net.TCPAddr).AddrPort()
}

// TLSAddr is the address that the server listens on for TLS, if it does.
func (s *Server) TLSAddr() netip.AddrPort {
	return s.tls.Addr().(*net.TCPAddr).AddrPort()
}

// Script sets how requests are answered from now on; nil means honestly.
func (s *Server) Script(script Script) {
	if script == nil {
		s.script.Store(nil)
		return
	}
	s.script.Store(&script)
}

// Seen counts the requests for a zone's apex of one type that have come in,
// whatever was answered.
func (s *Server) Seen(zone string, qtype uint16) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[question{dns.CanonicalName(zone), qtype}]
}

// Run answers until ctx is done, then closes everything and waits for it. It
// returns nil after an ordinary end.
func (s *Server) Run(ctx context.Context) error {
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	defer context.AfterFunc(running, s.Close)()
	var all sync.WaitGroup
	all.Go(func() { fail(s.serveUDP(&all)) })
	all.Go(func() { fail(s.serveStream(running, &all, "tcp", s.tcp)) })
	if s.tls != nil {
		all.Go(func() { fail(s.serveStream(running, &all, networkTLS, s.tls)) })
	}
	all.Wait()
	s.Close()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// Close closes the listeners of a server that is not to run.
func (s *Server) Close() {
	// Closing twice is harmless, and nothing was buffered that could be lost.
	_ = s.udp.Close()
	_ = s.tcp.Close()
	if s.tls != nil {
		_ = s.tls.Close()
	}
}
