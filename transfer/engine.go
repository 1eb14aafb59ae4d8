package transfer

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// maxRefreshes bounds the refreshes under way, and with them sockets.
const maxRefreshes = 1024

// Options are what an Engine works with. Registry, Store, Log and Metrics must
// be set.
type Options struct {
	Registry *registry.Registry
	Store    *zonestore.Store
	Limits   Limits
	Metrics  *metrics.Transfer
	Log      *zap.Logger
	Dial     Dialer     // nil: the network
	Rand     *rand.Rand // for jitter; nil: seeded at random

	// Listen is told of events, one after the other; nil: nobody is. It must
	// return at once and must not call the engine.
	Listen func(Event)

	RequireNotifyKey bool // a NOTIFY from the address of a peer with a key must be signed
}

// Engine keeps every configured zone up to date. It is the only writer of the
// zone store.
type Engine struct {
	registry *registry.Registry
	resolver resolver
	store    *zonestore.Store
	limits   Limits
	metrics  *metrics.Transfer
	log      *zap.Logger
	client   asker
	hangUp   func() // closes the connections that are kept
	keyed    bool   // a NOTIFY from the address of a peer with a key must be signed
	workers  sync.WaitGroup
	wake     chan struct{} // tells the scheduler that the heap's first has changed

	diagnoses *diagnoses
	waiters   waiters
	listen    func(Event) // is told of events, nil: nobody is

	mu       sync.Mutex // guards the fields below
	rand     *rand.Rand
	jobs     map[string]*job
	schedule schedule
	shares   map[netip.AddrPort]*share
	moves    map[*job]move          // refreshes that wait for a place with another peer
	claims   map[*job]chan struct{} // who waits for the refresh of a zone to end, see claim
	early    map[string]wish        // of zones without a job yet, see notifyEarlyLocked
	all      places
	ctx      context.Context //nolint:containedctx // that of Run, for the refreshes it starts
}

// New returns an engine that does nothing before Run.
func New(o Options) *Engine {
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // jitter is no secret
	}
	e := &Engine{
		registry: o.Registry,
		resolver: resolver{registry: o.Registry},
		store:    o.Store,
		limits:   o.Limits,
		metrics:  o.Metrics,
		log:      o.Log,
		wake:     make(chan struct{}, 1),
		rand:     o.Rand,
		keyed:    o.RequireNotifyKey,
		listen:   o.Listen,
		schedule: newSchedule(time.Now()),
		jobs:     map[string]*job{},
		shares:   map[netip.AddrPort]*share{},
		moves:    map[*job]move{},
		claims:   map[*job]chan struct{}{},
		early:    map[string]wish{},
	}
	e.metrics.Limits(limits()...)
	if o.Dial == nil {
		o.Dial = dialFrom(e.limits.Source4, e.limits.Source6)
	}
	c := newClient(o.Dial, &e.limits, o.Store.Seed())
	e.client, e.hangUp = c, c.pool.close
	e.diagnoses = newDiagnoses(o.Dial, e.limits, o.Store.Seed())
	return e
}

// Restore enters all configured zones into the store and serves their copies
// from disk. Call it once, before Run and before queries are answered.
func (e *Engine) Restore(ctx context.Context) error {
	zones := make([]zonestore.Configured, 0, e.registry.ZoneCount())
	for z := range e.registry.Zones() {
		zones = append(zones, zonestore.Configured{ID: z.ID, Apex: z.Apex(), Created: z.Created})
	}
	return e.store.Restore(ctx, zones, time.Now())
}

// Run refreshes zones until ctx ends, and returns when everything it started
// has ended.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	e.mu.Lock()
	e.ctx = ctx
	e.mu.Unlock()
	g.Go(func() error { return e.follow(ctx) })
	g.Go(func() error { return e.runSchedule(ctx) })
	err := g.Wait()
	e.workers.Wait()
	e.hangUp()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// runSchedule starts what is due, when it is due.
func (e *Engine) runSchedule(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-e.wake:
		}
		timer.Reset(e.runDue(time.Now()))
	}
}

// idle is how long the scheduler sleeps when nothing is due.
const idle = time.Hour

// runDue starts every refresh that is due and returns how long to sleep.
func (e *Engine) runDue(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		j := e.schedule.first(now)
		if j == nil {
			break
		}
		if !e.expireLocked(j, now) {
			e.schedule.set(j, now.Add(expireAgain))
			continue
		}
		if !j.running && j.queued == nil && !j.check.After(now) {
			e.dispatchLocked(j, now)
		}
		e.scheduleLocked(j)
	}
	at, ok := e.schedule.next()
	if !ok {
		return idle
	}
	if len(e.jobs) > manyZones {
		return max(at.Sub(now), together)
	}
	return max(at.Sub(now), 0)
}

const (
	// manyZones is how many zones there are before those that fall due within
	// together of one another are polled so: to wake for each by itself costs
	// more than the poll.
	manyZones = 1000
	together  = 20 * time.Millisecond
)

// scheduleLocked puts j down for whatever comes first: its check or its expiry.
func (e *Engine) scheduleLocked(j *job) {
	at := j.check
	if j.running || j.queued != nil {
		at = time.Now().Add(idle)
	}
	if v := j.served.View(); v.State == zonestore.StateServing && v.Expires.Before(at) {
		at = v.Expires
	}
	e.schedule.set(j, at)
	if e.schedule.isFirst(j) {
		e.nudge()
	}
}

// nudge wakes the scheduler; one nudge stands for any number.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// expireAgain is when a zone is looked at again that would have expired while a
// version of it was being written.
const expireAgain = 100 * time.Millisecond

// expireLocked ends the service of a copy that has had its time; false if that
// must wait for what is being written of the zone. The engine does not: a NOTIFY for
// any zone would wait with it, and with that a worker that answers queries.
func (e *Engine) expireLocked(j *job, now time.Time) bool {
	v := j.served.View()
	if v.State != zonestore.StateServing || now.Before(v.Expires) {
		return true
	}
	if !e.store.Expire(j.served) {
		return false
	}
	e.waiters.tell(j.served.ID())
	e.emitZone(EventExpired, j.served, v.Serial)
	e.log.Error("zone expired", zap.String("zone", j.apex().String()), zap.Uint32("serial", v.Serial),
		zap.Time("confirmed", j.served.Timers().Confirmed))
	return true
}
