package zonestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/zonestore/archive"
	"secondaryd/zonestore/zone"
)

// keeping opens a store that keeps three versions, with the zone configured.
func keeping(t *testing.T, dir string, at time.Time) (*Store, *Served, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s, err := Open(Options{Dir: dir, Versions: 3, Log: zap.New(core), Lifetime: func(zone.SOA) time.Duration { return time.Hour }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(t.Context(), []Configured{{ID: zoneID, Apex: apex.String(), Created: at.Add(-24 * time.Hour)}}, at); err != nil {
		t.Fatal(err)
	}
	served, _ := s.Get(zoneID)
	return s, served, logs
}

func publishAll(t *testing.T, s *Store, served *Served, at time.Time, serials ...uint32) {
	t.Helper()
	for _, serial := range serials {
		if err := s.Publish(served, version(t, s, serial), confirmed(at)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRollback: what an operator goes back to is served after a crash, with the
// time that a primary confirmed it, and not that of the order.
func TestRollback(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Now().Add(-30*time.Minute).Truncate(time.Microsecond)
	s, served, _ := keeping(t, dir, at)
	if list, err := s.Versions(served); list != nil || err != nil {
		t.Errorf("without a copy: %v, %v", list, err)
	}
	publishAll(t, s, served, at, 5, 6)
	z, err := s.Version(served, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Rollback(served, z, confirmed(at)); err != nil {
		t.Fatal(err)
	}
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again, copied, _ := keeping(t, crashed, time.Now())
	for _, served := range []*Served{served, copied} {
		if v := served.View(); v.State != StateServing || v.Serial != 5 || v.Expires.Sub(at.Add(time.Hour)).Abs() > time.Second {
			t.Errorf("serves %s serial %d until %s", v.State, v.Serial, v.Expires)
		}
		if c := served.Timers().Confirmed; c.Sub(at).Abs() > time.Second {
			t.Errorf("confirmed %s, want %s", c, at)
		}
	}
	if from, _, ok := again.RolledBack(copied); !ok || from != 6 {
		t.Errorf("rolled back %v from %d", ok, from)
	}
	publishAll(t, again, copied, at, 7)
	if _, _, ok := again.RolledBack(copied); ok {
		t.Error("rolled back, though another version came")
	}
	closeStore(t, again)
	s.Remove(zoneID)
	if err := s.Rollback(served, z, confirmed(at)); !errors.Is(err, ErrGone) {
		t.Errorf("of a zone that is gone: %v", err)
	}
	closeStore(t, s)
}

// TestRollbackUnsaved: from a version that is not on disk nobody goes back, since
// a restart would not know of it.
func TestRollbackUnsaved(t *testing.T) {
	t.Parallel()
	at := time.Now()
	s, served, _ := keeping(t, t.TempDir(), at)
	defer closeStore(t, s)
	publishAll(t, s, served, at, 5, 6)
	z, err := s.Version(served, 5)
	if err != nil {
		t.Fatal(err)
	}
	served.unsaved.Store(true)
	if err := s.Rollback(served, z, confirmed(at)); !errors.Is(err, ErrUnsaved) || served.View().Serial != 6 {
		t.Errorf("got %v, serves %d", err, served.View().Serial)
	}
	served.unsaved.Store(false)
}

// TestDamagedVersion: the log says what became of the history, and the copy is
// served.
func TestDamagedVersion(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Now()
	s, served, logs := keeping(t, dir, at)
	defer closeStore(t, s)
	publishAll(t, s, served, at, 5)
	path := filepath.Join(dir, "copies", "segments", "00000001")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, info.Size()-20, 4)
	publishAll(t, s, served, at, 6)
	if _, err := s.Version(served, 5); !errors.Is(err, zone.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if n := logs.FilterLevelExact(zap.ErrorLevel).Len(); n != 1 {
		t.Errorf("%d lines: %v", n, logs.All())
	}
	if _, err := s.Version(served, 5); !errors.Is(err, ErrNoVersion) {
		t.Errorf("after that: %v", err)
	}
	if list, err := s.Versions(served); len(list) != 1 || err != nil {
		t.Errorf("versions: %v, %v", list, err)
	}
}

// TestRollbackFailed: a rollback that was refused since the disk failed has not
// happened after a restart either.
func TestRollbackFailed(t *testing.T) {
	t.Parallel()
	testRollbackFailed(t, 6, 0, func(*Store, *Served) error { return nil })
}

// TestRollbackFailedAgain: nor does it end one before it.
func TestRollbackFailedAgain(t *testing.T) {
	t.Parallel()
	testRollbackFailed(t, 6, 7, func(s *Store, served *Served) error {
		at := time.Now()
		return errors.Join(s.Publish(served, version(t, s, 7), confirmed(at)), s.Rollback(served, version(t, s, 6), confirmed(at)))
	})
}

// testRollbackFailed has one fail after versions 5, 6 and what else comes, and
// compares what is served then and from which version it was gone back.
func testRollbackFailed(t *testing.T, serial, from uint32, before func(*Store, *Served) error) {
	t.Helper()
	dir, at := t.TempDir(), time.Now()
	s, served, _ := keeping(t, dir, at)
	large := largeVersion(t, s, 5)
	if err := s.Publish(served, large, confirmed(at)); err != nil {
		t.Fatal(err)
	}
	s.flush()
	own, err := filepath.Glob(filepath.Join(dir, "copies", "??", "*"))
	if err != nil || len(own) != 1 {
		t.Fatalf("files %v, %v", own, err)
	}
	publishAll(t, s, served, at, 6)
	if err := before(s, served); err != nil {
		t.Fatal(err)
	}
	s.flush() // the large one's name is free now
	if err := os.Mkdir(own[0], 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Rollback(served, large, confirmed(at)); err == nil || served.View().Serial != serial {
		t.Fatalf("got %v, serves %d", err, served.View().Serial)
	}
	if err := os.Remove(own[0]); err != nil {
		t.Fatal(err)
	}
	s.saveUnsaved()
	closeStore(t, s)
	s, served, _ = keeping(t, dir, time.Now())
	defer closeStore(t, s)
	if v := served.View(); v.Serial != serial {
		t.Errorf("serves %d", v.Serial)
	}
	if got, _, ok := s.RolledBack(served); ok != (from != 0) || got != from {
		t.Errorf("rolled back from %d, %v; want %d", got, ok, from)
	}
}

// largeVersion makes one whose copy has a file of its own.
func largeVersion(t *testing.T, s *Store, serial uint32) *zone.Zone {
	t.Helper()
	var texts []string
	for n := range 1500 {
		texts = append(texts, fmt.Sprintf("t%d.example.org. 60 IN TXT %q", n, strings.Repeat("x", 200)))
	}
	return version(t, s, serial, texts...)
}

// TestRollbackTimers: a version that was gone back to is served for its own
// EXPIRE after a crash that came before its timers were on disk, too.
func TestRollbackTimers(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Now().Add(-30*time.Minute).Truncate(time.Microsecond)
	s, served, _ := keeping(t, dir, at)
	publishAll(t, s, served, at, 5)
	if err := s.Publish(served, version(t, s, 6), Timers{Checked: at, Confirmed: at, Expires: at.Add(48 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s.flush()
	if err := s.archive.Rollback(archive.Meta{ID: zoneID, Received: time.Now()}, version(t, s, 5)); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s, served, _ = keeping(t, dir, time.Now())
	defer closeStore(t, s)
	if v := served.View(); v.Serial != 5 || v.Expires.Sub(at.Add(time.Hour)).Abs() > time.Second {
		t.Errorf("serves %d until %s, want %s", v.Serial, v.Expires, at.Add(time.Hour))
	}
}

// TestRollbackDoubtful: nor does a rollback confirm anything where what was lost
// at the start is not known.
func TestRollbackDoubtful(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Now().Add(-30*time.Minute).Truncate(time.Microsecond)
	s, served, _ := keeping(t, dir, at)
	publishAll(t, s, served, at, 5, 6)
	if err := s.Rollback(served, version(t, s, 5), confirmed(at)); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	f, err := os.OpenFile(filepath.Join(dir, "copies", "segments", "00000001"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("torn"); errors.Join(err, f.Close()) != nil {
		t.Fatal(err)
	}
	s, served, _ = keeping(t, dir, time.Now())
	defer closeStore(t, s)
	if !s.doubtful {
		t.Error("nothing is in doubt")
	}
	if c := served.Timers().Confirmed; c.Sub(at).Abs() > time.Second {
		t.Errorf("confirmed %s, want %s", c, at)
	}
}
