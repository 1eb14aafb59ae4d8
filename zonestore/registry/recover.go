package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"
	"go.uber.org/zap"

	"secondaryd/zonestore/auditlog"
)

// Names under which files are kept that are replaced.
const (
	damagedSuffix = ".damaged"
	behindSuffix  = ".behind"
)

// open finds out what each copy holds, and makes the one from the other if they
// are not the same: the one of the newest revision that is whole counts. Of equal
// revisions the main file does.
func (t *twin) open(options auditlog.Options) error {
	var main copyState
	var logged auditlog.State
	var logErr error
	var both sync.WaitGroup
	both.Go(func() { main = inspect(t.path(mainName)) })
	both.Go(func() { t.audit, logged, logErr = auditlog.Open(options) })
	both.Wait()
	t.main = main.file
	switch {
	case errors.Is(main.err, ErrNewer):
		return main.err
	case main.unavailable():
		return fmt.Errorf("the configuration can't be opened; it is left as it is, and nothing made of the audit log: %w", main.err)
	case errors.Is(logErr, auditlog.ErrNewer):
		return fmt.Errorf("%w: %w", ErrNewer, logErr)
	case logErr != nil:
		logged.Problem = logErr
	}
	switch {
	case !main.whole():
		return t.replace(main, logged)
	case logged.Problem == nil && logged.Mark.Revision > main.head.revision && t.takeAhead(main, logged):
	case main.head.version < headVersion:
		t.takeOld(main)
	default:
		t.compare(main, logged)
	}
	return nil
}

// replace puts something in the place of a main file that is damaged or missing.
func (t *twin) replace(main copyState, logged auditlog.State) error {
	spare := inspect(t.path(spareName))
	if errors.Is(spare.err, ErrNewer) {
		return spare.err
	}
	if main.missing() && spare.missing() && logged.Path == "" && logged.Problem == nil {
		return t.create()
	}
	made, err := rebuild(main.path, t.path(auditName), func() error { return keepAside(main, damagedSuffix) })
	switch {
	case err == nil:
		spare.close()
		t.report(main, made)
	case spare.whole():
		t.main = spare.file
		t.log.Error("configuration damaged or missing, taken from the copy of an earlier release",
			zap.String("path", main.path), zap.String("copy", spare.path), zap.Uint64("revision", spare.head.revision), zap.Error(main.err))
		t.old = true
		err = keepAside(main, damagedSuffix)
	default:
		return fmt.Errorf("no copy of the configuration is whole: put a backup of %s, or of %s, in its place: %w",
			main.path, t.path(auditName), errors.Join(main.err, err, presentError(spare)))
	}
	return err
}

// presentError is what is wrong with a copy that is there.
func presentError(c copyState) error {
	if c.missing() {
		return nil
	}
	return c.err
}

// report says what a main file was made from anew, and begins the log anew.
func (t *twin) report(main copyState, made rebuilt) {
	t.main = made.file
	fields := []zap.Field{zap.String("path", main.path), zap.Uint64("revision", made.revision), zap.Error(main.err)}
	if !main.missing() {
		fields = append(fields, zap.String("kept_as", main.path+damagedSuffix))
	}
	if made.damage != nil {
		fields = append(fields, zap.NamedError("log_damage", made.damage))
	}
	switch {
	case made.damage != nil:
		t.log.Error("configuration damaged or missing, rebuilt from the audit log up to a damaged record: the newest changes may be lost, look at secondaryd audit", fields...)
	default:
		t.log.Error("configuration damaged or missing, rebuilt from the audit log", fields...)
	}
	t.why = "the configuration was rebuilt from the log"
	t.begin()
}

// create makes both copies, empty.
func (t *twin) create() (err error) {
	if t.main, err = createBolt(t.path(mainName), func(*boltFile) error { return nil }); err != nil {
		return err
	}
	t.log.Info("configuration created", zap.String("path", t.main.path))
	t.why = "first start"
	t.begin()
	return nil
}

// takeOld takes the newest whole copy of those that an earlier release kept.
func (t *twin) takeOld(main copyState) {
	t.old = true
	spare := inspect(t.path(spareName))
	if !spare.whole() || spare.head.revision <= main.head.revision {
		spare.close()
		return
	}
	t.log.Warn("configuration behind its copy, which is taken", zap.String("path", main.path), zap.Uint64("revision", main.head.revision))
	t.main = spare.file
	main.close()
}

// takeAhead brings a main file up that the log is ahead of: most likely an old
// one was put in its place. If that can't be done the file counts as it is.
func (t *twin) takeAhead(main copyState, logged auditlog.State) bool {
	made, err := rebuild(main.path, t.path(auditName), func() error { return keepAside(main, behindSuffix) })
	if err != nil {
		t.log.Error("configuration behind the audit log, which can't be replayed: later changes are lost",
			zap.String("path", main.path), zap.Uint64("revision", main.head.revision), zap.Uint64("log_revision", logged.Mark.Revision), zap.Error(err))
		return false
	}
	t.log.Warn("configuration behind the audit log, brought up from it",
		zap.String("path", main.path), zap.String("kept_as", main.path+behindSuffix),
		zap.Uint64("revision", made.revision), zap.Uint64("old_revision", main.head.revision), zap.NamedError("torn", logged.Torn))
	if main.head.version < headVersion {
		t.warnOfClear(behindSuffix)
	}
	main.close()
	t.main, t.why = made.file, "the configuration was behind the log"
	t.begin()
	return true
}

// compare begins the log anew unless it says what the main file does.
func (t *twin) compare(main copyState, logged auditlog.State) {
	path := zap.String("path", logged.Path)
	switch {
	case logged.Problem != nil:
		t.log.Error("audit log damaged, begun anew from the configuration", path, zap.Error(logged.Problem))
		t.why = "the file before is damaged"
	case logged.Path == "":
		t.log.Warn("audit log missing, begun anew from the configuration", zap.String("path", t.path(auditName)))
		t.why = "there was no log"
	case logged.Mark.Revision > main.head.revision:
		t.why = "the log before could not be replayed"
	case logged.Mark.Revision < main.head.revision:
		t.log.Warn("audit log behind the configuration, begun anew from it: changes that were made when the daemon ended are not in the log",
			path, zap.Uint64("revision", logged.Mark.Revision), zap.Uint64("config_revision", main.head.revision), zap.NamedError("torn", logged.Torn))
		t.why = "the file before was behind"
	case logged.Mark != main.head.mark():
		t.log.Error("audit log is of another configuration, begun anew from the one that is there", path, zap.Uint64("revision", logged.Mark.Revision))
		t.why = "the file before is of another configuration"
	case logged.Torn != nil:
		t.log.Warn("audit log ends in what is no record, begun anew from the configuration", path, zap.Error(logged.Torn))
		t.why = "the file before was not written to its end"
	default:
		t.dropSpare()
		return
	}
	t.begin()
}

// keepAside gives a file that is about to be replaced another name, for whoever
// wants to look into it. It keeps its own until then where the file system can.
func keepAside(c copyState, suffix string) error {
	if c.missing() {
		return nil
	}
	aside := c.path + suffix
	if err := os.Remove(aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if os.Link(c.path, aside) == nil {
		return nil
	}
	return os.Rename(c.path, aside)
}

// copyState is what was found of one bbolt file.
type copyState struct {
	path string
	file *boltFile // nil unless whole
	head head
	err  error
}

// inspect opens a copy and reads all of it.
func inspect(path string) copyState {
	c := copyState{path: path}
	file, err := openBolt(path)
	if err != nil {
		c.err = err
		return c
	}
	c.head, c.err = file.load(func(Entry) error { return nil })
	if c.err != nil {
		c.err = errors.Join(c.err, file.Close())
		return c
	}
	c.file = file
	return c
}

func (c copyState) whole() bool   { return c.file != nil }
func (c copyState) missing() bool { return errors.Is(c.err, os.ErrNotExist) }

// unavailable reports whether a copy may be whole, but can't be had at the moment.
func (c copyState) unavailable() bool {
	for _, cause := range []error{fs.ErrPermission, bolterrors.ErrTimeout, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(c.err, cause) {
			return true
		}
	}
	return false
}

// close closes a copy that was only read.
func (c copyState) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
}
