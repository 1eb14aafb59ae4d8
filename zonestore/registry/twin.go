package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"secondaryd/zonestore/auditlog"
	"secondaryd/zonestore/boltmap"
)

// The files of the configuration in its folder.
const (
	mainName  = "config.db"
	auditName = "audit"
	spareName = "config-copy.db" // of earlier releases
)

const renewPause = 9 * time.Second // less than who calls Mend waits

// twin keeps the configuration twice: as it is in the main file, and as all that
// changed since a snapshot in the audit log, so that damage to either is survived
// (recover.go). A commit is on disk in the main file first, which decides, and
// then in the log.
//
// A commit that the main file refuses has not happened. One that only the log
// misses has; that is said, and the log begun anew, with a snapshot, as soon as
// the disk allows.
type twin struct {
	log     *zap.Logger
	dir     string
	lock    *os.File
	main    *boltFile
	audit   *auditlog.Log
	why     string                // the log is to be begun anew
	trouble atomic.Pointer[error] // why there are no two copies; nil while there are
	tried   time.Time
	pause   time.Duration // between attempts to begin the log anew, which copy everything
	old     bool          // the main file is of an earlier release: secrets lie in it in clear
	unsure  bool          // the main file holds what it refused
}

// openTwin locks the folder and opens both copies, repaired where need be.
func openTwin(options Options) (*twin, error) {
	lock, err := lockFolder(options.Dir, options.LockTimeout)
	if err != nil {
		return nil, err
	}
	t := &twin{log: options.Log, dir: options.Dir, lock: lock, pause: renewPause}
	if err := t.open(auditlog.Options{Dir: t.path(auditName), Keep: options.AuditFiles, Log: options.Log, Sync: options.sync, Least: options.auditLeast}); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *twin) path(name string) string { return filepath.Join(t.dir, name) }

// Load implements Backend.
func (t *twin) Load(yield func(Entry) error) (uint64, error) { return t.main.Load(yield) }

// Commit implements Backend.
func (t *twin) Commit(_ context.Context, batch Batch) error {
	heads, err := t.main.commit(batch)
	if err != nil {
		t.doubt(batch, err)
		return err
	}
	t.record(batch.Transactions, heads)
	return nil
}

// doubt finds out whether the main file holds a commit that it refused: when the
// last fsync fails all has been written.
func (t *twin) doubt(batch Batch, refusal error) {
	if errors.Is(refusal, ErrConflict) {
		return
	}
	if h, err := t.main.head(); err != nil || h.revision >= batch.Transactions[0].Revision {
		t.unsure, t.tried = true, time.Time{}
	}
}

// Unsure reports whether the main file may hold the commit that it refused last.
// Nothing must be committed on top of that before Revert.
func (t *twin) Unsure() bool { return t.unsure }

// Revert makes the main file anew with the objects that counted before the commit
// that it refused, but tries that no more often than is sensible. What was written
// to the old file can't be relied upon: after an fsync that fails, one that does
// not says nothing of it.
func (t *twin) Revert(revision uint64, objects iter.Seq[Entry]) error {
	if time.Since(t.tried) < t.pause {
		return fmt.Errorf("%s could not be written, and will be tried again in some seconds", t.main.path)
	}
	t.tried = time.Now()
	if err := t.refresh(revision, objects); err != nil {
		t.log.Error("configuration can't be written anew after a write that failed: no change is taken until then", zap.String("path", t.main.path), zap.Error(err))
		t.trouble.Store(&err)
		return err
	}
	t.unsure = false
	t.trouble.Store(nil)
	t.log.Warn("configuration written anew after a write that failed", zap.String("path", t.main.path), zap.Uint64("revision", revision))
	t.why = "a write of the configuration failed"
	_ = t.audit.Close() // objects need not be the same octets as they were
	t.begin()
	return nil
}

// refresh puts a main file with these objects in the place of the present one.
func (t *twin) refresh(revision uint64, objects iter.Seq[Entry]) error {
	fresh, err := rewrite(t.path(mainName), revision, objects)
	if err != nil {
		return err
	}
	_ = t.main.Close() // all of it is in the fresh one
	t.main = fresh
	return nil
}

// record logs what was committed.
func (t *twin) record(transactions []Transaction, heads []head) {
	t.leaveLost()
	if t.audit.Able() {
		t.append(transactions, heads)
	}
	if !t.audit.Able() || t.audit.Full() {
		t.beginAgain()
	}
}

func (t *twin) append(transactions []Transaction, heads []head) {
	records := make([]auditlog.Record, len(transactions))
	for i := range transactions {
		records[i] = transactions[i].record(heads[i])
	}
	if err := t.audit.Append(records); err != nil {
		t.log.Error("audit log not written: the last change is in the configuration, and not in the log",
			zap.Uint64("revision", transactions[len(transactions)-1].Revision), zap.Error(err))
		t.trouble.Store(&err)
		t.why, t.tried = "the file before could not be written", time.Time{}
	}
}

// leaveLost lets go of a file of the log that is of no use as a copy any more.
func (t *twin) leaveLost() {
	err := t.audit.Lost()
	if err == nil {
		return
	}
	t.log.Error("audit log was removed or changed by somebody else, and is begun anew", zap.Error(err))
	err = errors.Join(err, t.audit.Close())
	t.trouble.Store(&err)
	t.why, t.tried = "the file before was removed or changed", time.Time{}
}

// beginAgain begins the log anew, but not more often than is sensible on a disk
// that refuses.
func (t *twin) beginAgain() {
	if t.audit.Able() {
		t.why = "the file before was full"
	}
	if time.Since(t.tried) >= t.pause {
		t.begin()
	}
}

// begin makes a new file of the log. Failure is remembered, not returned: the
// main file alone is enough to go on.
func (t *twin) begin() {
	t.tried = time.Now()
	err := t.audit.Begin(func(put func(auditlog.Record) error) error {
		return t.main.snapshot(t.why, time.Now().UTC().Truncate(time.Microsecond), put)
	})
	switch {
	case err == nil:
		t.log.Info("audit log begun anew", zap.String("why", t.why))
		t.trouble.Store(nil)
		t.tried = time.Time{}
		t.dropSpare()
	case t.audit.Able():
		t.log.Error("audit log can't be begun anew: the file that is full is written on", zap.Error(err))
	default:
		if t.trouble.Load() == nil {
			t.log.Error("audit log can't be begun anew: there is one copy of the configuration, and changes are not logged", zap.Error(err))
		}
		t.trouble.Store(&err)
	}
}

// dropSpare removes the second copy of an earlier release, now that there is
// another. Secrets lie in it in clear; so they do in damaged files that were
// kept, which are left to whoever wanted them.
func (t *twin) dropSpare() {
	switch err := os.Remove(t.path(spareName)); {
	case errors.Is(err, os.ErrNotExist):
		return
	case err != nil:
		t.log.Warn("copy of the configuration of an earlier release can't be removed: secrets lie in it in clear", zap.String("path", t.path(spareName)), zap.Error(err))
		return
	}
	t.log.Info("copy of the configuration of an earlier release removed", zap.String("path", t.path(spareName)))
	t.warnOfClear(damagedSuffix)
}

// warnOfClear tells of files of an earlier release that are kept.
func (t *twin) warnOfClear(suffix string) {
	for _, name := range []string{mainName, spareName} {
		if path := t.path(name) + suffix; exists(path) {
			t.log.Warn("secrets may lie in clear in a file of an earlier release: remove it when it is of no more use", zap.String("path", path))
		}
	}
}

// seal replaces a main file in which secrets lie in clear by a fresh one: pages of
// the old one that are no longer used would keep them.
func (t *twin) seal(revision uint64, objects iter.Seq[Entry]) error {
	if err := t.refresh(revision, objects); err != nil {
		return fmt.Errorf("encrypt the secrets of the configuration: %w", err)
	}
	t.old = false
	t.log.Info("the secrets of the configuration are encrypted now", zap.String("path", t.main.path))
	t.why = "secrets are encrypted from here on"
	t.begin()
	return nil
}

// Mend begins the log anew if there is none; see Registry.Mend.
func (t *twin) Mend() {
	t.leaveLost()
	if !t.audit.Able() && !t.unsure {
		t.beginAgain()
	}
}

// Degraded says why there is only one copy; nil when there are two. Unlike the
// other methods it may be called at any time.
func (t *twin) Degraded() error {
	if trouble := t.trouble.Load(); trouble != nil {
		return *trouble
	}
	return nil
}

// Release gives back the memory of the main file; see Registry.Release.
func (t *twin) Release() error { return boltmap.Release(t.main.db) }

// Close implements Backend.
func (t *twin) Close() error {
	var errs []error
	if t.main != nil {
		errs = append(errs, t.main.Close())
	}
	if t.audit != nil {
		errs = append(errs, t.audit.Close())
	}
	return errors.Join(append(errs, t.lock.Close())...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
