package archive

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"secondaryd/zonestore/zone"
)

// readFiles finds the zones' own files.
func (r *recovery) readFiles() {
	for _, dir := range r.list(".") {
		if b, err := hex.DecodeString(dir); err != nil || len(b) != 1 {
			continue
		}
		for _, name := range r.list(dir) { // *.new comes after what it replaces
			if err := r.readName(dir, name); err != nil {
				r.leave(filepath.Join(dir, name), err)
			}
		}
	}
}

func (r *recovery) readName(dir, name string) error {
	stem, _, _ := strings.Cut(name, ".")
	octets, err := hex.DecodeString(dir + stem)
	if err != nil || len(octets) != len(key{}) || fileName(key(octets)) != filepath.Join(dir, stem) {
		return nil
	}
	switch name[len(stem):] {
	case "":
		r.learnFile(key(octets))
	case partSuffix:
		r.found.Torn++
		return r.root.Remove(filepath.Join(dir, name))
	case newSuffix:
		return r.promote(key(octets))
	default:
		if seq, ok := oldSeq(name[len(stem):]); ok {
			r.learnOldFile(oldFile{key(octets), seq})
		}
	}
	return nil
}

// promote gives a file its name that was saved, but perhaps not synced, before
// the process ended. One that is not whole was caught by a power cut.
func (r *recovery) promote(k key) error {
	name := fileName(k)
	whole, err := r.wholeFile(name+newSuffix, k)
	if err != nil {
		return err
	}
	if !whole {
		r.found.Torn++
		r.found.Doubtful = true
		return r.root.Remove(name + newSuffix)
	}
	if err := r.syncFile(name + newSuffix); err != nil {
		return err
	}
	if err := r.root.Rename(name+newSuffix, name); err != nil {
		return err
	}
	r.learnFile(k)
	return r.syncFolders([]key{k})
}

// wholeFile reports whether a file is a copy of the zone with that key.
func (r *recovery) wholeFile(name string, k key) (bool, error) {
	err := r.withFile(name, func(f *os.File, size int64) error {
		h, _, err := readFileHead(f, size)
		if err == nil && keyOf(h.id) != k {
			return fmt.Errorf("%w: copy of another zone", zone.ErrDamaged)
		}
		if err == nil {
			_, _, err = decodeFile(f, size, h.id, 0)
		}
		return err
	})
	if errors.Is(err, zone.ErrDamaged) || errors.Is(err, zone.ErrVersion) {
		return false, nil
	}
	return err == nil, err
}

// learnFile takes in a zone's own file. Where its number can't be read it
// counts as the newest, so that the damage is not passed over for an older copy.
func (r *recovery) learnFile(k key) {
	h, size, err := r.headOf(k)
	if err != nil || keyOf(h.id) != k {
		h = fileHead{seq: unreadable}
	}
	if h.seq != unreadable {
		r.seq = max(r.seq, h.seq)
	}
	e := r.index.entry(k)
	if e.base.segment != 0 && e.seq > h.seq {
		r.obsolete[k] = struct{}{}
		return
	}
	delete(r.obsolete, k)
	if e.base.ownFile() {
		e.base, e.seq = place{}, 0 // that one is no longer there
	}
	r.index.learnBase(head{kind: kindCopy, key: k, seq: h.seq, prev: h.prev, serial: h.serial}, place{size: max(1, saturate(size))})
}

// headOf reads the head of a zone's own file.
func (a *Archive) headOf(k key) (h fileHead, size int64, err error) {
	err = a.withFile(fileName(k), func(f *os.File, n int64) error {
		size = n
		h, _, err = readFileHead(f, n)
		return err
	})
	return h, size, err
}
