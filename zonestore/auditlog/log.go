// Package auditlog keeps an append-only log of the changes of the configuration
// in numbered files. Each file begins with a snapshot of everything, so that it
// is enough together with those that follow it, and older ones can be removed.
//
// The package knows records, files and where in them is damage. What bodies say
// is a matter of who writes them. A Log is for one goroutine at a time; the
// files may be read by anybody meanwhile, other processes included.
package auditlog

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"

	"secondaryd/internal/durable"
)

// Options is what Open needs to know.
type Options struct {
	Dir  string // made with 0700 when the first file is
	Keep int    // how many files are kept besides the one being written; 0 keeps all
	Log  *zap.Logger
	Sync func(*os.File) error // nil means the file's Sync
	// Least is the size up to which a file grows at least, before it is begun
	// anew; 0 means 64 MiB.
	Least int64
}

const (
	fileMode = 0o600
	newFile  = ".new" // suffix of a file that is not whole yet

	defaultLeast = 64 << 20
	// growth is how many times its snapshot a file may become: the cost of
	// snapshots stays a part of that of changes.
	growth = 4
)

// Log is the log of a folder.
type Log struct {
	Options
	number  uint64   // of the newest file
	file    *os.File // nil while nothing can be appended
	records uint32   // in the file
	end     int64    // where the next record goes
	limit   int64    // begin anew beyond
	buf     []byte
}

// State is what Open found in the newest file.
type State struct {
	Path    string // empty when there is no file
	Mark    Mark   // of the last record that is whole
	Torn    error  // what lies behind it is none: most likely a write that a crash interrupted
	Problem error  // why the file does not tell the whole configuration
}

// Open reads the newest file of a log, from its beginning to its end, checksums
// and order of the records included, but not what they say. Nothing in it is
// changed, and a file that is Torn or has a Problem is not appended to: nobody can
// know that what follows its last whole record counts for nothing.
func Open(options Options) (*Log, State, error) {
	l := &Log{Options: options}
	if l.Sync == nil {
		l.Sync = (*os.File).Sync
	}
	if l.Least == 0 {
		l.Least = defaultLeast
	}
	numbers, err := Files(l.Dir)
	if err != nil || len(numbers) == 0 {
		return l, State{}, err
	}
	l.number = numbers[len(numbers)-1]
	file, err := os.OpenFile(Path(l.Dir, l.number), os.O_RDWR, 0)
	if err != nil {
		return l, State{}, err
	}
	state, err := l.inspect(file)
	if err != nil || state.Problem != nil || state.Torn != nil {
		return l, state, errors.Join(err, file.Close())
	}
	l.file = file
	return l, state, nil
}

// inspect finds out what a file tells.
func (l *Log) inspect(file *os.File) (State, error) {
	s := State{Path: file.Name()}
	var chain Chain
	l.end, l.records = int64(fileHead), 0
	for item, err := range scan(file, l.number) {
		switch {
		case errors.Is(err, ErrNewer):
			return s, err
		case err != nil:
			s.Problem = err
		case item.Damage != nil && item.Damage.AtEnd:
			s.Torn = item.Damage
		case item.Damage != nil:
			s.Problem = errors.Join(s.Problem, item.Damage)
		default:
			l.take(&s, &chain, item)
		}
	}
	if s.Problem == nil && !chain.Whole() {
		s.Problem = &Damage{Path: s.Path, Offset: l.end, Detail: "it does not hold a whole snapshot", AtEnd: true}
	}
	return s, nil
}

// take counts a record in that is where it belongs.
func (l *Log) take(s *State, chain *Chain, item Item) {
	if err := chain.Next(item.Record); err != nil && s.Problem == nil {
		s.Problem = &Damage{Path: s.Path, Offset: item.Offset, Octets: item.End - item.Offset, Detail: err.Error()}
	}
	if item.Record.Kind != KindTransaction {
		l.limit = max(l.Least, growth*item.End)
	}
	if s.Problem == nil {
		s.Mark = chain.Mark()
	}
	l.end = item.End
	l.records++
}

// Able reports whether records can be appended: there is a file, and the last
// write to it went well.
func (l *Log) Able() bool { return l.file != nil }

// Full reports whether the file is as large as it should get.
func (l *Log) Full() bool { return l.end > l.limit }

// Lost says why the file that is appended to is no longer the one that will be read:
// somebody has removed, replaced or changed it. Nil if it is, or if there is none.
func (l *Log) Lost() error {
	if l.file == nil {
		return nil
	}
	path := Path(l.Dir, l.number)
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	own, err := l.file.Stat()
	switch {
	case err != nil:
		return err
	case !os.SameFile(named, own):
		return fmt.Errorf("%s is another file than the one that was written", path)
	case own.Size() != l.end:
		return fmt.Errorf("%s has %d octets, not the %d that were written", path, own.Size(), l.end)
	}
	return nil
}

// Append writes records to the end of the file and returns when they are on
// disk: one write, one fsync. After an error nothing can be appended before
// Begin: nobody knows what of the write has reached the disk.
func (l *Log) Append(records []Record) error {
	if l.file == nil {
		return os.ErrClosed
	}
	if err := l.write(records); err != nil {
		err = fmt.Errorf("append to %s: %w", Path(l.Dir, l.number), err)
		_ = l.file.Truncate(l.end) // what is left of it would be reported as damage
		return errors.Join(err, l.Close())
	}
	l.end += int64(len(l.buf))
	l.records += uint32(len(records))
	if cap(l.buf) > 1<<20 {
		l.buf = nil
	}
	return nil
}

// write brings records to disk behind the last one.
func (l *Log) write(records []Record) error {
	l.buf = l.buf[:0]
	for i, r := range records {
		if len(r.Body) > MaxBody {
			return errTooLarge
		}
		l.buf = appendRecord(l.buf, l.number, l.records+uint32(i), r)
	}
	if _, err := l.file.WriteAt(l.buf, l.end); err != nil {
		return err
	}
	return l.Sync(l.file)
}

// Begin makes a new file with a snapshot, of which fill puts the records, all of
// the same mark. The file is on disk when Begin returns, and appended to from
// then on; older ones are removed as Keep says. After an error all is as it was.
func (l *Log) Begin(fill func(put func(Record) error) error) error {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return err
	}
	numbers, err := Files(l.Dir) // Open may not have been able to tell
	if err != nil {
		return err
	}
	next := Log{Options: l.Options, number: max(l.number, slices.Max(append(numbers, 0))) + 1}
	path := Path(l.Dir, next.number)
	if err := next.create(path+newFile, fill); err != nil {
		return fmt.Errorf("begin %s: %w", path, err)
	}
	if err := errors.Join(os.Rename(path+newFile, path), l.syncDirs()); err != nil {
		return errors.Join(err, next.Close(), os.Remove(path)) // else it would count for the newest
	}
	_ = l.Close() // all that was appended is synced
	*l = next
	l.prune()
	return nil
}

// create writes a whole file.
func (l *Log) create(path string, fill func(put func(Record) error) error) (err error) {
	l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(l.file, 256<<10)
	_, _ = w.Write(newFileHead(l.number)) // Flush tells
	l.end = int64(fileHead)
	err = fill(func(r Record) error {
		if len(r.Body) > MaxBody {
			return errTooLarge
		}
		n, err := w.Write(appendRecord(w.AvailableBuffer(), l.number, l.records, r))
		l.records++
		l.end += int64(n)
		return err
	})
	if err := errors.Join(err, w.Flush()); err != nil {
		return errors.Join(err, l.Close(), os.Remove(path))
	}
	if err := l.Sync(l.file); err != nil {
		return errors.Join(err, l.Close(), os.Remove(path))
	}
	l.limit = max(l.Least, growth*l.end)
	return nil
}

// syncDirs makes the names of files, and of the folder itself, durable.
func (l *Log) syncDirs() error {
	return errors.Join(durable.SyncDir(l.Dir, l.Sync), durable.SyncDir(filepath.Dir(l.Dir), l.Sync))
}

// prune removes the files that are not to be kept, and what an interrupted Begin
// has left. That it can't is said, and tried again with the next file.
func (l *Log) prune() {
	numbers, err := Files(l.Dir)
	left, _ := filepath.Glob(filepath.Join(l.Dir, "*"+fileSuffix+newFile))
	if surplus := len(numbers) - 1 - l.Keep; l.Keep > 0 && surplus > 0 {
		for _, number := range numbers[:surplus] {
			left = append(left, Path(l.Dir, number))
		}
	}
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		l.Log.Warn("old files of the audit log can't be removed", zap.Error(err))
	}
}

// Close lets go of the file.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close()
}
