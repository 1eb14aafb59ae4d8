package zonestore

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore/archive"
	"secondaryd/zonestore/zone"
)

// What earlier versions can fail with.
var (
	// ErrNoVersion means that no version with a serial is kept.
	ErrNoVersion = archive.ErrNoVersion
	// ErrUnsaved means that the served version is not on disk yet, so that it
	// can't be gone back from.
	ErrUnsaved = errors.New("the served version could not be saved yet")
)

// Version is a version of a zone that is kept on disk.
type Version = archive.Version

// Versions lists the versions of a zone that are kept on disk, the newest first;
// none if there is no copy.
func (s *Store) Versions(served *Served) ([]Version, error) {
	list, err := s.archive.Versions(served.id)
	if errors.Is(err, archive.ErrNone) {
		return nil, nil
	}
	if s.saysDamaged(served, err) {
		err = nil
	}
	return list, err
}

// saysDamaged logs what became of the earlier versions of a zone if err tells that
// one is damaged.
func (s *Store) saysDamaged(served *Served, err error) bool {
	_, ok := errors.AsType[*archive.DamagedError](err)
	if ok {
		s.log.Error("an earlier version of the zone can't be read: it and those before it are kept no longer, what is served is not touched",
			zap.Stringer("zone", served.apex), zap.Error(err))
	}
	return ok
}

// Version reads the version with that serial from disk; it fails with
// ErrNoVersion if it is not kept. One that is damaged is kept no longer, with
// those before it, and the log says so.
func (s *Store) Version(served *Served, serial uint32) (*zone.Zone, error) {
	z, _, err := s.archive.LoadVersion(served.id, serial, s.seed)
	s.saysDamaged(served, err)
	if err != nil {
		return nil, err
	}
	if !z.Apex().Equal(served.apex) {
		return nil, fmt.Errorf("%w: version %d is of %s", ErrNoVersion, serial, z.Apex())
	}
	return z, nil
}

// Rollback serves an earlier version in place of the present one, once it is on
// disk that it does; unlike Publish it fails if that can't be done. What
// was gone back from stays known, see RolledBack.
func (s *Store) Rollback(served *Served, version *zone.Zone, t Timers) error {
	served.writing.Lock()
	defer served.writing.Unlock()
	if served.gone {
		return ErrGone
	}
	if served.unsaved.Load() {
		return ErrUnsaved
	}
	now := time.Now()
	if err := s.archive.Rollback(archive.Meta{ID: served.id, Received: now}, version); err != nil {
		// Whether it is on disk is not known: what is served must be the newest there.
		served.unsaved.Store(served.View().State == StateServing)
		return err
	}
	served.received, served.rolledBack = now, true
	if err := s.timers.write(served.id, s.timers.set(served.id, &t)); err != nil {
		s.log.Error("can't write the timers of zones, trying again", zap.Error(err))
	}
	served.view.Store(&View{State: StateServing, Zone: version, Serial: version.Serial(), Timers: t})
	return nil
}

// RolledBack tells from which version a zone was rolled back, and when, if no
// other version was published since. It survives restarts.
func (s *Store) RolledBack(served *Served) (from uint32, since time.Time, ok bool) {
	return s.archive.RolledBack(served.id)
}
