package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"secondaryd/api"
	"secondaryd/configs"
	"secondaryd/internal/mapped"
	"secondaryd/internal/ratelimit"
	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/nameserver"
	"secondaryd/transfer"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// daemon is the parts of a running server, joined.
type daemon struct {
	log      *zap.Logger
	dir      *dataDir
	registry *registry.Registry
	store    *zonestore.Store
	engine   *transfer.Engine
	dns      *nameserver.Server
	api      *api.Server
	tokens   *api.Tokens
	events   *api.Events
	ready    atomic.Bool
	loaded   func() // ends what was done for a fast start
}

// newDaemon opens files and listeners, in the order in which a fault is the
// cheapest. Nothing runs yet.
func newDaemon(c configs.Config, log *zap.Logger) (_ *daemon, err error) {
	d := &daemon{log: log, events: api.NewEvents(), loaded: beginLoading(c.DataDir)}
	defer func() {
		if err != nil {
			d.loaded()
			err = errors.Join(err, d.close())
		}
	}()
	if d.dir, err = openDataDir(c.DataDir, log); err != nil {
		return nil, err
	}
	limits := limitsOf(c.Transfer)
	if limits.Guard.Anchors, err = anchorsOf(c.Transfer); err != nil {
		return nil, err
	}
	if err := d.openStores(c, &limits); err != nil {
		return nil, err
	}
	series := metrics.NewRegistry(version())
	d.engine = transfer.New(transfer.Options{
		Registry: d.registry,
		Store:    d.store,
		Limits:   limits,
		Metrics:  metrics.NewTransfer(series),
		Log:      log.Named("transfer"),
		Listen:   func(ev transfer.Event) { d.events.Publish(eventOf(ev)) },

		RequireNotifyKey: c.Notify.RequireKey,
	})
	metrics.RegisterConfig(series, func() int { return configCopies(d.registry) })
	metrics.RegisterZones(series, c.Metrics.PerZone, c.Metrics.ZoneQueries, func() iter.Seq[metrics.Zone] { return zoneSeries(d.engine) })
	if err := d.openDNS(c, series); err != nil {
		return nil, err
	}
	if err := d.openAPI(c, series); err != nil {
		return nil, errors.Join(err, d.dns.Close())
	}
	return d, nil
}

// openStores touches the copies of zones only when the configuration is known to be of
// this release or an earlier one. While the one is decoded, the others are looked at.
func (d *daemon) openStores(c configs.Config, limits *transfer.Limits) error {
	stored, err := registry.Find(registry.Options{
		Dir:           c.DataDir,
		Key:           c.SecretsKey,
		AuditFiles:    c.Audit.Files,
		ForbidPrivate: c.Transfer.ForbidPrivatePeers,
		Log:           d.log.Named("registry"),
	})
	if err != nil {
		return err
	}
	var loaded, opened error
	var both sync.WaitGroup
	both.Go(func() { d.registry, loaded = stored.Load() })
	both.Go(func() {
		d.store, opened = zonestore.Open(zonestore.Options{Dir: c.DataDir, Lifetime: limits.Lifetime, Versions: c.Zones.Versions, Log: d.log.Named("store")})
	})
	both.Wait()
	return errors.Join(loaded, opened)
}

func (d *daemon) openDNS(c configs.Config, series prometheus.Registerer) error {
	nsid, err := c.DNS.ServerID()
	if err != nil {
		return err
	}
	agent, err := reportAgent(c.DNS)
	if err != nil {
		return err
	}
	secrets, err := cookieSecrets(c.DNS.CookieSecretFile, d.log)
	if err != nil {
		return err
	}
	limits, err := rateLimit(c.DNS.RateLimit)
	if err != nil {
		return err
	}
	d.dns, err = nameserver.New(nameserver.Options{
		Listen:             c.DNS.Listen,
		Zones:              d.store,
		Notifier:           d.engine,
		Metrics:            metrics.NewDNS(series),
		ByZone:             c.Metrics.ZoneQueries,
		Workers:            c.DNS.Workers,
		Batch:              c.DNS.Batch,
		ReceiveBuffer:      int(c.DNS.ReceiveBuffer),
		SendBuffer:         int(c.DNS.SendBuffer),
		PinWorkers:         c.DNS.PinWorkers,
		UDPSize:            c.DNS.UDPSize,
		Identity:           c.DNS.Identity,
		NSID:               nsid,
		AnyFull:            c.DNS.Any == configs.AnyFull,
		ReportAgent:        agent,
		Cookies:            c.DNS.Cookies,
		CookieSecrets:      secrets,
		RateLimit:          limits,
		MaxConns:           c.DNS.TCPMaxConnections,
		MaxConnsPerAddress: c.DNS.TCPMaxConnectionsPerAddress,
		MaxInFlight:        c.DNS.TCPMaxInFlight,
		IdleTimeout:        c.DNS.TCPIdleTimeout,
		ReadTimeout:        c.DNS.TCPReadTimeout,
		WriteTimeout:       c.DNS.TCPWriteTimeout,
		DrainTimeout:       c.ShutdownTimeout,
		NotifyRate:         c.Notify.MaxPerSecondPerSource,
		NotifyLogRate:      c.Notify.LogLinesPerSecond,
		Log:                d.log.Named("dns"),
	})
	return err
}

func rateLimit(c configs.RateLimit) (ratelimit.Options, error) {
	exempt, err := c.ExemptNetworks()
	return ratelimit.Options{
		Rate:         c.ResponsesPerSecond,
		NoDataRate:   c.NoDataPerSecond,
		ReferralRate: c.ReferralsPerSecond,
		NXDomainRate: c.NXDomainsPerSecond,
		ErrorRate:    c.ErrorsPerSecond,
		Slip:         c.Slip,
		Window:       c.Window,
		IPv4Prefix:   c.IPv4PrefixLength,
		IPv6Prefix:   c.IPv6PrefixLength,
		Exempt:       exempt,
		LogOnly:      c.LogOnly,
		Size:         c.MaxTableSize,
	}, err
}

// reportAgent is the error reporting agent as a name, nil without one.
func reportAgent(c configs.DNS) (wire.Name, error) {
	if c.ErrorReportingAgent == "" {
		return nil, nil
	}
	agent, err := wire.ParseName(c.ErrorReportingAgent)
	if err != nil {
		return nil, fmt.Errorf("dns.error_reporting_agent: %w", err)
	}
	return agent, nil
}

func (d *daemon) openAPI(c configs.Config, series *prometheus.Registry) (err error) {
	token, err := adminToken(c.DataDir, d.log)
	if err != nil {
		return err
	}
	d.tokens = api.NewTokens(token)
	var files *api.TLS
	if c.API.TLS.On() {
		if files, err = api.NewTLS(c.API.TLS.CertFile, c.API.TLS.KeyFile); err != nil {
			return err
		}
	}
	d.api, err = api.New(api.Options{
		Listen:           c.API.Listen,
		Registry:         d.registry,
		Zones:            zoneStatus{d.engine},
		Refresher:        orders{d.engine},
		Diagnoser:        diagnoser{d.engine},
		Events:           d.events,
		Copies:           servedCopies{d.store},
		Versions:         zoneVersions{d.engine},
		Metrics:          metrics.Handler(series),
		MetricsNeedToken: c.Metrics.RequireToken,
		Ready:            d.ready.Load,
		Tokens:           d.tokens,
		TokenRate:        c.API.RequestsPerSecondPerToken,
		TLS:              files,
		MaxBody:          int64(c.API.MaxBody),
		MaxBulkBody:      int64(c.API.MaxBulkBody),
		ReadTimeout:      c.API.ReadTimeout,
		IdleTimeout:      c.API.IdleTimeout,
		DrainTimeout:     c.ShutdownTimeout,
		Log:              d.log.Named("api"),
	})
	return err
}

// run serves until ctx ends, and watch beside it, then closes everything.
func (d *daemon) run(ctx context.Context, watch func(context.Context)) (err error) {
	defer func() { err = errors.Join(err, d.close()) }()
	err = d.engine.Restore(ctx)
	d.loaded()
	if err != nil {
		return errors.Join(err, d.dns.Close(), d.api.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return named("api", d.api.Run(ctx)) })
	g.Go(func() error { return named("dns", d.dns.Run(ctx)) })
	g.Go(func() error { return named("store", d.store.Run(ctx)) })
	g.Go(func() error { return named("transfer", d.engine.Run(ctx)) })
	g.Go(func() error {
		keepMemory(ctx, d.log, d.registry, d.store, mapped.Program{})
		return nil
	})
	g.Go(func() error {
		keepMended(ctx, d.registry)
		return nil
	})
	d.ready.Store(true)
	d.log.Info("serving", zap.String("version", version()), zap.Stringer("api", d.api.Addr()), zap.Int("zones", len(d.store.All())))
	watch(ctx)
	return g.Wait()
}

func named(part string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return nil
}

// close closes the files that were opened, the last one first.
func (d *daemon) close() error {
	var errs []error
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	if d.registry != nil {
		errs = append(errs, d.registry.Close())
	}
	if d.dir != nil {
		errs = append(errs, d.dir.Close())
	}
	return errors.Join(errs...)
}
