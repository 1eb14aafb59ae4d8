package archive

import (
	"cmp"
	"errors"
	"path/filepath"

	"secondaryd/zonestore/zone"
)

// Files that can't be used are kept under another name, for whoever wants to
// know why.
const (
	asideDamaged = ".damaged"
	asideVersion = ".unread" // of a format that this release does not read
)

// refuse sets a copy that can't be used aside, and returns the error for it.
func (a *Archive) refuse(k key, e *entry, cause error) error {
	suffix := asideDamaged
	if errors.Is(cause, zone.ErrVersion) {
		suffix = asideVersion
	}
	name, err := a.setAside(k, e, suffix)
	_, _, buryErr := a.bury(k)
	return &DamagedError{Aside: filepath.Join(folder, name), Err: errors.Join(cause, err, buryErr)}
}

// setAside renames the zone's own file, and has the segments with its records
// renamed by the next Sync. It returns the name that tells most.
func (a *Archive) setAside(k key, e *entry, suffix string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number, s := range a.index.segments {
		if s.aside == "" && e.heldBy(number) {
			s.aside = suffix
		}
	}
	if e.base.ownFile() {
		return a.setFileAside(k, suffix)
	}
	number := cmp.Or(e.damaged, e.base.segment)
	if s, ok := a.index.segments[number]; ok {
		suffix = s.aside
	}
	return segmentName(number) + suffix, nil
}

func (a *Archive) setFileAside(k key, suffix string) (string, error) {
	name := fileName(k)
	from := name
	if _, ok := a.pending[k]; ok {
		from += newSuffix
	}
	return name + suffix, ignoreMissing(a.root.Rename(from, name+suffix))
}
