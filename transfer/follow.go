package transfer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// follow keeps the jobs in step with the configuration: a full listing first,
// then the stream of changes, and a new listing whenever the stream can't go on.
func (e *Engine) follow(ctx context.Context) error {
	for {
		revision := e.registry.Revision()
		e.list()
		for changes, err := range e.registry.Watch(ctx, revision) {
			if errors.Is(err, registry.ErrTooOld) {
				break
			}
			if err != nil {
				return err
			}
			for _, c := range changes {
				e.apply(c)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// list compares all jobs with the configuration.
func (e *Engine) list() {
	e.resolver.tls.clear()
	zones := map[string]struct{}{}
	for z := range e.registry.Zones() {
		zones[z.ID] = struct{}{}
		e.configure(z)
	}
	for _, served := range e.store.All() { // those that have no job yet too
		if _, ok := zones[served.ID()]; !ok {
			e.remove(served.ID())
		}
	}
}

// apply takes one change of the configuration. A changed peer or key is tried
// at once with every zone that uses it.
func (e *Engine) apply(c registry.Change) {
	switch c.Kind {
	case registry.KindZone:
		if z, ok := e.registry.Zone(c.ID); ok {
			e.configure(z)
		} else {
			e.remove(c.ID)
		}
	case registry.KindPeer:
		e.forgive(c.ID)
		e.resolver.tls.forget(c.ID)
		e.retryZones(e.registry.ZonesOfPeer(c.ID))
	case registry.KindTSIG:
		for _, id := range e.registry.PeersOfTSIG(c.ID) {
			e.retryZones(e.registry.ZonesOfPeer(id))
		}
	case registry.KindACL, registry.KindOutgoing, registry.KindRegistration: // nothing is fetched by them
	}
}

// configure makes the engine do what z says. A zone created anew under its id,
// or given another name, starts from nothing.
func (e *Engine) configure(z registry.Zone) {
	apex, err := wire.ParseName(z.Apex())
	if err != nil {
		e.log.Error("configured zone has an impossible name", zap.String("zone", z.Name), zap.Error(err))
		return
	}
	e.mu.Lock()
	j, known := e.jobs[z.ID]
	e.mu.Unlock()
	if known && (!j.apex().Equal(apex) || j.created != z.Created.UnixNano()) {
		e.remove(z.ID)
		known = false
	}
	if known {
		e.reconfigure(j, z)
		return
	}
	e.add(z, apex)
}

// add makes the job of a zone that the engine did not know.
func (e *Engine) add(z registry.Zone, apex wire.Name) {
	j := &job{served: e.store.Configure(z.ID, apex), created: z.Created.UnixNano(), slot: -1}
	j.set(z)
	e.restoreHeld(j)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	j.check = now
	_, held := e.store.Held(j.served) // is fetched and held again
	if v := j.served.View(); v.State == zonestore.StateServing && !v.Unconfirmed() && !held {
		// What fell due while the daemon was down is done now, the rest in its time.
		j.check = v.Confirmed.Add(afterSuccess(j.interval, v.Life(), e.rand))
	}
	e.jobs[z.ID] = j
	if w, ok := e.early[z.ID]; ok {
		delete(e.early, z.ID)
		e.wantLocked(j, w)
		return
	}
	e.scheduleLocked(j)
}

// reconfigure gives a job new settings and tries them at once; a refresh that
// runs with the old ones ends.
func (e *Engine) reconfigure(j *job, z registry.Zone) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j.revision == z.Revision {
		return
	}
	j.set(z)
	e.retryLocked(j, wish{now: true, insist: true})
}

func (e *Engine) retryZones(ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range ids {
		if j, ok := e.jobs[id]; ok {
			j.whole = nil // what was learned of a peer may hold no longer
			e.retryLocked(j, wish{now: true})
		}
	}
}

func (e *Engine) retryLocked(j *job, w wish) {
	if j.running {
		j.stop()
	}
	e.wantLocked(j, w)
}

// forgive has a peer that was left out asked again, since its configuration has
// changed.
func (e *Engine) forgive(peerID string) {
	p, _ := e.registry.Peer(peerID)
	addr, ok := p.AddrPort()
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.shares[addr]; ok {
		e.backLocked(s, time.Time{})
	}
}

// remove ends a zone: its running refresh stops, DNS no longer answers for it,
// its copy is deleted.
func (e *Engine) remove(id string) {
	e.mu.Lock()
	j, ok := e.jobs[id]
	delete(e.early, id)
	if ok {
		delete(e.jobs, id)
		e.schedule.drop(j)
		j.removed = true
		if j.running {
			j.stop()
		}
		e.unqueueLocked(j)
		e.detachLocked(j.shares)
		j.shares = nil
	}
	e.mu.Unlock()
	served, ok := e.store.Get(id)
	e.store.Remove(id)
	e.waiters.tell(id)
	if ok {
		e.log.Info("zone removed", zap.String("zone", served.Apex().String()))
	}
}
