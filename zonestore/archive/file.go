package archive

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"secondaryd/zonestore/zone"
)

// A large copy lies in a file of its own. It is written as *.part, renamed to
// *.new when it is whole, and takes its name when it has reached the disk.
const (
	fileMagic  = "SDCOPY\x00\x03" // the last octet is the version
	partSuffix = ".part"
	newSuffix  = ".new"
	maxID      = 1 << 10
	// maxFileHead is what the longest head takes.
	maxFileHead = len(fileMagic) + 8 + 8 + 4 + 8 + 2 + maxID + 4
)

// Numbers of own files that say no seq.
const (
	unnumbered = 0              // version 1, older than all records
	unreadable = math.MaxUint64 // damaged: it may be newer than all records
)

// fileHead is what stands before the compiled zone.
type fileHead struct {
	seq      uint64
	prev     uint64 // as in the head of a record; 0 in a file of version 1 or 2
	serial   uint32 // 0 in a file of version 1
	received int64  // microseconds since 1970
	id       string
}

// fileName returns where the own file of a zone lies; two levels keep folders small.
func fileName(k key) string {
	name := hex.EncodeToString(k[:])
	return filepath.Join(name[:2], name[2:])
}

func (h *fileHead) encode() []byte {
	b := append([]byte(nil), fileMagic...)
	b = binary.LittleEndian.AppendUint64(b, h.seq)
	b = binary.LittleEndian.AppendUint64(b, h.prev)
	b = binary.LittleEndian.AppendUint32(b, h.serial)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.received))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(h.id)))
	b = append(b, h.id...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeFileHead reads the head of a file and returns what follows it.
func decodeFileHead(data []byte) (fileHead, []byte, error) {
	version := len(fileMagic) - 1
	if len(data) <= version || string(data[:version]) != fileMagic[:version] {
		return fileHead{}, nil, fmt.Errorf("%w: no copy of a zone", zone.ErrDamaged)
	}
	var h fileHead
	at := len(fileMagic)
	switch data[version] {
	case 1:
	case 2:
		at += 8 + 4
	case fileMagic[version]:
		at += 8 + 8 + 4
	default:
		return fileHead{}, nil, fmt.Errorf("%w: copy of version %d, this release reads up to %d", zone.ErrVersion, data[version], fileMagic[version])
	}
	fixed := at + 8 + 2
	if len(data) < fixed {
		return fileHead{}, nil, fmt.Errorf("%w: ends inside the head", zone.ErrDamaged)
	}
	size := int(binary.LittleEndian.Uint16(data[fixed-2:]))
	if size > maxID || len(data) < fixed+size+4 {
		return fileHead{}, nil, fmt.Errorf("%w: ends inside the head", zone.ErrDamaged)
	}
	head, rest := data[:fixed+size], data[fixed+size:]
	if crc32.Checksum(head, castagnoli) != binary.LittleEndian.Uint32(rest) {
		return fileHead{}, nil, fmt.Errorf("%w: wrong checksum of the head", zone.ErrDamaged)
	}
	if at > len(fileMagic) {
		h.seq = binary.LittleEndian.Uint64(data[len(fileMagic):])
		h.serial = binary.LittleEndian.Uint32(data[at-4:])
	}
	if data[version] == fileMagic[version] {
		h.prev = binary.LittleEndian.Uint64(data[len(fileMagic)+8:])
	}
	h.received = int64(binary.LittleEndian.Uint64(data[at:]))
	h.id = string(head[fixed:])
	return h, rest[4:], nil
}

// saveFile writes a copy to the own file of the zone with that id.
func (a *Archive) saveFile(h head, id string, z *zone.Zone) error {
	h.seq = a.nextSeq()
	k, name := h.key, fileName(h.key)
	fh := fileHead{seq: h.seq, prev: h.prev, serial: h.serial, received: h.received, id: id}
	if err := a.root.Mkdir(filepath.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	size, err := a.writeFile(name+partSuffix, fh.encode(), z)
	if err != nil {
		return errors.Join(err, ignoreMissing(a.root.Remove(name+partSuffix)))
	}
	a.write.Lock()
	defer a.write.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.keepFile(&h); err != nil {
		return errors.Join(err, ignoreMissing(a.root.Remove(name+partSuffix)))
	}
	if err := a.root.Rename(name+partSuffix, name+newSuffix); err != nil {
		return err
	}
	a.dropGenerations(k, a.index.enter(h, place{size: saturate(size)}))
	a.pending[k] = h.seq
	delete(a.obsolete, k)
	return nil
}

func (a *Archive) writeFile(name string, head []byte, z *zone.Zone) (size int64, err error) {
	f, err := a.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<18)
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	if err := z.Encode(w); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// saturate fits the size of a file into a place; the length of chains, which it
// is for, is bounded long before.
func saturate(size int64) uint32 { return uint32(min(size, math.MaxUint32)) }

// settleFile brings the own file that was saved as number seq to disk and gives
// it its name; the folder is left to the caller.
func (a *Archive) settleFile(k key, seq uint64) error {
	name := fileName(k)
	if err := a.syncFile(name + newSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending[k] != seq {
		return nil // another version has come meanwhile
	}
	delete(a.pending, k)
	return ignoreMissing(a.root.Rename(name+newSuffix, name))
}

// readFile reads the zone's own file, which may get its name meanwhile.
func (a *Archive) readFile(id string, seed uint64) (z *zone.Zone, meta Meta, err error) {
	k := keyOf(id)
	a.mu.Lock()
	_, pending := a.pending[k]
	a.mu.Unlock()
	read := func(f *os.File, size int64) error {
		z, meta, err = decodeFile(f, size, id, seed)
		return err
	}
	err = fs.ErrNotExist
	if pending {
		err = a.withFile(fileName(k)+newSuffix, read)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = a.withFile(fileName(k), read)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: the file is missing", zone.ErrDamaged)
	}
	return z, meta, err
}

// withFile has a file of that size read.
func (a *Archive) withFile(name string, read func(f *os.File, size int64) error) (err error) {
	f, err := a.root.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return read(f, info.Size())
}

// decodeFile reads a file of size octets that ought to be the own one of zone id.
func decodeFile(r io.ReaderAt, size int64, id string, seed uint64) (*zone.Zone, Meta, error) {
	h, at, err := readFileHead(r, size)
	if err != nil {
		return nil, Meta{}, err
	}
	if h.id != id {
		return nil, Meta{}, fmt.Errorf("%w: copy belongs to zone id %q", zone.ErrDamaged, h.id)
	}
	z, err := zone.Read(io.NewSectionReader(r, at, size-at), size-at, seed)
	return z, Meta{ID: h.id, Received: time.UnixMicro(h.received).UTC(), RolledBack: h.prev&rollback != 0}, err
}

// readFileHead returns the head and where it ends.
func readFileHead(r io.ReaderAt, size int64) (fileHead, int64, error) {
	b := make([]byte, min(size, int64(maxFileHead)))
	if _, err := r.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return fileHead{}, 0, err
	}
	h, rest, err := decodeFileHead(b)
	return h, int64(len(b) - len(rest)), err
}

// removeFile removes the zone's own file, whatever stage it is in.
func (a *Archive) removeFile(k key) error {
	name := fileName(k)
	return errors.Join(ignoreMissing(a.root.Remove(name+newSuffix)), ignoreMissing(a.root.Remove(name)))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
