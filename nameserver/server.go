package nameserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/ratelimit"
	"secondaryd/internal/wire"
	"secondaryd/metrics"
)

// Options say where and how a Server answers. Where it says so, zero means the
// default.
type Options struct {
	Listen   []string // addresses with ports, each for UDP and TCP
	Zones    Zones
	Notifier Notifier
	Metrics  *metrics.DNS
	ByZone   bool // queries are counted for each zone too
	Log      *zap.Logger

	Workers  int    // UDP sockets for each address; default one for each CPU
	Batch    int    // queries that a worker takes from its socket at a time; default 32
	UDPSize  int    // octets of the largest answer over UDP, 512 to 4096; default 1232
	Identity string // answers id.server and hostname.bind in class CH; none if empty
	NSID     []byte // names this server to who asks (RFC 5001); none if empty
	AnyFull  bool   // QTYPE ANY gets all RRsets, not one

	ReportAgent wire.Name // where resolvers report errors (RFC 9567); none if empty

	// Octets that wait in a UDP socket, as far as the system grants them; its
	// own default if 0.
	ReceiveBuffer, SendBuffer int
	PinWorkers                bool // each UDP worker stays on one CPU

	// Cookies turns DNS cookies on. The first of CookieSecrets makes them, the
	// others are still accepted; without any, a random one is made every day.
	Cookies       bool
	CookieSecrets []CookieSecret

	RateLimit ratelimit.Options // of answers over UDP

	MaxConns           int           // TCP connections; default 10,000, but at most half of all descriptors
	MaxConnsPerAddress int           // the same for one client address; default 100
	MaxInFlight        int           // answers of a connection that wait to be sent; default 64
	IdleTimeout        time.Duration // wait for the next query; default 10 s
	ReadTimeout        time.Duration // from the first octet of a query to its last; default 5 s
	WriteTimeout       time.Duration // until the client has taken an answer; default 5 s
	DrainTimeout       time.Duration // what is under way at the end of Run gets this long; default 5 s

	NotifyRate    int // NOTIFY a second of one source that are refused with an answer; default 1,000
	NotifyLogRate int // log lines a second about refused NOTIFY; none if 0
}

func (o *Options) setDefaults() {
	o.Workers = cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	o.Batch = cmp.Or(o.Batch, 32)
	o.UDPSize = min(max(cmp.Or(o.UDPSize, safeUDP), minUDP), maxUDP)
	o.MaxConns = min(cmp.Or(o.MaxConns, 10_000), max(descriptors()/2, 1))
	o.MaxConnsPerAddress = cmp.Or(o.MaxConnsPerAddress, 100)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, 64)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 10*time.Second)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 5*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 5*time.Second)
	o.NotifyRate = cmp.Or(o.NotifyRate, 1000)
}

func (o *Options) profile() profile {
	p := profile{
		udpSize:   o.UDPSize,
		identity:  o.Identity,
		nsid:      o.NSID,
		agent:     o.ReportAgent,
		keepalive: keepaliveOf(o.IdleTimeout),
		anyFull:   o.AnyFull,
	}
	if !o.Cookies {
		return p
	}
	p.cookies = newCookieJar(o.CookieSecrets...)
	if len(o.CookieSecrets) == 0 {
		p.cookies.replace([]CookieSecret{randomCookieSecret()})
	}
	return p
}

const (
	maxUDP    = 4096
	safeUDP   = 1232 // fits the least MTU of IPv6 (RFC 9715 section 3.1)
	faultRate = 5    // log lines a second about what should not happen
)

// Server answers on a set of addresses.
type Server struct {
	options Options
	profile profile
	desk    *notifyDesk
	faults  *rate.Limiter
	sockets sockets
	batches []*batch // one for each UDP socket, which is the batch's
	tcp     *tcpServer
	limiter *limiter
}

// New opens all sockets; nothing is answered before Run. An address that
// another process uses is an error.
func New(o Options) (*Server, error) {
	o.setDefaults()
	limiter, err := newLimiter(o.RateLimit, o.Log)
	if err != nil {
		return nil, err
	}
	sockets, err := listen(o.Listen, o.Workers)
	if err != nil {
		return nil, err
	}
	for _, socket := range sockets.udp {
		setBuffers(socket, o.ReceiveBuffer, o.SendBuffer)
		if o.UDPSize > safeUDP {
			continue
		}
		if err := forbidFragments(socket); err != nil {
			o.Log.Warn("answers may be fragmented on their way", zap.String("address", socket.LocalAddr().String()), zap.Error(err))
		}
	}
	s := &Server{
		options: o,
		profile: o.profile(),
		desk: &notifyDesk{
			notifier:  o.Notifier,
			strangers: newSourceLimiter(o.NotifyRate),
			log:       o.Log,
			lines:     rate.NewLimiter(rate.Limit(o.NotifyLogRate), o.NotifyLogRate),
			metrics:   o.Metrics,
		},
		faults:  rate.NewLimiter(faultRate, faultRate),
		sockets: sockets,
		limiter: limiter,
	}
	s.profile.limits = limiter != nil
	for _, socket := range sockets.udp {
		batch, err := newBatch(socket, o.Batch, o.UDPSize)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("UDP socket of %s: %w", socket.LocalAddr(), err), s.Close())
		}
		s.batches = append(s.batches, batch)
	}
	s.tcp = newTCPServer(o, s.faults, s.newWorker)
	return s, nil
}

// newWorker returns a worker that counts with the given block.
func (s *Server) newWorker(counters *metrics.DNSWorker) *worker {
	w := &worker{
		responder: newResponder(s.options.Zones, s.desk, s.profile),
		counters:  counters,
		metrics:   s.options.Metrics,
		log:       s.options.Log,
		faults:    s.faults,
		limiter:   s.limiter,
	}
	if s.options.ByZone {
		w.byZone = len(s.batches) + 1 // all of TCP count as one
	}
	return w
}

// pin ties the goroutine of a UDP worker to a CPU, for ever.
func (s *Server) pin(worker int) {
	if err := pinThread(worker); err != nil {
		s.options.Log.Warn("worker is not tied to a CPU", zap.Int("worker", worker), zap.Error(err))
	}
}

// Addrs returns the addresses that are answered on, in the order of
// Options.Listen; where port 0 was asked for, with the port that was chosen.
func (s *Server) Addrs() []netip.AddrPort { return s.sockets.addrs }

// SetCookieSecrets takes other secrets, if cookies are on: the first makes
// cookies, the others are still accepted. It is for servers that were given
// secrets at first. There must be one at least.
func (s *Server) SetCookieSecrets(secrets []CookieSecret) {
	if s.profile.cookies != nil {
		s.profile.cookies.replace(secrets)
	}
}

// Close closes the sockets of a server that was never run.
func (s *Server) Close() error {
	var errs []error
	for _, b := range s.batches {
		errs = append(errs, b.close())
	}
	s.batches = nil
	return errors.Join(append(errs, s.sockets.close())...) // those that no batch has
}

// stop wakes all that wait for a query, without closing what they still send on.
func (s *Server) stop() error {
	var errs []error
	for _, b := range s.batches {
		errs = append(errs, b.stop())
	}
	for _, l := range s.sockets.tcp {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Run answers until ctx ends. Then it takes no more queries, lets what is under
// way end within the drain timeout, and returns when all it started has ended.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i, batch := range s.batches {
		u := udpServer{batch: batch, ahead: newLookahead(s.options.Zones, s.options.Batch), worker: s.newWorker(s.options.Metrics.Worker())}
		wg.Go(func() {
			if s.options.PinWorkers {
				s.pin(i)
			}
			u.run(ctx)
		})
	}
	for _, listener := range s.sockets.tcp {
		wg.Go(func() { s.tcp.accept(ctx, listener) })
	}
	if s.profile.cookies != nil && len(s.options.CookieSecrets) == 0 {
		wg.Go(func() { s.profile.cookies.rotate(ctx) })
	}
	<-ctx.Done()
	err := s.stop()
	wg.Wait()
	s.tcp.drain(s.options.DrainTimeout)
	return errors.Join(err, s.Close())
}
