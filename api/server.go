// Package api is the HTTP side of the daemon: the secondary DNS resources in
// the shape of the vendor's API, health, metrics and the API's own description.
// It checks who asks, decodes strictly, makes one registry transaction and
// encodes; what zones are and how they are refreshed is known elsewhere.
//
// Every answer under the resources, whatever went wrong, is the JSON envelope.
// Handlers keep no state; a Server may serve any number of requests at once.
// Echo is an inner matter of this package.
package api

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"secondaryd/zonestore/registry"
)

// Zones tells the state of zones.
type Zones interface {
	// Status returns the state of a zone; false when nothing is known of it.
	Status(zoneID string) (Status, bool)
	// WaitSerial returns nil when a zone is served with that serial or a newer
	// one; with nil, when what is served of it has changed. It fails when ctx
	// ends before, or the zone, and with ErrBusy when too many wait.
	WaitSerial(ctx context.Context, zoneID string, serial *uint32) error
}

// Refresher takes orders about zones.
type Refresher interface {
	// ForceTransfer queues a full transfer and returns at once. A zone may be
	// so new that the order arrives before the news of it.
	ForceTransfer(zoneID string) error
	// Release has the version with that serial served that is held of a zone,
	// and Discard drops it. They fail with ErrNothingHeld or ErrOtherHeld.
	Release(zoneID string, serial uint32) error
	Discard(zoneID string, serial uint32) error
	// Rollback serves the kept version with that serial again, with nil the one
	// before the served version, and returns its serial when that is on disk. by
	// is whose order it is. It fails with ErrNoCopy, ErrNoVersion, ErrServed,
	// ErrOutOfTime or ErrBusy.
	Rollback(ctx context.Context, zoneID string, serial *uint32, by string) (uint32, error)
}

// Options is what a Server needs. A zero limit means its default.
type Options struct {
	Listen    string // address and port
	Registry  *registry.Registry
	Zones     Zones
	Refresher Refresher
	Diagnoser Diagnoser
	Events    *Events // what GET /secondaryd/events streams; nil: nothing ever
	Copies    Copies
	Versions  Versions
	Metrics   http.Handler // served at /metrics; nil for none
	Ready     func() bool  // nil means always
	Tokens    *Tokens      // administrators beside those of the registry; nil for none
	TLS       *TLS         // nil serves plain HTTP
	Log       *zap.Logger

	Now func() time.Time // by which tokens expire; nil means time.Now

	MetricsNeedToken bool
	TokenRate        int           // requests a second of one token; 0 means any number
	MaxBody          int64         // octets of a request body; 1 MiB
	MaxBulkBody      int64         // octets of the body of a bulk request; 8 MiB
	ReadTimeout      time.Duration // for a whole request; 10 s
	IdleTimeout      time.Duration // between requests on a connection; 60 s
	DrainTimeout     time.Duration // for requests under way at the end; 10 s
}

// Limits without a setting of their own.
const (
	maxHeader         = 32 << 10 // octets
	readHeaderTimeout = 5 * time.Second
	writeTimeout      = 30 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Ready == nil {
		o.Ready = func() bool { return true }
	}
	if o.Tokens == nil {
		o.Tokens = NewTokens()
	}
	if o.Events == nil {
		o.Events = NewEvents()
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxBulkBody <= 0 {
		o.MaxBulkBody = 8 << 20
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = 10 * time.Second
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = time.Minute
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = 10 * time.Second
	}
	return o
}

// Server serves the API on one address.
type Server struct {
	Options
	listener  net.Listener
	http      *http.Server
	exports   *places
	diffs     *places
	diagnoses *places
	rollbacks *places
	bulks     *places
	started   time.Time
	tagKey    [16]byte        // of this run, for entity tags
	open      map[string]bool // paths that need no token
	pace      *pace
	refusals  sparse
	overRate  sparse

	ending context.Context //nolint:containedctx // it ends when the server stops, for requests that would not
	end    func()

	tenures tenures
}

// New opens the listener and prepares everything; it serves nothing yet.
func New(options Options) (*Server, error) {
	if options.Registry == nil || options.Zones == nil || options.Refresher == nil || options.Copies == nil {
		return nil, errors.New("api: registry, zones, refresher and copies are needed")
	}
	if options.Diagnoser == nil || options.Versions == nil {
		return nil, errors.New("api: a diagnoser and versions are needed")
	}
	s := &Server{
		Options: options.withDefaults(), started: time.Now(),
		pace: newPace(options.TokenRate), refusals: newSparse(), overRate: newSparse(),
		exports: newPlaces(maxExports, maxExports/2), diffs: newPlaces(maxDiffs, maxDiffs/2), diagnoses: newPlaces(maxDiagnoses, maxDiagnoses/2),
		rollbacks: newPlaces(maxRollbacks, maxRollbacks/2), bulks: newPlaces(maxBulks, 1),
	}
	_, _ = rand.Read(s.tagKey[:]) // never fails
	s.ending, s.end = context.WithCancel(context.Background())
	errorLog, err := zap.NewStdLogAt(s.Log, zap.DebugLevel)
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:                      s.routes(),
		MaxHeaderBytes:               maxHeader,
		ReadHeaderTimeout:            min(readHeaderTimeout, s.ReadTimeout),
		ReadTimeout:                  s.ReadTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  s.IdleTimeout,
		ErrorLog:                     errorLog,
		DisableGeneralOptionsHandler: true, // it would answer without the envelope
	}
	if s.TLS != nil {
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.TLS.GetCertificate}
	}
	if s.listener, err = net.Listen("tcp", s.Listen); err != nil {
		return nil, fmt.Errorf("api listener: %w", err)
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// ReloadTLS reads the certificate files again. On an error the old certificate
// stays in use.
func (s *Server) ReloadTLS() error {
	if s.TLS == nil {
		return nil
	}
	return s.TLS.Reload()
}

// Run serves until ctx ends, then lets requests under way finish. It returns
// when no connection is left.
func (s *Server) Run(ctx context.Context) error {
	reviewing, end := context.WithCancel(context.WithoutCancel(ctx))
	var reviews sync.WaitGroup
	defer reviews.Wait()
	defer end()
	reviews.Go(func() { s.reviewTenures(reviewing) })
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	select {
	case err := <-served:
		return fmt.Errorf("api: %w", err)
	case <-ctx.Done():
	}
	s.end()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.DrainTimeout)
	defer cancel()
	err := s.http.Shutdown(drain)
	if err != nil {
		s.Log.Warn("api requests cut off", zap.Error(err))
		_ = s.http.Close()
	}
	<-served
	return nil
}

func (s *Server) serve() error {
	if s.TLS != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

// Close lets go of the listener of a server that was never run.
func (s *Server) Close() error { return s.listener.Close() }

// newEcho is an echo that trusts no header about the client and says nothing
// on its own.
func (s *Server) newEcho() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.fail
	return e
}
