package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"secondaryd/zonestore/zone"
)

// ErrNoVersion means that no version with a serial is kept.
var ErrNoVersion = errors.New("no version with this serial is kept")

// Version is a version of a zone that is kept.
type Version struct {
	Serial   uint32
	Received time.Time // when its transfer ended
	Changes  bool      // it is kept as its differences from the one before
}

// stored is where a version lies: the base of a generation and the first of its
// deltas.
type stored struct {
	version Version
	gen     generation
	older   bool // the generation is not that of the copy
}

// record returns the place of the version's last record.
func (s *stored) record() place {
	if n := len(s.gen.links); n > 0 {
		return s.gen.links[n-1].place
	}
	return s.gen.base
}

// Versions lists the versions of a zone that are kept, the newest first, that of
// the copy among them. Of versions with the same serial the newest is listed. It
// reads the head of each, and returns ErrNone if there is no copy. An earlier
// version that can't be read ends what is kept, as in LoadVersion: then it returns
// a *DamagedError beside those that are left.
func (a *Archive) Versions(id string) (list []Version, damage error) {
	k := keyOf(id)
	for {
		all, ok := a.stored(k)
		if !ok {
			return nil, ErrNone
		}
		list, unread, err := a.listed(k, all)
		switch {
		case err == nil:
			return list, damage
		case a.elsewhere(k, all): // it was moved, or dropped, meanwhile
		case unread.older && errors.Is(err, zone.ErrDamaged):
			damage = cmp.Or(a.endHistory(k, unread.gen.seq, fmt.Errorf("version %d: %w", unread.version.Serial, err)), damage)
		default:
			return nil, fmt.Errorf("list versions: %w", err)
		}
	}
}

// listed reads when the versions were received; unread is that of an error.
func (a *Archive) listed(k key, all []stored) (list []Version, unread *stored, err error) {
	list = make([]Version, len(all))
	for i := range all {
		list[i] = all[i].version
		if list[i].Received, err = a.receivedAt(k, &all[i]); err != nil {
			return nil, &all[i], err
		}
	}
	return list, nil, nil
}

// stored returns where the versions of a zone lie; false if there is no copy.
func (a *Archive) stored(k key) ([]stored, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok || !e.there() || e.damaged != 0 {
		return nil, false
	}
	most := a.index.versions
	if e.inForce() {
		most = max(most, 2)
	}
	var all []stored
	known := map[uint32]bool{}
	add := func(g generation, older bool) {
		g.links = slices.Clone(g.links)
		for n := len(g.links); n >= 0 && len(all) < most; n-- {
			at := g
			at.links = g.links[:n:n]
			if serial := at.end(); !known[serial] {
				known[serial] = true
				all = append(all, stored{version: Version{Serial: serial, Changes: n > 0}, gen: at, older: older})
			}
		}
	}
	if !e.inForce() {
		add(e.present(), false)
	}
	for _, g := range e.older() {
		add(g, true)
	}
	if e.inForce() && !known[e.serial] { // else it is listed where it was first
		all = all[:min(len(all), most-1)]
		all = append(all, stored{version: Version{Serial: e.serial}, gen: e.present()})
	}
	return all, true
}

// elsewhere reports whether the versions of a zone are others by now, or lie
// elsewhere.
func (a *Archive) elsewhere(k key, all []stored) bool {
	now, _ := a.stored(k)
	return !slices.EqualFunc(all, now, func(x, y stored) bool {
		return x.gen.base == y.gen.base && slices.Equal(x.gen.links, y.gen.links)
	})
}

// receivedAt reads when a version was received.
func (a *Archive) receivedAt(k key, s *stored) (time.Time, error) {
	p := s.record()
	if !p.ownFile() {
		h, err := a.readHead(p)
		return h.time(), err
	}
	var h fileHead
	err := a.withOwnFile(k, s, func(f *os.File, size int64) (err error) {
		h, _, err = readFileHead(f, size)
		return err
	})
	return time.UnixMicro(h.received).UTC(), err
}

// readHead reads the head of the record at p, as readRecord does the whole.
func (a *Archive) readHead(p place) (head, error) {
	s, err := a.segmentOf(p)
	if err != nil {
		return head{}, err
	}
	var b [headSize]byte
	if _, err := s.file.ReadAt(b[:], int64(p.offset)); err != nil {
		return head{}, err
	}
	h, err := decodeHead(b[:], s.mark)
	if err != nil {
		return head{}, fmt.Errorf("%w: %w", zone.ErrDamaged, err)
	}
	return h, nil
}

// withOwnFile has the own file of a version's base read, wherever it is by now:
// it may have got another name meanwhile.
func (a *Archive) withOwnFile(k key, s *stored, read func(f *os.File, size int64) error) error {
	names := []string{oldFile{k, s.gen.seq}.name()}
	if !s.older {
		names = []string{fileName(k) + newSuffix, fileName(k), names[0]}
	}
	for _, name := range names {
		err := a.withFile(name, func(f *os.File, size int64) error {
			if h, _, err := readFileHead(f, size); err != nil || h.seq != s.gen.seq {
				return errors.Join(err, fs.ErrNotExist)
			}
			return read(f, size)
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%w: the file is missing", zone.ErrDamaged)
}

// LoadVersion reads the version of a zone with that serial, the newest if there
// are several; the seed is as with Load. It returns ErrNoVersion if there is none.
// An earlier version that can't be read ends what is kept of the zone, with those
// before it, and gives a *DamagedError; the copy is none the worse.
func (a *Archive) LoadVersion(id string, serial uint32, seed uint64) (*zone.Zone, Meta, error) {
	k := keyOf(id)
	for {
		all, _ := a.stored(k)
		i := slices.IndexFunc(all, func(s stored) bool { return s.version.Serial == serial })
		if i < 0 {
			return nil, Meta{}, ErrNoVersion
		}
		z, meta, err := a.readStored(id, &all[i], seed)
		switch {
		case err == nil:
			return z, meta, nil
		case a.elsewhere(k, all): // it was moved, or dropped, meanwhile
		case all[i].older && (errors.Is(err, zone.ErrDamaged) || errors.Is(err, zone.ErrVersion)):
			if err := a.endHistory(k, all[i].gen.seq, fmt.Errorf("version %d: %w", serial, err)); err != nil {
				return nil, Meta{}, err
			}
		default:
			return nil, Meta{}, fmt.Errorf("load version %d: %w", serial, err)
		}
	}
}

func (a *Archive) readStored(id string, s *stored, seed uint64) (z *zone.Zone, meta Meta, err error) {
	if s.gen.base.ownFile() {
		err = a.withOwnFile(keyOf(id), s, func(f *os.File, size int64) (err error) {
			z, meta, err = decodeFile(f, size, id, seed)
			return err
		})
	} else {
		z, meta, err = a.readCopy(id, s.gen.base, seed)
	}
	if err != nil || len(s.gen.links) == 0 {
		return z, meta, err
	}
	return a.replay(z, meta, s.gen.links)
}

// endHistory drops the older generation with that base and those before it. What
// it was read from is kept under another name, for whoever wants to know why. It
// returns the *DamagedError for it, nil if the generation was dropped meanwhile.
func (a *Archive) endHistory(k key, seq uint64, cause error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok {
		return nil
	}
	n := slices.IndexFunc(e.older(), func(g generation) bool { return g.seq == seq })
	if n < 0 {
		return nil
	}
	g := e.older()[n]
	name := segmentName(g.base.segment) + asideDamaged
	if g.base.ownFile() {
		from := oldFile{k, seq}.name()
		name = fileName(k) + asideDamaged
		cause = errors.Join(cause, ignoreMissing(a.root.Rename(from, name)))
	}
	for number, s := range a.index.segments {
		if s.aside == "" && g.heldBy(number) {
			s.aside = asideDamaged
		}
	}
	a.dropGenerations(k, a.index.cut(e, n))
	return &DamagedError{Aside: filepath.Join(folder, name), Err: cause}
}

// Rollback writes a version that was loaded in place of the copy, which it is said
// to take the place of: that stays known until another version is saved, see
// RolledBack. When it returns, this survives a power cut.
func (a *Archive) Rollback(meta Meta, z *zone.Zone) error {
	k := keyOf(meta.ID)
	// What it takes the place of must be on disk as well, and under the name that
	// it gets: without that a restart would not know of the rollback.
	err := a.settleBase(k)
	if err == nil {
		err = a.save(meta, z, true)
	}
	if err != nil {
		return fmt.Errorf("save copy: %w", err)
	}
	return errors.Join(a.settleBase(k), a.syncFolders([]key{k}), a.syncCurrent())
}

// RolledBack tells which version an operator went back from, and when, if nothing
// has been saved since. It reads at most the head of the copy.
func (a *Archive) RolledBack(id string) (from uint32, since time.Time, ok bool) {
	k := keyOf(id)
	for {
		a.mu.Lock()
		e, known := a.index.entries[k]
		if !known || !e.there() || !e.inForce() || e.damaged != 0 {
			a.mu.Unlock()
			return 0, time.Time{}, false
		}
		s := stored{gen: e.present()}
		from = e.older()[0].end()
		a.mu.Unlock()
		since, err := a.receivedAt(k, &s)
		if !errors.Is(err, fs.ErrClosed) || !a.moved(k, &entry{base: s.gen.base}) {
			return from, since, true // a copy that can't be read is found damaged elsewhere
		}
	}
}
