// Package zonestore joins what the daemon knows of its zones: the served
// versions, their copies on disk, and the times that decide how long they may
// be served.
//
// A query finds its zone and version through atomic pointers alone; a new version
// is published by one pointer swap and written to disk, so that a crash leaves one
// that was served. Configuration lives in the package registry below. Reading is
// safe from anywhere; for each zone id there is one writer, the transfer engine.
package zonestore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/archive"
	"secondaryd/zonestore/boltmap"
	"secondaryd/zonestore/zone"
)

// ErrGone means that the zone was removed, or given another name, meanwhile.
var ErrGone = errors.New("zone is no longer configured")

// Options say where the store keeps its files and how it reports.
type Options struct {
	Dir string // must exist
	// Lifetime says how long a copy with that SOA may be served after it was
	// confirmed. It is asked only where that was not on disk in time.
	Lifetime func(zone.SOA) time.Duration
	Versions int // of each zone that are kept on disk; 0 is 1, the served one alone
	Log      *zap.Logger
}

// Store holds all configured zones.
type Store struct {
	seed     uint64
	log      *zap.Logger
	lifetime func(zone.SOA) time.Duration
	archive  *archive.Archive
	doubtful bool // a copy on disk may be older than what was served before
	timers   *timersFile
	known    map[string]stamps // what was in the file at the start, until Restore
	finder   finder

	mu    sync.Mutex // guards zones
	zones map[string]*Served
}

// Open opens the files of a store. Close it after Run has returned.
func Open(o Options) (*Store, error) {
	seed, err := loadSeed(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open zone store: %w", err)
	}
	s := &Store{seed: seed, log: o.Log, lifetime: o.Lifetime, zones: map[string]*Served{}}
	var both errgroup.Group
	both.Go(func() error { return s.openTimers(o.Dir) })
	both.Go(func() error { return s.openArchive(o.Dir, max(o.Versions, 1)) })
	if err := both.Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("open zone store: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) openTimers(dir string) error {
	timers, damaged, err := openTimers(dir)
	if err != nil {
		return err
	}
	s.timers = timers
	if damaged != nil {
		s.log.Error("timers file damaged: set aside, every copy now counts as confirmed when it was received", zap.Error(damaged))
	}
	known, err := timers.load()
	if err != nil {
		s.log.Error("can't read the timers of zones", zap.Error(err))
		return nil
	}
	s.known = known
	return nil
}

func (s *Store) openArchive(dir string, versions int) error {
	copies, found, err := archive.Open(dir, versions)
	if err != nil {
		return err
	}
	s.archive, s.doubtful = copies, found.Doubtful
	logRecovery(s.log, found)
	return nil
}

func logRecovery(log *zap.Logger, found archive.Recovery) {
	if found.Torn > 0 {
		log.Info("zone data that was being written when the daemon ended was dropped", zap.Int("writes", found.Torn))
	}
	for _, err := range found.Faults {
		log.Error("zone data on disk can't be read: zones that lose their copy by it will be transferred again", zap.Error(err))
	}
}

// Close writes what is pending and closes the files.
func (s *Store) Close() error {
	var errs []error
	if s.archive != nil {
		errs = append(errs, s.archive.Close())
	}
	if s.timers != nil {
		errs = append(errs, s.timers.close())
	}
	return errors.Join(errs...)
}

// Release gives back the memory that files take while they are neither read nor
// written.
func (s *Store) Release() error { return boltmap.Release(s.timers.db) }

// Seed is what suffixes given to Find must be computed with.
func (s *Store) Seed() uint64 { return s.seed }

// Find returns the deepest configured zone whose name is a suffix of the name,
// beginning at or behind label from, and the label where the zone's name
// begins; nil if there is none. It takes no lock and allocates nothing.
func (s *Store) Find(n *wire.Suffixes, from int) (*Served, int) { return s.finder.find(n, from) }

// Get returns the zone with that id.
func (s *Store) Get(id string) (*Served, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, ok := s.zones[id]
	return z, ok
}

// Configure makes the zone with that id known under its name; it has no copy
// yet. A zone that was known under another name loses it, with its copy. The name must
// not be changed afterwards.
func (s *Store) Configure(id string, apex wire.Name) *Served {
	if old, ok := s.Get(id); ok {
		if old.apex.Equal(apex) {
			return old
		}
		s.Remove(id)
	}
	return s.enter(newServed(id, apex))
}

func (s *Store) enter(z *Served) *Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones[z.id] = z
	s.finder.insert(wire.HashName(z.apex, s.seed), z)
	return z
}

// Remove ends the zone with that id: it is no longer found, and its copy and
// timers are deleted.
func (s *Store) Remove(id string) {
	s.mu.Lock()
	z, ok := s.zones[id]
	delete(s.zones, id)
	s.mu.Unlock()
	if !ok {
		return
	}
	s.finder.remove(wire.HashName(z.apex, s.seed), z)
	z.writing.Lock()
	defer z.writing.Unlock()
	z.gone = true
	s.timers.set(id, nil)
	if err := s.archive.Delete(id); err != nil {
		s.log.Error("can't delete the copy of a removed zone", zap.String("zone", z.apex.String()), zap.Error(err))
	}
}

// Publish serves a new version and then saves it; when it has returned, a crash of the
// program takes nothing back. One that can't be saved is served all the same, and saved as
// soon as the disk allows: a full disk must not make a zone stale.
func (s *Store) Publish(served *Served, version *zone.Zone, t Timers) error {
	return s.publish(served, version, t, func() bool { return false })
}

// Update is Publish for a version made of the one with serial from by changes,
// see zone.Delta.Changes. Those alone are written, and are on disk before it is
// served; the whole version if the archive can't do with that.
func (s *Store) Update(served *Served, version *zone.Zone, from uint32, changes []byte, t Timers) error {
	return s.publish(served, version, t, func() bool { return s.journal(served, version, from, changes) })
}

func (s *Store) publish(served *Served, version *zone.Zone, t Timers, journal func() bool) error {
	served.writing.Lock()
	defer served.writing.Unlock()
	if served.gone {
		return ErrGone
	}
	served.received, served.rolledBack = t.Confirmed, false
	saved := journal()
	served.view.Store(&View{State: StateServing, Zone: version, Serial: version.Serial(), Timers: t})
	if !saved {
		s.save(served, version) // a large one takes as long as a tenth of its transfer
	}
	s.timers.hold(served.id, nil, &t)
	return nil
}

// journal writes the changes that lead to version to the archive, if that holds
// the version before. The caller holds served.writing.
func (s *Store) journal(served *Served, version *zone.Zone, from uint32, changes []byte) bool {
	if served.unsaved.Load() {
		return false
	}
	err := s.archive.Append(archive.Meta{ID: served.id, Received: served.received}, from, version.Serial(), changes)
	if err != nil && !errors.Is(err, archive.ErrNeedsCopy) {
		s.log.Error("changes of a zone can't be journaled: the whole copy is saved instead",
			zap.String("zone", served.apex.String()), zap.Uint32("serial", version.Serial()), zap.Error(err))
	}
	return err == nil
}

// save writes version to the archive and notes whether that worked. The caller
// holds served.writing.
func (s *Store) save(served *Served, version *zone.Zone) {
	write := s.archive.Save
	if served.rolledBack {
		write = s.archive.Rollback
	}
	err := write(archive.Meta{ID: served.id, Received: served.received}, version)
	if err != nil {
		s.log.Error("zone is served from memory: its copy can't be saved, trying again",
			zap.String("zone", served.apex.String()), zap.Uint32("serial", version.Serial()), zap.Error(err))
	}
	if err == nil && served.unsaved.Load() {
		s.log.Info("zone copy saved at last", zap.String("zone", served.apex.String()), zap.Uint32("serial", version.Serial()))
	}
	served.unsaved.Store(err != nil)
}

// Confirm records that a primary was asked. The copy goes on being served until
// t.Expires.
func (s *Store) Confirm(served *Served, t Timers) {
	served.writing.Lock()
	defer served.writing.Unlock()
	if served.gone {
		return
	}
	if v := served.View(); v.State == StateExpired {
		t.Expires = v.Expires // it came too late
	}
	s.setTimers(served, t)
}

// Expire takes the copy out of service; its serial stays known. It does not wait:
// while a version is being written, which may take long and is likely to live on, it
// returns false, and the copy stays.
func (s *Store) Expire(served *Served) bool {
	if !served.writing.TryLock() {
		return false
	}
	defer served.writing.Unlock()
	if v := served.View(); v.State == StateServing {
		served.view.Store(&View{State: StateExpired, Serial: v.Serial, Timers: v.Timers})
	}
	return true
}

// setTimers gives the zone's view other timers. The caller holds served.writing.
func (s *Store) setTimers(served *Served, t Timers) {
	served.view.Store(served.View().with(t))
	s.timers.set(served.id, &t)
}

// All returns every configured zone, in no order.
func (s *Store) All() []*Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Served, 0, len(s.zones))
	for _, z := range s.zones {
		all = append(all, z)
	}
	return all
}

const (
	flushEvery = 2 * time.Second
	retryEvery = 10 * time.Second
)

// Run writes timers and syncs copies in the background until ctx ends, and once
// more then.
func (s *Store) Run(ctx context.Context) error {
	flush, retry := time.NewTicker(flushEvery), time.NewTicker(retryEvery)
	defer flush.Stop()
	defer retry.Stop()
	start := time.Now()
	var wall clock
	for {
		select {
		case <-ctx.Done():
			s.flush()
			return nil
		case <-flush.C:
			s.watchClock(&wall, start, time.Now())
			s.flush()
		case <-retry.C:
			s.saveUnsaved()
		}
	}
}

func (s *Store) flush() {
	// Copies first: timers that run ahead of them would confirm an older copy.
	if err := errors.Join(s.archive.Sync(), s.timers.flush()); err != nil {
		s.log.Error("can't write zone data to disk, trying again", zap.Error(err))
	}
}

func (s *Store) saveUnsaved() {
	for _, served := range s.All() {
		if served.unsaved.Load() {
			s.saveAgain(served)
		}
	}
}

func (s *Store) saveAgain(served *Served) {
	served.writing.Lock()
	defer served.writing.Unlock()
	if v := served.View(); !served.gone && v.State == StateServing {
		s.save(served, v.Zone)
	}
}
