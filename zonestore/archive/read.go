package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"secondaryd/zonestore/zone"
)

// Load reads the copy of a zone and what was journaled since; the seed is that
// of queries, see wire.Suffixes. It returns ErrNone if there is none, and a
// *DamagedError if there is one that can't be used.
func (a *Archive) Load(id string, seed uint64) (*zone.Zone, Meta, error) {
	k := keyOf(id)
	for {
		e, ok := a.snapshot(k)
		if !ok {
			return nil, Meta{}, ErrNone
		}
		z, meta, err := a.read(id, &e, seed)
		switch {
		case err == nil:
			return z, meta, nil
		case errors.Is(err, zone.ErrDamaged), errors.Is(err, zone.ErrVersion):
			return nil, Meta{}, a.refuse(k, &e, err)
		case !errors.Is(err, fs.ErrClosed) || !a.moved(k, &e):
			return nil, Meta{}, fmt.Errorf("load copy: %w", err)
		}
	}
}

// read makes the version that an entry leads to.
func (a *Archive) read(id string, e *entry, seed uint64) (*zone.Zone, Meta, error) {
	if e.damaged != 0 {
		return nil, Meta{}, fmt.Errorf("%w: a record is damaged or missing", zone.ErrDamaged)
	}
	z, meta, err := a.readBase(id, e, seed)
	if err != nil || len(e.links()) == 0 {
		return z, meta, err
	}
	return a.replay(z, meta, e.links())
}

// replay makes the version that deltas lead to from z.
func (a *Archive) replay(z *zone.Zone, meta Meta, links []link) (*zone.Zone, Meta, error) {
	d := zone.NewDelta(z, zone.Limits{})
	for _, l := range links {
		err := a.readRecord(l.place, func(h head, changes []byte) error {
			meta.Received, meta.RolledBack = h.time(), false
			return d.Replay(changes)
		})
		if err != nil {
			return nil, Meta{}, fmt.Errorf("delta to serial %d: %w", l.serial, err)
		}
	}
	z, err := d.Finish()
	if err != nil {
		return nil, Meta{}, fmt.Errorf("%w: deltas: %w", zone.ErrDamaged, err)
	}
	if to := links[len(links)-1].serial; z.Serial() != to {
		return nil, Meta{}, fmt.Errorf("%w: deltas lead to serial %d, not %d", zone.ErrDamaged, z.Serial(), to)
	}
	return z, meta, nil
}

func (a *Archive) readBase(id string, e *entry, seed uint64) (*zone.Zone, Meta, error) {
	if e.base.ownFile() {
		return a.readFile(id, seed)
	}
	return a.readCopy(id, e.base, seed)
}

// readCopy reads the whole copy at p, in a segment.
func (a *Archive) readCopy(id string, p place, seed uint64) (z *zone.Zone, meta Meta, err error) {
	err = a.readRecord(p, func(h head, payload []byte) (err error) {
		if h.key != keyOf(id) {
			return fmt.Errorf("%w: copy of another zone", zone.ErrDamaged)
		}
		meta = Meta{ID: id, Received: h.time(), RolledBack: h.rolledBack()}
		z, err = zone.Decode(payload, seed)
		return err
	})
	return z, meta, err
}

// snapshot returns a copy of a zone's entry, if there is a copy of the zone.
func (a *Archive) snapshot(k key) (entry, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok || !e.there() {
		return entry{}, false
	}
	s := *e
	if s.chain != nil {
		s.chain = &chain{links: slices.Clone(s.chain.links), octets: s.chain.octets, from: s.chain.from}
	}
	return s, true
}

// moved reports whether records of the zone lie elsewhere than in e.
func (a *Archive) moved(k key, e *entry) bool {
	now, ok := a.snapshot(k)
	return !ok || now.base != e.base || !slices.Equal(now.links(), e.links())
}

// segmentOf returns the segment that p lies in, or fs.ErrClosed if it was reclaimed.
func (a *Archive) segmentOf(p place) (*segment, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.index.segments[p.segment]
	if !ok {
		return nil, fs.ErrClosed
	}
	return s, nil
}

// frames holds memory for records of up to commonFrame octets, so that hundreds of
// thousands of small zones do not leave as much garbage.
var frames = sync.Pool{New: func() any { return new([commonFrame]byte) }}

const commonFrame = 16 << 10

// readRecord reads the record at p and hands it to use, whose payload is only for
// the time of the call. It returns fs.ErrClosed if the segment was reclaimed
// meanwhile.
func (a *Archive) readRecord(p place, use func(h head, payload []byte) error) error {
	s, err := a.segmentOf(p)
	if err != nil {
		return err
	}
	common := frames.Get().(*[commonFrame]byte)
	defer frames.Put(common)
	frame := common[:min(p.size, commonFrame)]
	if p.size > commonFrame {
		frame = make([]byte, p.size)
	}
	if _, err := s.file.ReadAt(frame, int64(p.offset)); err != nil {
		return err
	}
	h, payload, err := decodeRecord(frame, s.mark)
	if err != nil {
		return err
	}
	return use(h, payload)
}
