package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"secondaryd/internal/wire"
)

// ErrBusy means that as many as may already do what was asked for.
var ErrBusy = errors.New("too many at once")

// Outcome is what came of a step of a diagnosis.
type Outcome string

// The outcomes.
const (
	OutcomeOK      Outcome = "ok"
	OutcomeFailed  Outcome = "failed"
	OutcomeSkipped Outcome = "skipped"
)

// Diagnosis is what was found of one peer of a zone.
type Diagnosis struct {
	Peer     string // id
	Address  string // and port, empty without one
	Findings []Finding
	// Skew is how far the peer's clock is ahead of ours, nil if it was not told.
	Skew *time.Duration
}

// Finding is one step of a diagnosis.
type Finding struct {
	Name    string
	Outcome Outcome
	Cause   Cause  // of a failure
	Detail  string // what was seen, or why the step was skipped
	Advice  string // what to do, empty for nothing
	Took    time.Duration
}

// The limits of diagnoses. One takes diagnosisTime at most, whatever the peers
// do, and each step less than a refresh would wait: a person does.
const (
	maxDiagnoses     = 4
	diagnosisTime    = 25 * time.Second
	diagnosisPeers   = 4 // of one zone at once
	diagnosisConnect = 3 * time.Second
	diagnosisAnswer  = 4 * time.Second
)

// diagnoses bounds the diagnoses under way: one a zone, a few in all.
type diagnoses struct {
	dial   Dialer
	limits Limits
	seed   uint64

	mu    sync.Mutex // guards zones
	zones map[string]struct{}
}

func newDiagnoses(dial Dialer, limits Limits, seed uint64) *diagnoses {
	limits.Connect = min(limits.Connect, diagnosisConnect)
	limits.FirstMessage = min(limits.FirstMessage, diagnosisAnswer)
	limits.Message = min(limits.Message, diagnosisAnswer)
	return &diagnoses{dial: dial, limits: limits, seed: seed, zones: map[string]struct{}{}}
}

// client makes a client of its own for one diagnosis: what that learns of a peer
// is forgotten, no connection is kept, and no transfer has to wait for it.
func (d *diagnoses) client() *client {
	c := newClient(d.dial, &d.limits, d.seed)
	c.pool.perPeer = 0
	return c
}

func (d *diagnoses) enter(zone string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, running := d.zones[zone]; running || len(d.zones) >= maxDiagnoses {
		return false
	}
	d.zones[zone] = struct{}{}
	return true
}

func (d *diagnoses) leave(zone string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.zones, zone)
}

// Diagnose tries each peer of a zone step by step and says what is wrong and
// what to do. It changes nothing: no copy, no timer, nobody is left out for it.
// It returns when all is done, ctx has ended or the time is over, and fails with
// ErrUnknownZone, or with ErrBusy if the zone is being diagnosed already, or a
// few others are. tell, unless it is nil, is called for each step as it is done,
// with the Diagnosis of its peer so far; one call at a time.
func (e *Engine) Diagnose(ctx context.Context, zoneID string, tell func(Diagnosis)) ([]Diagnosis, error) {
	z, ok := e.registry.Zone(zoneID)
	if !ok {
		return nil, ErrUnknownZone
	}
	apex, err := wire.ParseName(z.Apex())
	if err != nil {
		return nil, fmt.Errorf("diagnose zone %s: %w", z.Name, err)
	}
	if !e.diagnoses.enter(zoneID) {
		return nil, ErrBusy
	}
	defer e.diagnoses.leave(zoneID)
	ctx, cancel := context.WithTimeout(ctx, diagnosisTime)
	defer cancel()
	view := e.view(zoneID)
	peers := e.resolver.peersOf(zoneID)
	found := make([]Diagnosis, len(peers))
	places := make(chan struct{}, diagnosisPeers)
	var telling sync.Mutex
	tellOne := func(d Diagnosis) {
		if tell != nil {
			telling.Lock()
			defer telling.Unlock()
			tell(d)
		}
	}
	var all sync.WaitGroup
	for i, p := range peers {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			found[i] = e.examine(ctx, &examination{client: e.diagnoses.client(), peer: p, apex: apex, view: view, tell: tellOne})
		})
	}
	all.Wait()
	return found, nil
}

// examine contains a panic in the examination of one peer.
func (e *Engine) examine(ctx context.Context, x *examination) (found Diagnosis) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("diagnosis panicked", zap.String("zone", x.apex.String()), zap.Any("panic", p), zap.Stack("stack"))
			x.add(Finding{Name: "diagnosis"}, fail(StepCheck, CauseInternal, "see the log"))
		}
		found = x.result()
	}()
	x.run(ctx)
	return found
}
