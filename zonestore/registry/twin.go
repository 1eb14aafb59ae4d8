package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"secondaryd/zonestore/boltmap"
)

// The files of the configuration in its folder.
const (
	mainName  = "config.db"
	spareName = "config-copy.db"
	lockName  = "config.lock"
)

const renewPause = 10 * time.Second

// twin keeps the configuration twice, in two files, so that damage to either is
// survived. A commit is on disk in the main file first and then in the spare;
// at start the newest whole one becomes the main one, and the other is made
// anew from it if it differs.
//
// A commit that the main file refuses has not happened. One that only the spare
// misses has; the spare is then out of date, which is said, and made anew with
// a later commit that finds the disk able.
type twin struct {
	log     *zap.Logger
	lock    *os.File
	main    *boltFile
	spare   *boltFile // nil while there is none that is up to date
	spareAt string
	trouble error // why there is no spare
	tried   time.Time
	pause   time.Duration // between attempts to make the spare anew, which copy everything
}

// openTwin locks the folder and opens both copies, repaired where need be.
func openTwin(options Options) (*twin, error) {
	lock, err := lockFolder(options.Dir, options.LockTimeout)
	if err != nil {
		return nil, err
	}
	t := &twin{log: options.Log, lock: lock, pause: renewPause, spareAt: filepath.Join(options.Dir, spareName)}
	if err := t.open(filepath.Join(options.Dir, mainName)); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// open finds the newest whole copy, which takes the role of the main one, and
// makes the other anew if it is not the same.
func (t *twin) open(mainAt string) error {
	var main, spare copyState
	var both sync.WaitGroup
	both.Go(func() { main = inspect(mainAt) })
	both.Go(func() { spare = inspect(t.spareAt) })
	both.Wait()
	defer func() {
		main.closeUnless(t.main, t.spare)
		spare.closeUnless(t.main, t.spare)
	}()
	switch {
	case errors.Is(main.err, ErrNewer):
		return main.err
	case errors.Is(spare.err, ErrNewer):
		return spare.err
	case main.missing() && spare.missing():
		return t.create(mainAt)
	case !main.whole() && !spare.whole():
		return fmt.Errorf("no copy of the configuration is whole: %w", errors.Join(main.err, spare.err))
	case main.whole() && spare.whole() && main.revision == spare.revision:
		t.main, t.spare = main.file, spare.file
		return nil
	}
	good, other := main, spare
	if !main.whole() || spare.whole() && spare.revision > main.revision {
		good, other = spare, main
	}
	t.report(other)
	t.main, t.spareAt = good.file, other.path
	t.renewSpare()
	return nil
}

// create makes both copies, empty.
func (t *twin) create(mainAt string) (err error) {
	nothing := func(*boltFile) error { return nil }
	if t.main, err = createBolt(mainAt, nothing); err != nil {
		return err
	}
	if t.spare, err = createBolt(t.spareAt, nothing); err != nil {
		return err
	}
	t.log.Info("configuration created", zap.String("path", mainAt))
	return nil
}

// report says what is wrong with a copy that is about to be made anew, and
// keeps a damaged file for whoever wants to look into it.
func (t *twin) report(c copyState) {
	switch {
	case c.missing():
		t.log.Warn("configuration copy missing, renewed from the other", zap.String("path", c.path))
	case !c.whole():
		t.log.Error("configuration copy damaged, renewed from the other", zap.String("path", c.path), zap.Error(c.err))
		if err := os.Rename(c.path, c.path+".damaged"); err != nil {
			t.log.Warn("damaged configuration copy not kept", zap.String("path", c.path), zap.Error(err))
		}
	default:
		t.log.Warn("configuration copy behind, renewed from the other", zap.String("path", c.path), zap.Uint64("revision", c.revision))
	}
}

// renewSpare makes the spare anew from the main file. Failure is remembered,
// not returned: the main file alone is enough to go on.
func (t *twin) renewSpare() {
	spare, err := renew(t.spareAt, t.main)
	if err == nil && t.trouble != nil {
		t.log.Info("configuration copy renewed", zap.String("path", t.spareAt))
	}
	if err != nil && t.trouble == nil {
		t.log.Error("configuration copy not renewed", zap.String("path", t.spareAt), zap.Error(err))
	}
	t.spare, t.trouble, t.tried = spare, err, time.Now()
}

// Load implements Backend.
func (t *twin) Load(yield func(Entry) error) (uint64, error) { return t.main.Load(yield) }

// Commit implements Backend.
func (t *twin) Commit(ctx context.Context, batch Batch) error {
	if err := t.main.Commit(ctx, batch); err != nil {
		return err
	}
	if t.spare == nil {
		if time.Since(t.tried) >= t.pause {
			t.renewSpare()
		}
		return nil
	}
	if err := t.spare.Commit(ctx, batch); err != nil {
		t.log.Error("configuration copy not written", zap.String("path", t.spareAt), zap.Error(err))
		t.trouble = errors.Join(err, t.spare.Close())
		t.spare = nil
	}
	return nil
}

// Degraded says why there is only one copy; nil when there are two.
func (t *twin) Degraded() error { return t.trouble }

// Release gives back the memory of both copies; see Registry.Release.
func (t *twin) Release() error {
	return t.each(func(file *boltFile) error { return boltmap.Release(file.db) })
}

// Close implements Backend.
func (t *twin) Close() error {
	return errors.Join(t.each((*boltFile).Close), t.lock.Close())
}

func (t *twin) each(do func(*boltFile) error) error {
	var errs []error
	for _, file := range []*boltFile{t.main, t.spare} {
		if file != nil {
			errs = append(errs, do(file))
		}
	}
	return errors.Join(errs...)
}

// copyState is what was found of one copy.
type copyState struct {
	path     string
	file     *boltFile // nil unless whole
	revision uint64
	err      error
}

// inspect opens a copy and reads all of it.
func inspect(path string) copyState {
	c := copyState{path: path}
	file, err := openBolt(path)
	if err != nil {
		c.err = err
		return c
	}
	c.revision, c.err = file.Load(func(Entry) error { return nil })
	if c.err != nil {
		c.err = errors.Join(c.err, file.Close())
		return c
	}
	c.file = file
	return c
}

func (c copyState) whole() bool   { return c.file != nil }
func (c copyState) missing() bool { return errors.Is(c.err, os.ErrNotExist) }

// closeUnless closes a copy that was only read and is not among those in use.
func (c copyState) closeUnless(used ...*boltFile) {
	if c.file != nil && !slices.Contains(used, c.file) {
		_ = c.file.Close()
	}
}

// renew makes the copy at path anew with everything that from holds.
func renew(path string, from *boltFile) (*boltFile, error) {
	return createBolt(path, func(to *boltFile) error {
		var batch Batch
		revision, err := from.Load(func(e Entry) error {
			e.Value = append([]byte(nil), e.Value...)
			batch.Entries = append(batch.Entries, e)
			return nil
		})
		if err != nil {
			return err
		}
		batch.Revision = revision
		return to.Commit(context.Background(), batch)
	})
}

// lockFolder makes sure that no other process uses the folder until the lock is
// closed.
func lockFolder(dir string, timeout time.Duration) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("lock configuration: %w", err)
	}
	for deadline := time.Now().Add(timeout); ; time.Sleep(20 * time.Millisecond) {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(deadline) {
			break
		}
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
