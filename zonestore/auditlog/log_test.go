package auditlog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// begun is a log whose first file holds a snapshot of revision 10.
func begun(t testing.TB, options Options) *Log {
	t.Helper()
	if options.Dir == "" {
		options.Dir = filepath.Join(t.TempDir(), "audit")
	}
	if options.Log == nil {
		options.Log = zap.NewNop()
	}
	l, state, err := Open(options)
	if err != nil || state != (State{}) {
		t.Fatalf("an empty folder: %+v, %v", state, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	begin(t, l, 10)
	return l
}

func begin(t testing.TB, l *Log, revision uint64) {
	t.Helper()
	if err := l.Begin(snapshotOf(revision)); err != nil {
		t.Fatal(err)
	}
}

func markOf(revision uint64) Mark { return Mark{revision, 2 * revision, 3 * revision} }

func transactionOf(revision uint64) Record {
	return Record{KindTransaction, markOf(revision), fmt.Appendf(nil, "what revision %d changed", revision)}
}

func snapshotOf(revision uint64) func(func(Record) error) error {
	return func(put func(Record) error) error {
		return errors.Join(
			put(Record{KindObjects, markOf(revision), []byte("some objects")}),
			put(Record{KindObjects, markOf(revision), []byte("and more")}),
			put(Record{KindSnapshot, markOf(revision), nil}))
	}
}

// contents describes what lies in a file.
func contents(t testing.TB, dir string, number uint64) (list []string) {
	t.Helper()
	for item, err := range Read(dir, number) {
		switch {
		case err != nil:
			list = append(list, err.Error())
		case item.Damage != nil:
			list = append(list, fmt.Sprintf("damage at end: %t", item.Damage.AtEnd))
		default:
			list = append(list, fmt.Sprintf("%d %d %s", item.Record.Kind, item.Record.Mark.Revision, item.Record.Body))
		}
	}
	return list
}

func TestAppendedIsRead(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	if err := l.Append([]Record{transactionOf(11), transactionOf(12)}); err != nil {
		t.Fatal(err)
	}
	again, state, err := Open(l.Options)
	if err != nil || state.Mark != markOf(12) || state.Problem != nil || state.Torn != nil || !again.Able() {
		t.Fatalf("%+v, %v", state, err)
	}
	if err := again.Append([]Record{transactionOf(13)}); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 10 some objects", "1 10 and more", "2 10 ", "3 11 what revision 11 changed", "3 12 what revision 12 changed", "3 13 what revision 13 changed"}
	if got := contents(t, l.Dir, 1); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A file that ends anywhere is read up to its last whole record, and written on
// only where that is its end.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	ends := map[int64]uint64{l.end: 10}
	for revision := uint64(11); revision < 14; revision++ {
		if err := l.Append([]Record{transactionOf(revision)}); err != nil {
			t.Fatal(err)
		}
		ends[l.end] = revision
	}
	snapshotEnd := int64(fileHead) + 3*recordHead + int64(len("some objects")+len("and more"))
	data, err := os.ReadFile(Path(l.Dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	for n := range len(data) {
		options := l.Options
		options.Dir = t.TempDir()
		if err := os.WriteFile(Path(options.Dir, 1), data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if revision, ok := ends[int64(n)]; ok {
			last = revision
		}
		cut, state, err := Open(options)
		whole := int64(n) >= snapshotEnd
		_, end := ends[int64(n)]
		if err != nil || whole != (state.Problem == nil) || cut.Able() != end || whole && state.Mark != markOf(last) {
			t.Errorf("cut to %d octets: %+v, able %t, %v", n, state, cut.Able(), err)
		}
		if left, err := os.ReadFile(Path(options.Dir, 1)); err != nil || !bytes.Equal(left, data[:n]) {
			t.Errorf("cut to %d octets: the file was changed", n)
		}
		_ = cut.Close()
	}
}

// A changed octet is found wherever it lies, and costs one record.
func TestFlippedOctets(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	if err := l.Append([]Record{transactionOf(11), transactionOf(12), transactionOf(13)}); err != nil {
		t.Fatal(err)
	}
	whole := contents(t, l.Dir, 1)
	data, err := os.ReadFile(Path(l.Dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		broken := bytes.Clone(data)
		broken[at] ^= 0x5A
		dir := t.TempDir()
		if err := os.WriteFile(Path(dir, 1), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		got := contents(t, dir, 1)
		damages := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(whole, s) })
		if len(damages) != 1 || at >= fileHead && len(got) != len(whole) {
			t.Errorf("octet %d: read as %q", at, got)
		}
		options := l.Options
		options.Dir = dir
		broke, state, err := Open(options)
		if broke.Able() || err == nil && state.Problem == nil && state.Torn == nil {
			t.Errorf("octet %d: written on", at)
		}
	}
}

func TestMissingRecordIsFound(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	var ends []int64
	for revision := uint64(11); revision < 14; revision++ {
		if err := l.Append([]Record{transactionOf(revision)}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, l.end)
	}
	data, err := os.ReadFile(Path(l.Dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(Path(l.Dir, 1), slices.Delete(data, int(ends[0]), int(ends[1])), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(contents(t, l.Dir, 1), "; "); !strings.HasSuffix(got, "damage at end: false; 3 13 what revision 13 changed") {
		t.Error(got)
	}
	if _, state, err := Open(l.Options); err != nil || !errors.Is(state.Problem, ErrDamaged) || state.Mark != markOf(11) {
		t.Errorf("%+v, %v", state, err)
	}
}

// A snapshot that does not begin the file, revisions with a gap: what is no chain
// is not written on.
func TestOrderIsChecked(t *testing.T) {
	t.Parallel()
	for name, records := range map[string][]Record{
		"gap":        {transactionOf(12)},
		"twice":      {transactionOf(11), transactionOf(11)},
		"unfinished": {{KindObjects, markOf(10), nil}, transactionOf(11)},
		"two":        {{KindObjects, markOf(10), nil}, {KindSnapshot, markOf(11), nil}},
	} {
		l := begun(t, Options{})
		if err := l.Append(records); err != nil {
			t.Fatal(err)
		}
		if again, state, err := Open(l.Options); err != nil || !errors.Is(state.Problem, ErrDamaged) || again.Able() {
			t.Errorf("%s: %+v, %v", name, state, err)
		}
	}
}

func TestBeginPrunes(t *testing.T) {
	t.Parallel()
	for _, keep := range []int{0, 1, 3} {
		l := begun(t, Options{Keep: keep})
		stranger := filepath.Join(l.Dir, "notes.txt")
		leftover := Path(l.Dir, 77) + newFile
		for _, path := range []string{stranger, leftover} {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for revision := uint64(11); revision < 17; revision++ {
			begin(t, l, revision)
		}
		numbers, err := Files(l.Dir)
		want := []uint64{1, 2, 3, 4, 5, 6, 7}
		if keep > 0 {
			want = want[len(want)-1-keep:]
		}
		if err != nil || !slices.Equal(numbers, want) {
			t.Errorf("keep %d: %v, %v, want %v", keep, numbers, err, want)
		}
		if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
			t.Error("an unfinished file is left")
		}
		if _, err := os.Stat(stranger); err != nil {
			t.Error(err)
		}
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{Least: 1})
	snapshot := l.end
	for revision := uint64(11); !l.Full(); revision++ {
		if err := l.Append([]Record{transactionOf(revision)}); err != nil {
			t.Fatal(err)
		}
	}
	if l.end <= growth*snapshot || l.end > growth*snapshot+200 {
		t.Errorf("full at %d octets, the snapshot has %d", l.end, snapshot)
	}
	again, state, err := Open(l.Options)
	if err != nil || state.Problem != nil || !again.Full() {
		t.Errorf("not full when it is read: %+v, %v", state, err)
	}
	_ = again.Close()
}

// disk is an fsync that can be made to fail.
type disk struct{ err error }

func (d *disk) sync(f *os.File) error {
	if d.err != nil {
		return d.err
	}
	return f.Sync()
}

// A write that fails is told, nothing follows it in the file, and the log goes on
// in a new one when the disk is able.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	var d disk
	l := begun(t, Options{Sync: d.sync})
	d.err = errors.New("input/output error")
	if err := l.Append([]Record{transactionOf(11)}); !errors.Is(err, d.err) || l.Able() {
		t.Errorf("able %t, %v", l.Able(), err)
	}
	if err := l.Append([]Record{transactionOf(12)}); err == nil {
		t.Error("written behind a failure")
	}
	if err := l.Begin(snapshotOf(12)); !errors.Is(err, d.err) || l.Able() {
		t.Errorf("able %t, %v", l.Able(), err)
	}
	d.err = nil
	begin(t, l, 12)
	if err := l.Append([]Record{transactionOf(13)}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, l.Dir, 1); len(got) != 3 {
		t.Errorf("the failed write left %q", got)
	}
	if _, state, err := Open(l.Options); err != nil || state.Mark != markOf(13) || state.Problem != nil {
		t.Errorf("%+v, %v", state, err)
	}
	// A snapshot that can't be made leaves the file in use.
	wrong := errors.New("the snapshot can't be read")
	if err := l.Begin(func(func(Record) error) error { return wrong }); !errors.Is(err, wrong) || !l.Able() {
		t.Errorf("able %t, %v", l.Able(), err)
	}
	if err := l.Append([]Record{transactionOf(14)}); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(l.Dir, "*"+newFile)); len(left) > 0 {
		t.Error(left)
	}
}

// Nothing is written that would not be read, and no file over another.
func TestNothingIsSpoilt(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	large := Record{KindTransaction, markOf(11), make([]byte, MaxBody+1)}
	if err := l.Append([]Record{large}); !errors.Is(err, errTooLarge) || len(contents(t, l.Dir, 1)) != 3 {
		t.Errorf("%v, %q", err, contents(t, l.Dir, 1))
	}
	if err := l.Begin(func(put func(Record) error) error { return put(large) }); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
	begin(t, &Log{Options: l.Options}, 12) // as if the folder could not be read at first
	if got := contents(t, l.Dir, 2); len(got) != 3 || len(contents(t, l.Dir, 1)) != 3 {
		t.Errorf("got %q", got)
	}
}

// A file that can't be given its name for good does not count.
func TestFolderCantBeSynced(t *testing.T) {
	t.Parallel()
	refuses := false
	l := begun(t, Options{Sync: func(f *os.File) error {
		if info, err := f.Stat(); refuses && err == nil && info.IsDir() {
			return errors.New("input/output error")
		}
		return f.Sync()
	}})
	refuses = true
	if err := l.Begin(snapshotOf(10)); err == nil || !l.Able() {
		t.Errorf("able %t, %v", l.Able(), err)
	}
	if numbers, err := Files(l.Dir); err != nil || len(numbers) != 1 {
		t.Errorf("%v, %v", numbers, err)
	}
	if err := l.Append([]Record{transactionOf(11)}); err != nil {
		t.Error(err)
	}
}

func TestNewerFileIsLeft(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	b := newFileHead(1)
	b[len(fileMagic)-1]++
	b = appendSum(b[:fileHead-4])
	if err := os.WriteFile(Path(l.Dir, 1), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(l.Options); !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
}

// A file that was put in the place of another is not taken for it.
func TestFileOfAnotherNumber(t *testing.T) {
	t.Parallel()
	l := begun(t, Options{})
	if err := os.Rename(Path(l.Dir, 1), Path(l.Dir, 2)); err != nil {
		t.Fatal(err)
	}
	if _, state, err := Open(l.Options); err != nil || !errors.Is(state.Problem, ErrDamaged) {
		t.Errorf("%+v, %v", state, err)
	}
}

// FuzzRead: whatever a file holds, reading it ends, and its records and damages
// lie one behind the other up to its end.
func FuzzRead(f *testing.F) {
	l := begun(f, Options{})
	if err := l.Append([]Record{transactionOf(11), transactionOf(12)}); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(Path(l.Dir, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add(append(bytes.Clone(data[:100]), data[60:]...))
	f.Fuzz(func(t *testing.T, octets []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(Path(dir, 1), octets, 0o600); err != nil {
			t.Fatal(err)
		}
		at := int64(fileHead)
		for item, err := range Read(dir, 1) {
			if err != nil {
				return
			}
			if item.Offset != at || item.End < at || item.End == at && item.Damage == nil {
				t.Fatalf("an item from %d to %d follows octet %d", item.Offset, item.End, at)
			}
			at = item.End
		}
		if at != int64(len(octets)) {
			t.Fatalf("reading ends at %d of %d octets", at, len(octets))
		}
	})
}
