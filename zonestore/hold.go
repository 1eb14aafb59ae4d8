package zonestore

import (
	"time"

	"go.uber.org/zap"
)

// Hold says that a version of a zone is held, see package transfer. The version itself
// is not stored.
type Hold struct {
	Serial uint32
	Since  time.Time
}

// Hold stores at once that the version with that serial is held from now on, and returns
// since when: if it was held already, it goes on. It ends with Unhold, or when a version is
// published.
func (s *Store) Hold(served *Served, serial uint32, now time.Time) (since time.Time) {
	served.writing.Lock()
	defer served.writing.Unlock()
	h, ok := s.Held(served)
	if !ok || h.Serial != serial {
		h = Hold{Serial: serial, Since: now}
	}
	if served.gone {
		return h.Since
	}
	t := served.Timers()
	entry := s.timers.hold(served.id, &h, &t)
	err := s.archive.Sync() // the timers must not run ahead of the copy
	if err == nil {
		err = s.timers.write(served.id, entry)
	}
	if err != nil {
		s.log.Error("can't write the timers of zones, trying again", zap.Error(err))
	}
	return h.Since
}

// Unhold stores, within seconds, that the version with that serial is held no longer.
func (s *Store) Unhold(served *Served, serial uint32) {
	served.writing.Lock()
	defer served.writing.Unlock()
	if h, ok := s.Held(served); !ok || h.Serial != serial {
		return
	}
	t := served.Timers()
	s.timers.hold(served.id, nil, &t)
}

// Held tells which version of a zone is held. It survives restarts.
func (s *Store) Held(served *Served) (h Hold, ok bool) {
	s.timers.mu.Lock()
	defer s.timers.mu.Unlock()
	if h, ok := s.timers.holds[served.id]; ok {
		return *h, true
	}
	return Hold{}, false
}

// resumeHolds has what was held before the start go on, but for zones that were created
// since. A clock that is behind says nothing of how long that is.
func (s *Store) resumeHolds(zones []Configured, now time.Time) {
	f := s.timers
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.holds) == 0 {
		return
	}
	for _, c := range zones {
		h, ok := f.holds[c.ID]
		switch {
		case !ok:
		case h.Since.Before(c.Created):
			delete(f.holds, c.ID)
		case h.Since.After(now):
			f.holds[c.ID] = &Hold{Serial: h.Serial, Since: now}
		default:
			f.holds[c.ID] = &Hold{Serial: h.Serial, Since: running(h.Since, now)}
		}
	}
}

// hold records that a version of a zone is held, nil for none, with the zone's timers, for
// the next flush.
func (f *timersFile) hold(id string, h *Hold, t *Timers) *entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h == nil {
		delete(f.holds, id)
	} else {
		f.holds[id] = h
	}
	return f.setLocked(id, t)
}

// rebaseHold is from for the time since when a version is held.
func (f *timersFile) rebaseHold(id string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.holds[id]; ok {
		f.holds[id] = &Hold{Serial: h.Serial, Since: running(h.Since, now)}
	}
}
