package zonestore

import (
	"context"
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

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/archive"
	"secondaryd/zonestore/zone"
)

const zoneID = "023e105f4ecef8ad9ca31a8372d0c353"

// openStore opens the store in dir; its log is returned with it.
func openStore(t testing.TB, dir string) (*Store, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s, err := Open(Options{Dir: dir, Log: zap.New(core), Lifetime: func(zone.SOA) time.Duration { return time.Hour }})
	if err != nil {
		t.Fatal(err)
	}
	return s, logs
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// version makes a version of example.org with that serial, and with other records.
func version(t testing.TB, s *Store, serial uint32, others ...string) *zone.Zone {
	t.Helper()
	b, err := zone.NewBuilder(wiretest.Name(t, "example.org."), s.Seed(), zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(others,
		fmt.Sprintf("example.org. 60 IN SOA ns.example.org. admin.example.org. %d 60 60 3600 60", serial),
		"example.org. 60 IN NS ns.example.org.", "ns.example.org. 60 IN A 192.0.2.1",
	) {
		rr := wiretest.Record(t, text)
		h := rr.Header()
		if err := b.Add(wiretest.Name(t, h.Name), h.Rrtype, h.Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatal(err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// confirmed are the timers of a copy confirmed at that time, for an hour.
func confirmed(at time.Time) Timers {
	return Timers{Checked: at, Confirmed: at, Expires: at.Add(time.Hour)}
}

var apex = wire.Name("\x07example\x03org\x00")

// restore starts a store on dir with the zone configured, created a day before at.
func restore(t testing.TB, dir string, at time.Time) (*Store, *Served, *observer.ObservedLogs) {
	t.Helper()
	s, logs := openStore(t, dir)
	c := Configured{ID: zoneID, Apex: apex.String(), Created: at.Add(-24 * time.Hour)}
	if err := s.Restore(context.Background(), []Configured{c}, at); err != nil {
		t.Fatal(err)
	}
	served, ok := s.Get(zoneID)
	if !ok {
		t.Fatal("the zone is not configured")
	}
	return s, served, logs
}

// filled makes a store with a published copy, which is not the last that was
// written, and returns its folder.
func filled(t testing.TB, at time.Time) string {
	t.Helper()
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	last := s.Configure("another", wiretest.Name(t, "another.example."))
	for _, served := range []*Served{s.Configure(zoneID, apex), last} {
		if err := s.Publish(served, version(t, s, 5), confirmed(at)); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	return dir
}

// copyFile returns the one file of the archive.
func copyFile(t testing.TB, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "copies", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files of copies: %v, %v; want one", files, err)
	}
	return files[0]
}

func TestPublish(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t, t.TempDir())
	defer closeStore(t, s)
	served := s.Configure(zoneID, apex)
	if v := served.View(); v.State != StateEmpty || v.Serial != 0 {
		t.Errorf("before the first copy: %+v", v)
	}
	now := time.Now()
	for _, serial := range []uint32{5, 6} {
		if err := s.Publish(served, version(t, s, serial), confirmed(now)); err != nil {
			t.Fatal(err)
		}
		if v := served.View(); v.State != StateServing || v.Serial != serial || v.Zone.Serial() != serial {
			t.Errorf("serial %d: %+v", serial, v)
		}
	}
	s.Confirm(served, confirmed(now.Add(time.Minute)))
	if v := served.View(); !v.Expires.Equal(now.Add(61*time.Minute)) || v.Serial != 6 {
		t.Errorf("after a confirmation: %+v", v)
	}
	s.Expire(served)
	if v := served.View(); v.State != StateExpired || v.Serial != 6 || v.Zone != nil {
		t.Errorf("after the expiry: %+v", v)
	}
}

// successor makes the version after z, with the changes to it.
func successor(t testing.TB, z *zone.Zone) (*zone.Zone, []byte) {
	t.Helper()
	const soa = "example.org. 60 IN SOA ns.example.org. admin.example.org. %d 60 60 3600 60"
	d := zone.NewDelta(z, zone.Limits{})
	before := wiretest.Rdata(t, wiretest.Record(t, fmt.Sprintf(soa, z.Serial())))
	after := wiretest.Rdata(t, wiretest.Record(t, fmt.Sprintf(soa, z.Serial()+1)))
	if err := errors.Join(d.Delete(apex, wire.TypeSOA, before), d.Add(apex, wire.TypeSOA, 60, after)); err != nil {
		t.Fatal(err)
	}
	next, err := d.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return next, d.Changes()
}

// TestUpdate: a version made by changes is served, and again after a crash,
// whatever the archive held before.
func TestUpdate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tc := range map[string]struct {
		before    func(t *testing.T, s *Store, served *Served)
		journaled bool
	}{
		"onto its copy": {func(t *testing.T, s *Store, served *Served) {
			if err := s.Publish(served, version(t, s, 5), confirmed(now)); err != nil {
				t.Fatal(err)
			}
		}, true},
		"onto another version": {func(t *testing.T, s *Store, served *Served) {
			if err := s.Publish(served, version(t, s, 4), confirmed(now)); err != nil {
				t.Fatal(err)
			}
		}, false},
		"onto nothing": {func(*testing.T, *Store, *Served) {}, false},
		"onto a version that could not be saved": {func(t *testing.T, s *Store, served *Served) {
			if err := s.Publish(served, version(t, s, 5), confirmed(now)); err != nil {
				t.Fatal(err)
			}
			served.unsaved.Store(true)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, after := t.TempDir(), t.TempDir()
			s, _ := openStore(t, dir)
			defer closeStore(t, s)
			served := s.Configure(zoneID, apex)
			tc.before(t, s, served)
			before := diskSize(t, dir)
			next, changes := successor(t, version(t, s, 5))
			if err := s.Update(served, next, 5, changes, confirmed(now)); err != nil {
				t.Fatal(err)
			}
			if v := served.View(); v.State != StateServing || v.Serial != 6 || served.Unsaved() {
				t.Errorf("got %+v, unsaved %v", v, served.Unsaved())
			}
			if grown := diskSize(t, dir) - before; (grown < 300) != tc.journaled {
				t.Errorf("%d octets were written; journaled should be %v", grown, tc.journaled)
			}
			if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			restored, served, _ := restore(t, after, now.Add(time.Minute))
			defer closeStore(t, restored)
			if v := served.View(); v.State != StateServing || v.Serial != 6 {
				t.Errorf("after a crash: %+v", v)
			}
		})
	}
}

// diskSize counts the octets of all copies.
func diskSize(t testing.TB, dir string) (size int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "copies", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// TestDoubtful: where a newer copy may be lost, a primary is asked as soon as if
// the copy had not been confirmed since it came; it is served no shorter.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(-30 * time.Minute)
	dir := filled(t, start)
	s, served, _ := restore(t, dir, start)
	s.Confirm(served, confirmed(start.Add(20*time.Minute)))
	closeStore(t, s)
	file := copyFile(t, dir)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	s, served, _ = restore(t, dir, start.Add(30*time.Minute))
	defer closeStore(t, s)
	if c := served.Timers().Confirmed; c.Sub(start).Abs() > time.Millisecond {
		t.Errorf("confirmed %s after the copy was received", c.Sub(start))
	}
	if e := served.View().Expires; e.Sub(start.Add(80*time.Minute)).Abs() > time.Millisecond {
		t.Errorf("expires %s after the copy was received, want 80m", e.Sub(start))
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t, t.TempDir())
	defer closeStore(t, s)
	served := s.Configure(zoneID, apex)
	z := version(t, s, 5)
	if err := s.Publish(served, z, confirmed(time.Now())); err != nil {
		t.Fatal(err)
	}
	renamed := s.Configure(zoneID, wiretest.Name(t, "other.example."))
	if err := s.Publish(served, z, confirmed(time.Now())); !errors.Is(err, ErrGone) {
		t.Errorf("publishing a zone that has another name now: got %v", err)
	}
	if _, _, err := s.archive.Load(zoneID, s.Seed()); !errors.Is(err, archive.ErrNone) {
		t.Errorf("its copy is still there: %v", err)
	}
	var n wire.Suffixes
	n.Set(apex, s.Seed())
	if got, _ := s.Find(&n, 0); got != nil {
		t.Errorf("the old name is found: %v", got)
	}
	n.Set(wiretest.Name(t, "x.other.example."), s.Seed())
	if got, depth := s.Find(&n, 0); got != renamed || depth != 1 {
		t.Errorf("the new name: got %v at %d", got, depth)
	}
	s.Remove(zoneID)
	if got, _ := s.Find(&n, 0); got != nil {
		t.Errorf("after the removal: got %v", got)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	start := time.Now().Add(-30 * time.Minute)
	for name, tc := range map[string]struct {
		spoil   func(t *testing.T, dir string)
		at      time.Duration // after the copy was confirmed
		state   State
		expires time.Duration // after it was confirmed
		log     string
	}{
		"served at once": {at: 30 * time.Minute, state: StateServing, expires: time.Hour, log: "zone loaded"},
		"the expiry clock went on": {
			at: time.Hour, state: StateExpired, expires: time.Hour, log: "zone expired",
		},
		"timers lost": {
			spoil: func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "timers.db")) },
			at:    30 * time.Minute, state: StateServing, expires: time.Hour, log: "zone loaded",
		},
		"timers damaged": {
			spoil: func(t *testing.T, dir string) { overwrite(t, filepath.Join(dir, "timers.db"), 0, 16384) },
			at:    30 * time.Minute, state: StateServing, expires: time.Hour, log: "timers file damaged: set aside, every copy now counts as confirmed when it was received",
		},
		"seed lost": {
			spoil: func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "seed")) },
			at:    30 * time.Minute, state: StateServing, expires: time.Hour, log: "zone loaded",
		},
		"copy damaged": {
			spoil: func(t *testing.T, dir string) { overwrite(t, copyFile(t, dir), 100, 8) },
			at:    30 * time.Minute, state: StateEmpty, log: "the zone's copy on disk can't be used: it will be transferred again",
		},
		"copy cut": {
			spoil: func(t *testing.T, dir string) {
				if err := os.Truncate(copyFile(t, dir), 200); err != nil {
					t.Fatal(err)
				}
			},
			at: 30 * time.Minute, state: StateEmpty, log: "zone data that was being written when the daemon ended was dropped",
		},
		"copy of an earlier zone": {
			at: 25 * time.Hour, state: StateEmpty, log: "the copy on disk belongs to an earlier zone of this id: it will be deleted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filled(t, start)
			if tc.spoil != nil {
				tc.spoil(t, dir)
			}
			s, served, logs := restore(t, dir, start.Add(tc.at))
			defer closeStore(t, s)
			v := served.View()
			if v.State != tc.state {
				t.Errorf("state: got %s, want %s", v.State, tc.state)
			}
			if tc.expires != 0 && v.Expires.Sub(start.Add(tc.expires)).Abs() > time.Millisecond {
				t.Errorf("expires: got %s, want %s after the start", v.Expires.Sub(start), tc.expires)
			}
			if logs.FilterMessage(tc.log).Len() != 1 {
				t.Errorf("log: got %v, want one %q", logs.All(), tc.log)
			}
			if tc.state == StateServing {
				var n wire.Suffixes
				n.Set(wiretest.Name(t, "ns.example.org."), s.Seed())
				if m := v.Zone.Find(&n); !m.Exact {
					t.Error("ns.example.org. is not found in the restored zone")
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, at int64, size int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xA5", size)), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCrash: what has been published is there although nothing was closed.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir, after := t.TempDir(), t.TempDir()
	s, _ := openStore(t, dir)
	defer closeStore(t, s)
	now := time.Now()
	if err := s.Publish(s.Configure(zoneID, apex), version(t, s, 5), confirmed(now)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	restored, served, _ := restore(t, after, now.Add(time.Minute))
	defer closeStore(t, restored)
	if v := served.View(); v.State != StateServing || v.Serial != 5 {
		t.Errorf("after a crash: %+v", v)
	}
}

// TestUnsaved: a disk that refuses a copy does not keep it from being served,
// and gets it when it can take it.
func TestUnsaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, logs := openStore(t, dir)
	defer closeStore(t, s)
	served := s.Configure(zoneID, apex)
	// A file where a folder belongs is in the way even of root.
	blocker := filepath.Join(dir, "copies", "segments")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(served, version(t, s, 5), confirmed(time.Now())); err != nil {
		t.Fatal(err)
	}
	if v := served.View(); v.State != StateServing || !served.Unsaved() {
		t.Errorf("with the disk refusing: %+v, unsaved %v", v, served.Unsaved())
	}
	if logs.FilterLevelExact(zapcore.ErrorLevel).Len() == 0 {
		t.Error("nobody was told")
	}
	remove(t, blocker)
	s.saveUnsaved()
	if served.Unsaved() {
		t.Error("still unsaved though the disk is well")
	}
	copyFile(t, dir)
}

// TestOrphans: what is left of zones that were removed while the process ended
// does not come back when their id is used again.
func TestOrphans(t *testing.T) {
	t.Parallel()
	start := time.Now()
	dir := filled(t, start)
	s, _ := openStore(t, dir)
	if err := s.Restore(t.Context(), nil, start); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s, served, _ := restore(t, dir, start)
	defer closeStore(t, s)
	if v := served.View(); v.State != StateEmpty {
		t.Errorf("a removed zone came back: %+v", v)
	}
}

func TestRunFlushes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Publish(s.Configure(zoneID, apex), version(t, s, 5), confirmed(time.Now())); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	timers, err := s.timers.load()
	if err != nil || timers[zoneID].timers().Confirmed.IsZero() {
		t.Errorf("timers after Run: %v, %v", timers, err)
	}
	closeStore(t, s)
}

// TestExpireWhileWritten: who has a zone expire does not wait for a large version
// to be written.
func TestExpireWhileWritten(t *testing.T) {
	t.Parallel()
	s, served, _ := restore(t, t.TempDir(), time.Now())
	defer closeStore(t, s)
	if err := s.Publish(served, version(t, s, 1), confirmed(time.Now())); err != nil {
		t.Fatal(err)
	}
	served.writing.Lock()
	told := make(chan bool, 1)
	go func() { told <- s.Expire(served) }()
	select {
	case done := <-told:
		if done || served.View().State != StateServing {
			t.Errorf("expired %v, %s", done, served.View().State)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits")
	}
	served.writing.Unlock()
	if !s.Expire(served) || served.View().State != StateExpired {
		t.Errorf("not expired afterwards: %s", served.View().State)
	}
}

// TestConfirmedTooLate: a copy that expired while its primary was asked stays expired,
// and nothing says that it has time left.
func TestConfirmedTooLate(t *testing.T) {
	t.Parallel()
	s, served, _ := restore(t, t.TempDir(), time.Now())
	defer closeStore(t, s)
	expired, now := time.Now().Add(-time.Second), time.Now()
	if err := s.Publish(served, version(t, s, 1), Timers{Checked: expired, Confirmed: expired, Expires: expired}); err != nil {
		t.Fatal(err)
	}
	s.Expire(served)
	s.Confirm(served, confirmed(now))
	if v := served.View(); v.State != StateExpired || !v.Expires.Equal(expired) || !v.Checked.Equal(now) {
		t.Errorf("got %+v", v)
	}
}

// TestRestoreFails: a start that can't go on says why, and one that is called off ends.
func TestRestoreFails(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t, t.TempDir())
	defer closeStore(t, s)
	impossible := []Configured{{ID: zoneID, Apex: "a..example."}}
	if err := s.Restore(t.Context(), impossible, time.Now()); err == nil || !strings.Contains(err.Error(), zoneID) {
		t.Errorf("an impossible name: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Restore(ctx, []Configured{{ID: zoneID, Apex: apex.String()}}, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}
