package archive

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// Sync makes every copy saved so far survive a power cut. Copies that arrive
// together share the syncs of their folders.
func (a *Archive) Sync() error {
	a.mu.Lock()
	pending := a.pending
	a.pending = map[string]struct{}{}
	a.mu.Unlock()
	folders := map[string]struct{}{}
	var errs []error
	for name := range pending {
		folders[filepath.Dir(name)] = struct{}{}
		if err := a.syncFile(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			a.retry(name)
		}
	}
	for dir := range folders {
		errs = append(errs, a.syncFile(dir))
	}
	if len(folders) > 0 {
		errs = append(errs, a.syncFile("."))
	}
	return errors.Join(errs...)
}

func (a *Archive) retry(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending[name] = struct{}{}
}

func (a *Archive) syncFile(name string) error {
	f, err := a.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
