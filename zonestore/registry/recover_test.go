package registry

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
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/zonestore/auditlog"
)

// When the log can't be written the transaction still counts, and the log goes on
// as soon as the disk allows.
func TestLogHeals(t *testing.T) {
	t.Parallel()
	t.Run("with the next change", func(t *testing.T) { t.Parallel(); testLogHeals(t, false) })
	t.Run("by itself", func(t *testing.T) { t.Parallel(); testLogHeals(t, true) })
}

func testLogHeals(t *testing.T, byItself bool) {
	t.Helper()
	dir := t.TempDir()
	var refuses error
	core, logs := observer.New(zap.ErrorLevel)
	r := openWith(t, Options{Dir: dir, Log: zap.New(core), sync: func(f *os.File) error { return errors.Join(refuses, f.Sync()) }})
	seed(t, r)
	r.backend.(*twin).pause = 0
	refuses = errors.New("no space left on device")
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p8")) })
	if err := r.Degraded(); !errors.Is(err, refuses) {
		t.Errorf("a lost copy is not told: %v", err)
	}
	if logs.Len() != 1 {
		t.Errorf("want one line of it: %v", logs.All())
	}
	r.Mend()
	if r.Degraded() == nil {
		t.Error("mended on a disk that refuses")
	}
	p9 := func(tx *Tx) error { return tx.PutPeer(peer("p9")) }
	if byItself {
		update(t, r, p9)
		refuses = nil
		r.Mend()
	} else {
		refuses = nil
		update(t, r, p9)
	}
	if err := r.Degraded(); err != nil {
		t.Error(err)
	}
	update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p10")) })
	after := snapshot(t, dir)
	compareCopies(t, after)
	if err := os.Remove(filepath.Join(after, mainName)); err != nil {
		t.Fatal(err)
	}
	sameObjects(t, r, open(t, after))
	want := "begun 0; 1; missing 2 to 4: deleted zone z1, created peer p8, created peer p9; begun 4; 5"
	if got := told(t, dir); got != want {
		t.Errorf("the log tells %q, want %q", got, want)
	}
}

// told sums up what the log tells.
func told(t testing.TB, dir string) string {
	t.Helper()
	var list []string
	for item, err := range History(dir) {
		switch {
		case err != nil:
			list = append(list, err.Error())
		case item.Transaction != nil:
			list = append(list, fmt.Sprint(item.Transaction.Revision))
		case item.Snapshot != nil:
			list = append(list, fmt.Sprintf("begun %d", item.Snapshot.Revision))
		case item.Missing != nil:
			var changes []string
			for _, c := range item.Missing.Changes {
				what := map[[2]bool]string{{true, true}: "changed", {false, true}: "created", {true, false}: "deleted"}[[2]bool{c.Before != nil, c.Value != nil}]
				changes = append(changes, fmt.Sprintf("%s %s %s", what, c.Kind, c.ID))
			}
			list = append(list, fmt.Sprintf("missing %d to %d: %s", item.Missing.First, item.Missing.Last, strings.Join(changes, ", ")))
		default:
			list = append(list, fmt.Sprintf("damage at end: %t", item.Damage.AtEnd))
		}
	}
	return strings.Join(list, "; ")
}

// Wherever a crash interrupts a change, the state before or after it is there,
// both copies tell the same, and what was acknowledged is not lost.
func TestCrashAtEveryWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	before := snapshot(t, dir)
	update(t, r, func(tx *Tx) error { return errors.Join(tx.DeleteZone("z1"), tx.PutPeer(peer("p9"))) })
	after := snapshot(t, dir)
	log, err := os.ReadFile(newestLog(t, after))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(newestLog(t, before))
	if err != nil {
		t.Fatal(err)
	}
	places := []int{len(log) - 1, len(log)}
	for at := len(whole); at < len(log)-1; at += 31 {
		places = append(places, at)
	}
	for _, at := range places {
		torn := slices.Concat(log[:at], make([]byte, len(log)-at)) // as some file systems leave it
		for _, octets := range [][]byte{log[:at], torn} {
			for _, main := range []string{before, after} {
				crashed := snapshot(t, main)
				if err := os.WriteFile(newestLog(t, crashed), octets, 0o600); err != nil {
					t.Fatal(err)
				}
				got := open(t, crashed)
				if _, there := got.Zone("z1"); there != (got.Revision() == 1) || main == after && there || got.Degraded() != nil {
					t.Fatalf("log of %d of %d octets: revision %d, zone there: %t, %v", at, len(log), got.Revision(), there, got.Degraded())
				}
				compareCopies(t, snapshot(t, crashed))
			}
		}
	}
}

// filledLog has some changes in several small files of the log.
func filledLog(t *testing.T, dir string) *Registry {
	t.Helper()
	r := openWith(t, Options{Dir: dir, auditLeast: 1})
	seed(t, r)
	for i := range 60 {
		update(t, r, func(tx *Tx) error {
			return tx.PutZone(zone(fmt.Sprint("n", i%9), fmt.Sprintf("n%d.example", i%9), "p1"))
		})
	}
	if numbers, err := auditlog.Files(filepath.Join(dir, auditName)); err != nil || len(numbers) < 4 {
		t.Fatalf("want several files: %v, %v", numbers, err)
	}
	return r
}

func TestLogIsBegunAnewWhenFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := filledLog(t, dir)
	compareCopies(t, snapshot(t, dir))
	var want, got []string
	for revision := range r.Revision() {
		want = append(want, fmt.Sprint(revision+1))
	}
	for item := range strings.SplitSeq(told(t, dir), "; ") {
		if !strings.HasPrefix(item, "begun ") {
			got = append(got, item)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log tells %v", got)
	}
	again := openWith(t, Options{Dir: snapshot(t, dir), AuditFiles: 2, auditLeast: 1})
	for i := range 20 {
		update(t, again, func(tx *Tx) error { return tx.PutPeer(peer(fmt.Sprint("q", i))) })
	}
	if numbers, err := auditlog.Files(filepath.Join(again.options.Dir, auditName)); err != nil || len(numbers) != 3 {
		t.Errorf("want three files: %v, %v", numbers, err)
	}
	compareCopies(t, snapshot(t, again.options.Dir))
}

// A log that is larger than what is read and stored at a time.
func TestRebuildOfMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	const step = 100
	for i := 0; i < 3*replayBatch/2; i += step {
		update(t, r, func(tx *Tx) (err error) {
			for n := range step {
				err = errors.Join(err, tx.PutZone(zone(fmt.Sprint("n", i+n), fmt.Sprintf("n%d.example", i+n), "p1")))
			}
			return err
		})
	}
	r.backend.(*twin).begin() // so that it lies in a snapshot, and then in changes again
	for i := 0; i < replayBatch; i += step {
		update(t, r, func(tx *Tx) (err error) {
			for n := range step {
				err = errors.Join(err, tx.DeleteZone(fmt.Sprint("n", i+n)))
			}
			return err
		})
	}
	compareCopies(t, snapshot(t, dir))
	broken := snapshot(t, dir)
	if err := os.Remove(filepath.Join(broken, mainName)); err != nil {
		t.Fatal(err)
	}
	sameObjects(t, r, open(t, broken))
}

// Damage in the newest file of the log is survived without the main file if the
// file before leads on to where it is whole, and else refused in words.
func TestRebuildFromEarlierFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := filledLog(t, dir)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func([]byte) []byte
		ok     bool
	}{
		"snapshot damaged": {func(b []byte) []byte { b[100] ^= 1; return b }, true},
		"head damaged":     {func(b []byte) []byte { b[3] ^= 1; return b }, false},
		"change damaged":   {func(b []byte) []byte { b[bytes.LastIndex(b, []byte("\xffSD\xfe"))-5] ^= 1; return b }, false},
	} {
		broken := snapshot(t, dir)
		if err := os.Remove(filepath.Join(broken, mainName)); err != nil {
			t.Fatal(err)
		}
		spoil(t, newestLog(t, broken), test.change)
		if !test.ok {
			_, err := Open(Options{Dir: broken})
			damage, ok := errors.AsType[*auditlog.Damage](err)
			if !ok || !strings.Contains(err.Error(), damage.Error()) {
				t.Errorf("%s: %v", name, err)
			} else if damage.Offset > 0 { // the way out of the manual
				if err := os.Truncate(damage.Path, damage.Offset); err != nil {
					t.Fatal(err)
				}
				open(t, broken)
			}
			continue
		}
		got := open(t, broken)
		sameObjects(t, r, got)
		compareCopies(t, snapshot(t, broken))
	}
}

// The end of a log that can't be read may have been acknowledged: that is said.
func TestRebuildWithoutTheEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	broken := snapshot(t, dir)
	if err := os.Remove(filepath.Join(broken, mainName)); err != nil {
		t.Fatal(err)
	}
	spoil(t, newestLog(t, broken), func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	core, logs := observer.New(zap.ErrorLevel)
	got := openWith(t, Options{Dir: broken, Log: zap.New(core)})
	if got.Revision() != 1 || logs.FilterMessageSnippet("may be lost").Len() != 1 {
		t.Errorf("revision %d, said %v", got.Revision(), logs.All())
	}
}

// A record that is whole and does not fit is not believed.
func TestReplayBelievesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	log := r.backend.(*twin).audit
	main, err := r.backend.(*twin).main.head()
	if err != nil {
		t.Fatal(err)
	}
	p := peer("p9")
	value := r.codec.encode(&p)
	after := main
	after.revision++
	after.add(Entry{KindPeer, "p9", value})
	for name, test := range map[string]struct {
		after   head
		changes []Replacement
	}{
		"another sum":    {head{headVersion, after.revision, after.count, after.sum + 1}, []Replacement{{Entry{KindPeer, "p9", value}, nil}}},
		"another before": {after, []Replacement{{Entry{KindPeer, "p9", value}, value}}},
		"broken value":   {after, []Replacement{{Entry{KindPeer, "p8", value}, nil}}},
		"unknown kind":   {after, []Replacement{{Entry{99, "p9", value}, nil}}},
	} {
		wrong := snapshot(t, dir)
		record := (&Transaction{Changes: test.changes}).record(test.after)
		l, _, err := auditlog.Open(auditlog.Options{Dir: filepath.Join(wrong, auditName), Log: log.Log})
		if err == nil {
			err = errors.Join(l.Append([]auditlog.Record{record}), l.Close(), os.Remove(filepath.Join(wrong, mainName)))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: wrong}); err == nil {
			t.Errorf("%s: believed", name)
		}
		// With the main file, which is whole, it goes on from that.
		copyFile(t, filepath.Join(dir, mainName), filepath.Join(wrong, mainName))
		got := open(t, wrong)
		sameObjects(t, r, got)
		compareCopies(t, snapshot(t, wrong))
	}
}

// A log that tells of the same revision, but not of the same objects, is another
// configuration's.
func TestLogOfAnotherConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	stranger := open(t, t.TempDir())
	update(t, stranger, func(tx *Tx) error { return tx.PutPeer(peer("p1")) })
	mixed := snapshot(t, dir)
	copyFile(t, newestLog(t, stranger.options.Dir), newestLog(t, mixed))
	core, logs := observer.New(zap.ErrorLevel)
	sameObjects(t, r, openWith(t, Options{Dir: mixed, Log: zap.New(core)}))
	if logs.Len() != 1 {
		t.Errorf("said %v", logs.All())
	}
	compareCopies(t, snapshot(t, mixed))
}

// FuzzDecodeBody: no body makes the reader panic, and what is read is written as
// it was.
func FuzzDecodeBody(f *testing.F) {
	tx := Transaction{Actor: Actor{Token: "t", Client: "192.0.2.1"}, Changes: []Replacement{
		{Entry{KindPeer, "p1", []byte("a value after")}, []byte("one before")}, {Entry{KindTSIG, "k1", nil}, []byte("deleted")},
	}}
	f.Add(tx.record(head{}).Body)
	f.Fuzz(func(t *testing.T, body []byte) {
		var note transactionNote
		var again []byte
		err := decodeBody(body, &note, func(r Replacement) error {
			again = appendReplacement(again, r)
			return nil
		})
		if err == nil && !bytes.HasSuffix(body, again) {
			t.Error("read as something else than was written")
		}
	})
}
