// Package archive keeps the last good copy of each zone on disk, and the deltas
// that came after it, so that a restart serves them at once, whatever the
// primaries do.
//
// Small copies and deltas are records in append-only segments, so that zones by
// the hundred thousand share files and fsyncs; a large copy has a file of its
// own. After a crash there is the old version of a zone or the new one, never a
// mixture. Everything is checksummed; what is damaged is set aside and reported,
// never served. An Archive is safe for concurrent use, with at most one writer
// per zone id. docs/format.md describes the files.
package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"secondaryd/zonestore/zone"
)

// What the archive can't do.
var (
	ErrNone      = errors.New("no copy on disk")
	ErrNeedsCopy = errors.New("the zone needs a whole copy") // instead of a delta
)

// DamagedError tells of copies that could not be read and were set aside.
type DamagedError struct {
	Aside string // the name of the file from the next Sync on, below the archive's folder
	Err   error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%v (set aside as %s)", e.Err, e.Aside) }
func (e *DamagedError) Unwrap() error { return e.Err }

// Meta is what is known of a copy besides its records.
type Meta struct {
	ID       string    // the zone id it belongs to
	Received time.Time // when its transfer ended, or when it was rolled back to

	RolledBack bool // an operator had it take the place of a newer version
}

const folder = "copies"

// Archive is a folder of copies.
type Archive struct {
	root  *os.Root
	fsync func(*os.File) error

	// write is held while a record is written, and taken before mu. It guards
	// the fields below.
	write   sync.Mutex
	current *segment // takes the next record; nil if there is none yet
	seq     uint64   // of the last record
	number  uint32   // of the last segment

	// mu guards the fields below. What they say of a zone is changed with both
	// mutexes held.
	mu       sync.Mutex
	index    index
	pending  map[key]uint64   // own files not yet on disk, by seq
	obsolete map[key]struct{} // own files to be removed when what replaced them is on disk

	syncing sync.Mutex // held by Sync; guards the field below
	seen    uint32     // number of the last segment when some were reclaimed last
}

// Open opens the archive in dir, and makes it if need be. The Recovery tells
// what was found there that is no whole copy.
//
// Of each zone the last so many versions are kept, the copy among them, as far as
// docs/format.md says; 1 keeps the copy alone.
func Open(dir string, versions int) (*Archive, Recovery, error) {
	return openSyncing(dir, versions, (*os.File).Sync)
}

func openSyncing(dir string, versions int, fsync func(*os.File) error) (*Archive, Recovery, error) {
	path := filepath.Join(dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, Recovery{}, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, Recovery{}, err
	}
	a := &Archive{
		root:     root,
		fsync:    fsync,
		index:    index{entries: map[key]*entry{}, segments: map[uint32]*segment{}, versions: versions, before: map[key]uint64{}},
		pending:  map[key]uint64{},
		obsolete: map[key]struct{}{},
	}
	return a, a.recover(), nil
}

// Close syncs what is pending and closes the archive.
func (a *Archive) Close() error { return errors.Join(a.settle(), a.closeFiles()) }

func (a *Archive) closeFiles() error {
	var errs []error
	for _, s := range a.index.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, a.root.Close())...)
}

// Save writes a copy in place of the one before. After it returns, the copy
// survives the end of the process; after the next Sync, a power cut.
func (a *Archive) Save(meta Meta, z *zone.Zone) error {
	if err := a.save(meta, z, false); err != nil {
		return fmt.Errorf("save copy: %w", err)
	}
	return nil
}

func (a *Archive) save(meta Meta, z *zone.Zone, isRollback bool) error {
	if len(meta.ID) > maxID {
		return fmt.Errorf("zone id of %d octets", len(meta.ID))
	}
	h := head{kind: kindCopy, key: keyOf(meta.ID), received: meta.Received.UnixMicro(), serial: z.Serial()}
	h.prev = a.follows(h.key, h.serial, isRollback)
	common := frames.Get().(*[commonFrame]byte)
	defer frames.Put(common)
	frame := frameWriter{octets: common[:headSize]}
	if expected := z.Octets() + 1<<10; expected > commonFrame {
		frame.octets = make([]byte, headSize, headSize+min(expected, largeCopy))
	}
	err := z.Encode(&frame)
	if errors.Is(err, errLarge) {
		return a.saveFile(h, meta.ID, z)
	}
	if err != nil {
		return err
	}
	_, _, err = a.put(h, frame.octets)
	return err
}

// follows returns what a whole copy that is written now says of what it follows.
// It stays right until that is done: a zone has one writer.
func (a *Archive) follows(k key, serial uint32, isRollback bool) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok {
		return 0
	}
	prev := e.follows(a.index.versions, serial, isRollback)
	if isRollback {
		prev |= rollback
	}
	return prev
}

// largeCopy is from how many octets on a copy has a file of its own.
const largeCopy = 256 << 10

var errLarge = errors.New("too large for a segment")

// frameWriter gathers the payload of a record up to largeCopy.
type frameWriter struct{ octets []byte }

func (w *frameWriter) Write(b []byte) (int, error) {
	if len(w.octets)+len(b) >= headSize+largeCopy {
		return 0, errLarge
	}
	w.octets = append(w.octets, b...)
	return len(b), nil
}
