package archive

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

// Sync makes every copy saved so far survive a power cut: records with one
// fsync, and each own file with another. Then it reclaims segments that
// have come to hold little that still counts. Call it every few seconds.
func (a *Archive) Sync() error {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	return errors.Join(a.settle(), a.reclaim())
}

// settle brings everything saved so far to disk, and then removes the own files
// that it replaces.
func (a *Archive) settle() error {
	a.mu.Lock()
	pending := maps.Clone(a.pending)
	obsolete := slices.Collect(maps.Keys(a.obsolete))
	a.mu.Unlock()
	var errs []error
	for k, seq := range pending {
		errs = append(errs, a.settleFile(k, seq))
	}
	errs = append(errs, a.syncFolders(slices.Collect(maps.Keys(pending))), a.syncCurrent())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return a.removeFiles(obsolete)
}

// syncCurrent syncs the current segment; those before it are on disk.
func (a *Archive) syncCurrent() error {
	a.write.Lock()
	s := a.current
	a.write.Unlock()
	if s == nil {
		return nil
	}
	return s.syncTo(s.end.Load())
}

// removeFiles removes the own files of zones that have something else on disk by
// now, or nothing any more.
func (a *Archive) removeFiles(keys []key) error {
	var errs []error
	for _, k := range keys {
		errs = append(errs, a.removeObsolete(k))
	}
	return errors.Join(append(errs, a.syncFolders(keys))...)
}

func (a *Archive) removeObsolete(k key) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.obsolete[k]; !ok {
		return nil // saved anew meanwhile
	}
	if err := a.removeFile(k); err != nil {
		return err
	}
	delete(a.obsolete, k)
	return nil
}

// syncFolders syncs the folders of the zones' own files.
func (a *Archive) syncFolders(keys []key) error {
	if len(keys) == 0 {
		return nil
	}
	folders := map[string]struct{}{".": {}}
	for _, k := range keys {
		folders[filepath.Dir(fileName(k))] = struct{}{}
	}
	var errs []error
	for name := range folders {
		if err := syncFolder(a.root, name, a.fsync); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (a *Archive) syncFile(name string) error { return syncFolder(a.root, name, a.fsync) }
