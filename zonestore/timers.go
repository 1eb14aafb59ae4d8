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

var timersBucket = []byte("timers")

const (
	timersVersion = 1 // of an entry without a hold
	timersSize    = 1 + 3*8 + 4
	holdVersion   = 2 // with one
	holdSize      = timersSize + 8 + 4
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
	if err := makeBucket(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeBucket writes only if need be: a start need not wait for the disk.
func makeBucket(db *bbolt.DB) error {
	there := false
	err := db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(timersBucket) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(timersBucket)
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
		return tx.Bucket(timersBucket).ForEach(func(id, value []byte) error {
			s, h, ok := decodeEntry(value)
			if ok {
				all[string(id)] = s
			}
			if h != nil {
				f.holds[string(id)] = h
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
		b := tx.Bucket(timersBucket)
		for id, e := range dirty {
			if err := putEntry(b, id, e); err != nil {
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
	err := f.db.Update(func(tx *bbolt.Tx) error { return putEntry(tx.Bucket(timersBucket), id, e) })
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

func putEntry(b *bbolt.Bucket, id string, e *entry) error {
	if e == nil {
		return b.Delete([]byte(id))
	}
	return b.Put([]byte(id), e.encode())
}

func (f *timersFile) close() error { return errors.Join(f.flush(), f.db.Close()) }

// stamps are Timers as they are stored: Checked, Confirmed and Expires in microseconds
// since 1970, 0 for never. They take a third of the memory.
type stamps [3]int64

func (e *entry) encode() []byte {
	b := append(make([]byte, 0, timersSize), timersVersion)
	for _, at := range []time.Time{e.Checked, e.Confirmed, e.Expires} {
		micros := int64(0)
		if !at.IsZero() {
			micros = at.UnixMicro()
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(micros))
	}
	if e.hold != nil {
		b[0] = holdVersion
		b = binary.LittleEndian.AppendUint64(b, uint64(e.hold.Since.UnixMicro()))
		b = binary.LittleEndian.AppendUint32(b, e.hold.Serial)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeEntry returns the stamps and the hold of an entry, nil for none.
func decodeEntry(b []byte) (s stamps, h *Hold, ok bool) {
	held := len(b) == holdSize && b[0] == holdVersion
	if !held && (len(b) != timersSize || b[0] != timersVersion) {
		return stamps{}, nil, false
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return stamps{}, nil, false
	}
	for i := range s {
		s[i] = int64(binary.LittleEndian.Uint64(body[1+8*i:]))
	}
	if held {
		since := int64(binary.LittleEndian.Uint64(body[timersSize-4:]))
		h = &Hold{Serial: binary.LittleEndian.Uint32(body[timersSize+4:]), Since: wallTime(since)}
	}
	return s, h, true
}

func (s stamps) timers() Timers { return Timers{wallTime(s[0]), wallTime(s[1]), wallTime(s[2])} }

func wallTime(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
