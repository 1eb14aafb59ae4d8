package archive

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"secondaryd/zonestore/zone"
)

// reclaim frees as many segments as were begun since it last did, and one more: so
// it keeps up with whatever is written, and a Sync takes no longer than that calls
// for. The caller holds syncing.
func (a *Archive) reclaim() error {
	a.write.Lock()
	begun := a.number - a.seen
	a.seen = a.number
	a.write.Unlock()
	for range begun + 1 {
		s, suffix := a.reclaimable()
		if s == nil {
			return nil
		}
		if err := a.reclaimSegment(s, suffix); err != nil {
			return err
		}
	}
	return nil
}

// reclaimSegment frees a segment: what still counts is copied to the current one,
// and the file removed when that is on disk. One that holds damage is renamed
// instead.
func (a *Archive) reclaimSegment(s *segment, suffix string) error {
	keys, err := a.evacuate(s)
	if err != nil {
		return fmt.Errorf("reclaim segment %d: %w", s.number, err)
	}
	older := a.cutHistories(s)
	lost, err := a.buryLost(s)
	if lost+older > 0 && suffix == "" {
		suffix = asideDamaged
	}
	if err == nil {
		err = a.settle()
	}
	if err == nil {
		err = a.drop(s, suffix, keys)
	}
	if err != nil {
		return fmt.Errorf("reclaim segment %d: %w", s.number, err)
	}
	if lost+older > 0 {
		return &DamagedError{
			Aside: filepath.Join(folder, segmentName(s.number)+suffix),
			Err:   fmt.Errorf("%w: segment %d: copies of %d zones, earlier versions of %d", zone.ErrDamaged, s.number, lost, older),
		}
	}
	return nil
}

// cutHistories drops the older generations that have lost a record with s, and
// those behind them, and returns of how many zones: nothing that is served
// depends on them.
func (a *Archive) cutHistories(s *segment) (zones int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.live == 0 {
		return 0
	}
	for k, e := range a.index.entries {
		n := slices.IndexFunc(e.older(), func(g generation) bool { return g.heldBy(s.number) })
		if n < 0 {
			continue
		}
		zones++
		a.dropGenerations(k, a.index.cut(e, n))
	}
	return zones
}

// reclaimable returns the first segment that is damaged, not to be relied on, or
// less than half in use, and the suffix under which it is to be kept, if any.
// It takes no more records.
func (a *Archive) reclaimable() (*segment, string) {
	a.write.Lock()
	defer a.write.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	var first *segment
	for _, s := range a.index.segments {
		wanted := s.aside != "" || s.broken.Load() || s != a.current && 2*s.live < s.end.Load()
		if wanted && (first == nil || s.number < first.number) {
			first = s
		}
	}
	if first == nil {
		return nil, ""
	}
	if first == a.current {
		a.current = nil
	}
	return first, first.aside
}

// evacuate copies what counts in s to the current segment, and returns the zones
// of all its records. Writers wait for one record at a time only.
func (a *Archive) evacuate(s *segment) (keys []key, err error) {
	for f := range s.scan(s.end.Load()) {
		if !f.whole {
			continue
		}
		keys = append(keys, f.key)
		if err := a.rescue(&f); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// rescue copies a record to the current segment if it still counts.
func (a *Archive) rescue(f *found) error {
	a.write.Lock()
	defer a.write.Unlock()
	e, ok := a.index.entries[f.key] // only changed with write held
	if !ok || e.damaged != 0 || e.at(f.place) == nil {
		return nil
	}
	s, err := a.roomLocked(len(f.octets))
	if err != nil {
		return err
	}
	copy(f.octets, s.mark[:])
	p, err := s.append(f.octets)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index.move(e, e.at(f.place), p)
	return nil
}

// buryLost ends what is on disk of zones that have lost a record with s, and
// returns how many had not been reported.
func (a *Archive) buryLost(s *segment) (lost int, err error) {
	for _, k := range a.heldBy(s) {
		if e, ok := a.snapshot(k); ok && e.damaged == 0 {
			lost++
		}
		if _, _, err := a.bury(k); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// heldBy returns the zones of which a record that counts lies in s.
func (a *Archive) heldBy(s *segment) (keys []key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.live == 0 {
		return nil
	}
	for k, e := range a.index.entries {
		if e.heldBy(s.number) {
			keys = append(keys, k)
		}
	}
	return keys
}

// drop takes s away from the folder and the index.
func (a *Archive) drop(s *segment, suffix string, keys []key) error {
	name := segmentName(s.number)
	if err := errors.Join(ignoreMissing(a.removeOrKeep(name, suffix)), a.syncFile(segments)); err != nil {
		return err
	}
	a.write.Lock()
	defer a.write.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.index.segments, s.number)
	for _, k := range keys {
		a.index.gone(k)
	}
	return s.file.Close()
}

func (a *Archive) removeOrKeep(name, suffix string) error {
	if suffix == "" {
		return a.root.Remove(name)
	}
	return a.root.Rename(name, name+suffix)
}
