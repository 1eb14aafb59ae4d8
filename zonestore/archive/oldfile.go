package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"secondaryd/zonestore/zone"
)

// An older generation whose base has a file of its own has it under a name with
// the seq of the base: a second name of the same file, given before another takes
// the first.
const (
	oldSuffix    = ".old-"
	oldSeqDigits = 16
)

// oldFile is the file of an older generation.
type oldFile struct {
	key key
	seq uint64
}

func (f oldFile) name() string {
	return fmt.Sprintf("%s%s%0*x", fileName(f.key), oldSuffix, oldSeqDigits, f.seq)
}

// oldSeq reads the seq in what follows the key in a file's name.
func oldSeq(suffix string) (seq uint64, ok bool) {
	digits, ok := strings.CutPrefix(suffix, oldSuffix)
	if !ok || len(digits) != oldSeqDigits {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 16, 64)
	return seq, err == nil
}

// keepFile gives the zone's own file a second name, if the generation that h
// begins is to follow the one that it is the base of. Where that can't be done,
// the history begins anew, and a rollback, which needs it, fails. The caller holds
// mu.
func (a *Archive) keepFile(h *head) error {
	e, ok := a.index.entries[h.key]
	if before := h.before(); !ok || !e.base.ownFile() || before == 0 || before != e.last() {
		return nil
	}
	from := fileName(h.key)
	if _, ok := a.pending[h.key]; ok {
		from += newSuffix
	}
	err := a.root.Link(from, oldFile{h.key, e.seq}.name())
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return nil
	case h.rolledBack():
		return fmt.Errorf("keep the version before: %w", err)
	}
	h.prev = 0
	return nil
}

// dropGenerations removes the files of generations of a zone that are kept no
// longer. One that can't be removed is removed at the next start.
func (a *Archive) dropGenerations(k key, dropped []generation) {
	for _, g := range dropped {
		if g.base.ownFile() {
			_ = a.root.Remove(oldFile{k, g.seq}.name())
		}
	}
}

// learnOldFile takes in the file of an older generation found at the start.
func (r *recovery) learnOldFile(f oldFile) {
	err := r.withFile(f.name(), func(file *os.File, size int64) error {
		h, _, err := readFileHead(file, size)
		if err != nil {
			return err
		}
		if h.seq != f.seq || keyOf(h.id) != f.key {
			return fmt.Errorf("%w: copy of another version", zone.ErrDamaged)
		}
		p := place{size: max(1, saturate(size))}
		r.index.learnOlder(r.index.entry(f.key), head{kind: kindCopy, seq: h.seq, prev: h.prev, serial: h.serial}, p)
		return nil
	})
	if err == nil {
		r.old = append(r.old, f)
		return
	}
	r.found.Faults = append(r.found.Faults, r.refuseOldFile(f, fmt.Errorf("an earlier version of a zone: %w", err)))
}

// refuseOldFile sets the file of an older generation aside if that is what is
// wrong with it, and returns the error for it.
func (r *recovery) refuseOldFile(f oldFile, cause error) error {
	suffix := asideDamaged
	switch {
	case errors.Is(cause, zone.ErrVersion):
		suffix = asideVersion
	case !errors.Is(cause, zone.ErrDamaged):
		return fmt.Errorf("%s is left alone: %w", filepath.Join(folder, f.name()), cause)
	}
	err := r.root.Rename(f.name(), f.name()+suffix)
	return &DamagedError{Aside: filepath.Join(folder, f.name()+suffix), Err: errors.Join(cause, err)}
}

// tidyOldFiles removes the files that are of no kept generation: what a crash, or
// a setting that has changed, left behind.
func (r *recovery) tidyOldFiles() {
	for _, f := range r.old {
		e := r.index.entry(f.key)
		if !e.keeps(f.seq) {
			_ = r.root.Remove(f.name())
		}
		if e.records == 0 && e.base.size == 0 {
			delete(r.index.entries, f.key)
		}
	}
}

// keeps reports whether an older generation has that base, in a file of its own.
func (e *entry) keeps(seq uint64) bool {
	for _, g := range e.older() {
		if g.seq == seq && g.base.ownFile() {
			return true
		}
	}
	return false
}
