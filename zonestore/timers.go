package zonestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Timers is what must be known of a zone across a restart besides its copy.
// The times are wall time; zero means never.
type Timers struct {
	Checked   time.Time // a primary was asked, whatever the outcome
	Confirmed time.Time // a primary confirmed the copy: the expiry clock runs from here
	Expires   time.Time // when the copy expires
}

// Life is how long the copy may be served after it was confirmed.
func (t Timers) Life() time.Duration { return t.Expires.Sub(t.Confirmed) }

// Unconfirmed reports whether the last check confirmed nothing: one that does has the
// same time as Checked and as Confirmed.
func (t Timers) Unconfirmed() bool { return t.Checked.After(t.Confirmed) }

// timersFile keeps the timers of all zones in one bbolt file. They change with
// every check of every zone, so they are collected and written together: a
// crash loses the last moments, which only makes a zone expire earlier.
type timersFile struct {
	db *bbolt.DB

	mu    sync.Mutex // guards the fields below
	dirty map[string]*entry
	holds map[string]*Hold // of the few zones of which a version is held
}

// entry is what is stored of a zone. It never changes.
type entry struct {
	Timers
	hold *Hold // nil for none
}

// Holds lie apart, so that a release that does not know them reads the timers all the same.
var (
	timersBucket = []byte("timers")
	holdsBucket  = []byte("holds")
)

const (
	timersVersion = 1
	timersSize    = 1 + 3*8 + 4
	holdVersion   = 1
	holdSize      = 1 + 8 + 4 + 4
	lockTimeout   = 2 * time.Second
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openTimers opens the file in dir. One that can't be read is set aside, since
// all it holds can be learned anew; damaged tells that this happened.
func openTimers(dir string) (f *timersFile, damaged error, err error) {
	path := filepath.Join(dir, "timers.db")
	db, err := openBolt(path)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("%s is in use by another process", path)
	}
	if err != nil {
		damaged = err
		if err := os.Rename(path, path+".damaged"); err != nil {
			return nil, damaged, err
		}
		if db, err = openBolt(path); err != nil {
			return nil, damaged, err
		}
	}
	return &timersFile{db: db, dirty: map[string]*entry{}, holds: map[string]*Hold{}}, damaged, nil
}

func openBolt(path string) (db *bbolt.DB, err error) {
	defer func() { // bbolt panics on some kinds of damage
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	if err := makeBuckets(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeBuckets writes only if need be: a start need not wait for the disk.
func makeBuckets(db *bbolt.DB) error {
	there := false
	err := db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(timersBucket) != nil && tx.Bucket(holdsBucket) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(timersBucket)
		if err == nil {
			_, err = tx.CreateBucketIfNotExists(holdsBucket)
		}
		return err
	})
}

// load returns the timers of every zone in the file, and learns what is held; damaged
// entries are left out.
func (f *timersFile) load() (all map[string]stamps, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("timers: damaged: %v", r)
		}
	}()
	f.mu.Lock()
	defer f.mu.Unlock()
	all = map[string]stamps{}
	err = f.db.View(func(tx *bbolt.Tx) error {
		err := tx.Bucket(holdsBucket).ForEach(func(id, value []byte) error {
			if h, ok := decodeHold(value); ok {
				f.holds[string(id)] = h
			}
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Bucket(timersBucket).ForEach(func(id, value []byte) error {
			if s, ok := decodeStamps(value); ok {
				all[string(id)] = s
			}
			return nil
		})
	})
	return all, err
}

// set records the timers of a zone, nil to forget it, for the next flush.
func (f *timersFile) set(id string, t *Timers) *entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.setLocked(id, t)
}

func (f *timersFile) setLocked(id string, t *Timers) *entry {
	if t == nil {
		delete(f.holds, id)
		f.dirty[id] = nil
		return nil
	}
	e := &entry{Timers: *t, hold: f.holds[id]}
	f.dirty[id] = e
	return e
}

// flush writes what has changed since the last flush, in one transaction.
func (f *timersFile) flush() error {
	f.mu.Lock()
	dirty := f.dirty
	f.dirty = map[string]*entry{}
	f.mu.Unlock()
	if len(dirty) == 0 {
		return nil
	}
	err := f.db.Update(func(tx *bbolt.Tx) error {
		for id, e := range dirty {
			if err := putEntry(tx, id, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.restore(dirty)
		return fmt.Errorf("write timers: %w", err)
	}
	return nil
}

// write writes what set has recorded of one zone at once. That of others waits for what
// is published of them to be on disk.
func (f *timersFile) write(id string, e *entry) error {
	err := f.db.Update(func(tx *bbolt.Tx) error { return putEntry(tx, id, e) })
	if err != nil {
		return fmt.Errorf("write timers: %w", err)
	}
	return nil
}

// restore takes back what could not be written, unless it is outdated by now.
func (f *timersFile) restore(dirty map[string]*entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, e := range dirty {
		if _, ok := f.dirty[id]; !ok {
			f.dirty[id] = e
		}
	}
}

func putEntry(tx *bbolt.Tx, id string, e *entry) error {
	key := []byte(id)
	timers, holds := tx.Bucket(timersBucket), tx.Bucket(holdsBucket)
	switch {
	case e == nil:
		return errors.Join(timers.Delete(key), holds.Delete(key))
	case e.hold == nil:
		return errors.Join(timers.Put(key, e.Timers.encode()), holds.Delete(key))
	default:
		return errors.Join(timers.Put(key, e.Timers.encode()), holds.Put(key, e.hold.encode()))
	}
}

func (f *timersFile) close() error { return errors.Join(f.flush(), f.db.Close()) }

// stamps are Timers as they are stored: Checked, Confirmed and Expires in microseconds
// since 1970, 0 for never. They take a third of the memory.
type stamps [3]int64

func (t Timers) encode() []byte {
	b := append(make([]byte, 0, timersSize), timersVersion)
	for _, at := range []time.Time{t.Checked, t.Confirmed, t.Expires} {
		micros := int64(0)
		if !at.IsZero() {
			micros = at.UnixMicro()
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(micros))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeStamps(b []byte) (s stamps, ok bool) {
	body, ok := whole(b, timersVersion, timersSize)
	if !ok {
		return stamps{}, false
	}
	for i := range s {
		s[i] = int64(binary.LittleEndian.Uint64(body[8*i:]))
	}
	return s, true
}

func (h *Hold) encode() []byte {
	b := append(make([]byte, 0, holdSize), holdVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Since.UnixMicro()))
	b = binary.LittleEndian.AppendUint32(b, h.Serial)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeHold(b []byte) (h *Hold, ok bool) {
	body, ok := whole(b, holdVersion, holdSize)
	if !ok {
		return nil, false
	}
	return &Hold{Since: wallTime(int64(binary.LittleEndian.Uint64(body))), Serial: binary.LittleEndian.Uint32(body[8:])}, true
}

// whole returns what lies between version and checksum, if both are right.
func whole(b []byte, version byte, size int) (body []byte, ok bool) {
	if len(b) != size || b[0] != version {
		return nil, false
	}
	end := size - 4
	return b[1:end], crc32.Checksum(b[:end], castagnoli) == binary.LittleEndian.Uint32(b[end:])
}

func (s stamps) timers() Timers { return Timers{wallTime(s[0]), wallTime(s[1]), wallTime(s[2])} }

func wallTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
