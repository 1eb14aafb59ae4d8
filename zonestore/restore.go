package zonestore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/archive"
	"secondaryd/zonestore/zone"
)

// Configured is a zone as the configuration has it.
type Configured struct {
	ID      string
	Apex    string    // in presentation form
	Created time.Time // a copy older than this belongs to a predecessor
}

// Restore enters all configured zones at the start and serves their copies from
// disk, those that have not expired meanwhile. Copies that don't fit are
// deleted, damaged ones set aside; both are fetched again. Timers of zones that
// are no longer configured are forgotten.
func (s *Store) Restore(ctx context.Context, zones []Configured, now time.Time) error {
	began := time.Now()
	known := s.known
	s.known = nil
	var loaded tally
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	// As many goroutines as zones would each grow a stack of its own.
	for range 2 * runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(zones)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := s.restore(zones[i], known, now, &loaded); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.resumeHolds(zones, now)
	if loaded.known.Load() < int64(len(known)) {
		s.forgetOthers(zones, known)
	}
	s.log.Info("zones loaded", zap.Int64("zones", loaded.zones.Load()), zap.Int64("records", loaded.records.Load()),
		zap.Int("configured", len(zones)), zap.Duration("duration", time.Since(began)))
	return nil
}

// forgetOthers deletes what is kept of zones that are not configured.
func (s *Store) forgetOthers(zones []Configured, known map[string]stamps) {
	for _, c := range zones {
		delete(known, c.ID)
	}
	for id := range known {
		s.timers.set(id, nil)
		if err := s.archive.Delete(id); err != nil {
			s.log.Warn("can't delete the copy of a removed zone", zap.Error(err))
		}
	}
}

// tally counts what is served after the start.
type tally struct {
	zones, records atomic.Int64
	known          atomic.Int64 // configured zones of which there are timers
}

func (l *tally) add(v *View) {
	if v.State == StateServing {
		l.zones.Add(1)
		l.records.Add(int64(v.Zone.Records()))
	}
}

// restore enters one zone with its copy, and the timers that are known of it, if any.
func (s *Store) restore(c Configured, known map[string]stamps, now time.Time, loaded *tally) error {
	apex, err := wire.ParseName(c.Apex)
	if err != nil {
		return fmt.Errorf("zone %s: %w", c.ID, err)
	}
	at, ok := known[c.ID]
	if ok {
		loaded.known.Add(1)
	}
	served := s.enter(newServed(c.ID, apex))
	s.serveCopy(served, c.Created, at.timers(), now)
	loaded.add(served.View())
	return nil
}

// serveCopy serves the copy on disk of a zone that has just been entered, if there is one.
func (s *Store) serveCopy(served *Served, created time.Time, known Timers, now time.Time) {
	log := func() *zap.Logger { return s.log.With(zap.Stringer("zone", served.apex)) }
	z, meta, err := s.archive.Load(served.id, s.seed)
	if errors.Is(err, archive.ErrNone) {
		return
	}
	if err != nil {
		log().Error("the zone's copy on disk can't be used: it will be transferred again", zap.Error(err))
		return
	}
	if !z.Apex().Equal(served.apex) || meta.Received.Before(created) {
		log().Info("the copy on disk belongs to an earlier zone of this id: it will be deleted")
		if err := s.archive.Delete(served.id); err != nil {
			log().Error("can't delete a copy", zap.Error(err))
		}
		return
	}
	served.received, served.rolledBack = meta.Received, meta.RolledBack
	t, behind := s.resume(known, meta, z.SOA(), now)
	if behind {
		log().Warn("the clock is behind the time when the copy was confirmed: its last check counts as made now")
	}
	view := &View{State: StateServing, Zone: z, Serial: z.Serial(), Timers: t}
	if !now.Before(view.Expires) {
		view.State, view.Zone = StateExpired, nil
		log().Error("zone expired", zap.Uint32("serial", view.Serial), zap.Time("expired", view.Expires))
	} else if entry := s.log.Check(zap.DebugLevel, "zone loaded"); entry != nil {
		entry.Write(zap.Stringer("zone", served.apex), zap.Uint32("serial", view.Serial), zap.Int("records", z.Records()))
	}
	served.view.Store(view)
}

// resume makes the timers that a copy goes on with of those that are known of it, zero
// for none; behind as in running.
func (s *Store) resume(t Timers, meta archive.Meta, soa zone.SOA, now time.Time) (at Timers, behind bool) {
	if t.Confirmed.IsZero() || t.Confirmed.Before(meta.Received) && !meta.RolledBack {
		// The process ended before the timers of this copy were written. That it was
		// rolled back to confirmed nothing.
		t = Timers{Checked: meta.Received, Confirmed: meta.Received}
	}
	own := t.Confirmed.Add(s.lifetime(soa))
	if t.Expires.IsZero() || meta.RolledBack && own.Before(t.Expires) {
		t.Expires = own // else they may still be the timers of what was gone back from
	}
	if s.doubtful && meta.Received.Before(t.Confirmed) {
		t.Confirmed = meta.Received // what was confirmed since may have been a newer copy
	}
	return t.running(now)
}
