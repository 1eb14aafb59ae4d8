// Package archive keeps the last good copy of each zone on disk, so that a
// restart serves it at once, whatever the primaries do.
//
// A copy is written aside, and renamed into place when it is whole: after a
// crash there is the old copy or the new one, never a mixture. Every file is
// checksummed; one that is damaged is set aside and reported, never served. An
// Archive is safe for concurrent use, with at most one writer per zone id.
// docs/format.md describes the files.
package archive

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"secondaryd/zonestore/zone"
)

// ErrNone means that there is no copy of the zone.
var ErrNone = errors.New("no copy on disk")

// DamagedError tells of a copy that could not be read and was set aside.
type DamagedError struct {
	Aside string // the file's name now, below the archive's folder
	Err   error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%v (set aside as %s)", e.Err, e.Aside) }
func (e *DamagedError) Unwrap() error { return e.Err }

// Meta is what is known of a copy besides its records.
type Meta struct {
	ID       string    // the zone id it belongs to
	Received time.Time // when its transfer ended
}

const (
	magic      = "SDCOPY\x00\x01" // the last octet is the version
	fixedSize  = len(magic) + 8 + 2
	maxID      = 1 << 10
	folder     = "copies"
	asideName  = ".damaged"
	tempSuffix = ".new"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Archive is a folder of copies.
type Archive struct {
	root *os.Root

	mu      sync.Mutex          // guards pending
	pending map[string]struct{} // files not yet synced
}

// Open opens the archive in dir, and makes it if need be.
func Open(dir string) (*Archive, error) {
	path := filepath.Join(dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Archive{root: root, pending: map[string]struct{}{}}, nil
}

// Close syncs what is pending and closes the archive.
func (a *Archive) Close() error { return errors.Join(a.Sync(), a.root.Close()) }

// file returns where the copy of a zone lies. The id is any text, so it is
// hashed; two levels keep folders small.
func file(id string) string {
	sum := sha256.Sum256([]byte(id))
	name := hex.EncodeToString(sum[:16])
	return filepath.Join(name[:2], name[2:])
}

// Save writes a copy in place of the one before. After it returns, the copy
// survives the end of the process; after the next Sync, a power cut.
func (a *Archive) Save(meta Meta, z *zone.Zone) error {
	name := file(meta.ID)
	if err := a.root.Mkdir(filepath.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := a.write(name+tempSuffix, meta, z); err != nil {
		return errors.Join(fmt.Errorf("save copy: %w", err), ignoreMissing(a.root.Remove(name+tempSuffix)))
	}
	if err := a.root.Rename(name+tempSuffix, name); err != nil {
		return fmt.Errorf("save copy: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending[name] = struct{}{}
	return nil
}

func (a *Archive) write(name string, meta Meta, z *zone.Zone) (err error) {
	f, err := a.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<18)
	if _, err := w.Write(meta.encode()); err != nil {
		return err
	}
	if err := z.Encode(w); err != nil {
		return err
	}
	return w.Flush()
}

// encode gives the head of a file, its checksum last.
func (m Meta) encode() []byte {
	b := append(make([]byte, 0, fixedSize+len(m.ID)+4), magic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Received.UnixMicro()))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.ID)))
	b = append(b, m.ID...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeMeta reads the head of a file and returns what follows it.
func decodeMeta(data []byte) (Meta, []byte, error) {
	if len(data) < fixedSize || string(data[:len(magic)-1]) != magic[:len(magic)-1] {
		return Meta{}, nil, fmt.Errorf("%w: no copy of a zone", zone.ErrDamaged)
	}
	if v := data[len(magic)-1]; v != magic[len(magic)-1] {
		return Meta{}, nil, fmt.Errorf("%w: version %d", zone.ErrVersion, v)
	}
	size := int(binary.LittleEndian.Uint16(data[fixedSize-2:]))
	if size > maxID || len(data) < fixedSize+size+4 {
		return Meta{}, nil, fmt.Errorf("%w: ends inside the head", zone.ErrDamaged)
	}
	head, rest := data[:fixedSize+size], data[fixedSize+size:]
	if crc32.Checksum(head, castagnoli) != binary.LittleEndian.Uint32(rest) {
		return Meta{}, nil, fmt.Errorf("%w: wrong checksum of the head", zone.ErrDamaged)
	}
	received := time.UnixMicro(int64(binary.LittleEndian.Uint64(head[len(magic):]))).UTC()
	return Meta{ID: string(head[fixedSize:]), Received: received}, rest[4:], nil
}

// Load reads the copy of a zone; the seed is that of queries, see wire.Suffixes.
// It returns ErrNone if there is none, and a *DamagedError if there is one that
// can't be used.
func (a *Archive) Load(id string, seed uint64) (*zone.Zone, Meta, error) {
	data, err := a.root.ReadFile(file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Meta{}, ErrNone
	}
	if err != nil {
		return nil, Meta{}, fmt.Errorf("load copy: %w", err)
	}
	z, meta, err := decode(data, id, seed)
	if err != nil {
		return nil, Meta{}, a.setAside(file(id), err)
	}
	return z, meta, nil
}

func decode(data []byte, id string, seed uint64) (*zone.Zone, Meta, error) {
	meta, rest, err := decodeMeta(data)
	if err != nil {
		return nil, Meta{}, err
	}
	if meta.ID != id {
		return nil, Meta{}, fmt.Errorf("%w: copy belongs to zone id %q", zone.ErrDamaged, meta.ID)
	}
	z, err := zone.Decode(rest, seed)
	return z, meta, err
}

func (a *Archive) setAside(name string, cause error) error {
	if err := a.root.Rename(name, name+asideName); err != nil {
		return errors.Join(cause, err)
	}
	return &DamagedError{Aside: filepath.Join(folder, name+asideName), Err: cause}
}

// Delete removes the copy of a zone for good: it is gone after a power cut too.
func (a *Archive) Delete(id string) error {
	name := file(id)
	a.mu.Lock()
	delete(a.pending, name)
	a.mu.Unlock()
	err := a.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete copy: %w", err)
	}
	return a.syncFile(filepath.Dir(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
