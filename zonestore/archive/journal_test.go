package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// TestAppend journals deltas onto small and large copies, synced or not; each is
// there after a crash.
func TestAppend(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a := openClean(t, dir)
		defer closeArchive(t, a)
		z := testZone(t, 5, texts)
		save(t, a, id, z)
		for range 4 {
			z = journal(t, a, id, z)
			if _, err := os.Stat(ownFile(dir, id)); (err == nil) != (texts > 0) {
				t.Errorf("the file that a delta continues: %v, want it to be on disk", err)
			}
			for _, at := range []string{dir, copyArchive(t, dir)} {
				b := a
				if at != dir {
					b = openClean(t, at)
					defer closeArchive(t, b)
				}
				got, meta, err := b.Load(id, seed)
				if err != nil || got.Serial() != z.Serial() || got.Records() != z.Records() || !meta.Received.Equal(received.Add(time.Hour)) {
					t.Fatalf("serial %d: got %s of %+v, %v", z.Serial(), describe(got), meta, err)
				}
			}
		}
		save(t, a, id, testZone(t, 5, 1)) // older, as force_axfr may
		wantSerial(t, a, id, 5)
		journal(t, a, id, testZone(t, 5, 1))
		wantSerial(t, a, id, 6)
		after := openClean(t, copyArchive(t, dir))
		defer closeArchive(t, after)
		wantSerial(t, after, id, 6)
	})
}

func TestNeedsCopy(t *testing.T) {
	t.Parallel()
	meta := Meta{ID: id, Received: received}
	for name, tc := range map[string]struct {
		before  func(t *testing.T, a *Archive, z *zone.Zone)
		from    uint32
		changes int // octets
	}{
		"no copy":           {func(*testing.T, *Archive, *zone.Zone) {}, 5, 10},
		"another serial":    {func(t *testing.T, a *Archive, z *zone.Zone) { save(t, a, id, z) }, 6, 10},
		"the base's serial": {func(t *testing.T, a *Archive, z *zone.Zone) { save(t, a, id, z); journal(t, a, id, z) }, 5, 10},
		"a deleted copy": {func(t *testing.T, a *Archive, z *zone.Zone) {
			save(t, a, id, z)
			if err := a.Delete(id); err != nil {
				t.Error(err)
			}
		}, 5, 10},
		"outweighs the base":   {func(t *testing.T, a *Archive, z *zone.Zone) { save(t, a, id, z) }, 5, minChain},
		"too large for a file": {func(t *testing.T, a *Archive, z *zone.Zone) { save(t, a, id, z) }, 5, maxPayload + 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := openClean(t, dir)
			defer closeArchive(t, a)
			tc.before(t, a, testZone(t, 5, 0))
			before := len(copySegment(t, dir))
			if err := a.Append(meta, tc.from, tc.from+1, make([]byte, tc.changes)); !errors.Is(err, ErrNeedsCopy) {
				t.Errorf("got %v", err)
			}
			if after := len(copySegment(t, dir)); after != before {
				t.Errorf("the segment grew from %d to %d octets", before, after)
			}
		})
	}
}

// copySegment returns the octets of the first segment, none if there is none.
func copySegment(t testing.TB, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, folder, segmentName(1)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return data
}

// TestChainBound: a zone that changes for ever is saved whole now and then.
func TestChainBound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	defer closeArchive(t, a)
	z := testZone(t, 1, 0)
	save(t, a, id, z)
	for range maxLinks {
		n, changes := next(t, z)
		err := a.Append(Meta{ID: id, Received: received}, z.Serial(), n.Serial(), changes)
		if errors.Is(err, ErrNeedsCopy) {
			if size := len(copySegment(t, dir)); size < minChain || size > minChain+4<<10 {
				t.Errorf("the journal has %d octets", size)
			}
			wantSerial(t, a, id, z.Serial())
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		z = n
	}
	t.Errorf("serial %d, and no whole copy was called for", z.Serial())
}

// TestUnfit: deltas that are whole but don't fit the base make the copy damaged.
func TestUnfit(t *testing.T) {
	t.Parallel()
	good := testZone(t, 5, 0)
	_, changes := next(t, good)
	for name, tc := range map[string]struct {
		changes []byte
		to      uint32
	}{
		"no changes at all":    {[]byte("what is this"), 6},
		"another serial":       {changes, 7},
		"of another version":   {func() []byte { _, c := next(t, testZone(t, 8, 0)); return c }(), 9},
		"cut inside a change":  {changes[:len(changes)-3], 6},
		"no SOA is left there": {deleteSOA(t, good), 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := openClean(t, dir)
			save(t, a, "another", good)
			save(t, a, id, good)
			if err := a.Append(Meta{ID: id, Received: received}, 5, tc.to, tc.changes); err != nil {
				t.Fatal(err)
			}
			_, _, err := a.Load(id, seed)
			damaged, ok := errors.AsType[*DamagedError](err)
			if !ok || !errors.Is(err, zone.ErrDamaged) {
				t.Fatalf("got %v", err)
			}
			wantNone(t, a, id)
			syncNow(t, a)
			readFile(t, filepath.Join(dir, damaged.Aside))
			closeArchive(t, a)
			a = openClean(t, dir)
			wantNone(t, a, id)
			wantSerial(t, a, "another", 5)
			closeArchive(t, a)
		})
	}
}

func deleteSOA(t testing.TB, z *zone.Zone) []byte {
	t.Helper()
	d := zone.NewDelta(z, zone.Limits{})
	if err := d.Delete(apex, wire.TypeSOA, soa(z.Serial())); err != nil {
		t.Fatal(err)
	}
	return d.Changes()
}

// TestGroupCommit: whoever writes while an fsync runs shares the next.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	const zones = 50
	var counting atomic.Bool
	var syncs, written atomic.Int32
	a, _, err := openSyncing(t.TempDir(), 1, func(*os.File) error {
		if counting.Load() && syncs.Add(1) == 1 {
			for written.Load() < zones && !t.Failed() { // the disk takes its time
				runtime.Gosched()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeArchive(t, a)
	base := testZone(t, 1, 0)
	n, changes := next(t, base)
	for i := range zones {
		save(t, a, fmt.Sprint(i), base)
	}
	syncNow(t, a)
	counting.Store(true)
	var wg sync.WaitGroup
	for i := range zones {
		wg.Go(func() {
			if err := a.Append(Meta{ID: fmt.Sprint(i)}, 1, n.Serial(), changes); err != nil {
				t.Error(err)
			}
		})
	}
	for written.Load() < zones && !t.Failed() {
		written.Store(int32(chains(a)))
		runtime.Gosched()
	}
	wg.Wait()
	if got := syncs.Load(); got > 2 {
		t.Errorf("%d fsyncs for %d deltas, want at most 2", got, zones)
	}
	for i := range zones {
		wantSerial(t, a, fmt.Sprint(i), 2)
	}
}

// chains counts the zones with deltas.
func chains(a *Archive) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.index.entries {
		if e.chain != nil {
			n++
		}
	}
	return n
}

// TestSaveSync: copies that arrive together share one fsync.
func TestSaveSync(t *testing.T) {
	t.Parallel()
	syncs := 0
	a, _, err := openSyncing(t.TempDir(), 1, func(*os.File) error { syncs++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer closeArchive(t, a)
	z := testZone(t, 1, 0)
	save(t, a, "the first", z) // makes the segment
	syncNow(t, a)
	syncs = 0
	for i := range 1000 {
		save(t, a, fmt.Sprint(i), z)
	}
	syncNow(t, a)
	syncNow(t, a)
	if syncs != 1 {
		t.Errorf("%d fsyncs for 1000 copies", syncs)
	}
}

var errDisk = errors.New("the disk is broken")

// TestFailedSync: after a failed fsync nothing is taken for written; what was
// written there comes to lie in a new segment.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var failing atomic.Bool
	a, _, err := openSyncing(dir, 1, func(*os.File) error {
		if failing.Load() {
			return errDisk
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	base := testZone(t, 1, 0)
	save(t, a, id, base)
	failing.Store(true)
	n, changes := next(t, base)
	if err := a.Append(Meta{ID: id}, 1, n.Serial(), changes); !errors.Is(err, errDisk) {
		t.Errorf("append: got %v", err)
	}
	if err := a.Sync(); !errors.Is(err, errDisk) {
		t.Errorf("sync: got %v", err)
	}
	if err := a.Save(Meta{ID: "another", Received: received}, base); !errors.Is(err, errDisk) {
		t.Errorf("save to a new segment: got %v", err)
	}
	failing.Store(false)
	syncNow(t, a)
	syncNow(t, a)
	save(t, a, "another", base)
	if _, err := os.Stat(filepath.Join(dir, folder, segmentName(1))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the segment that could not be synced: %v", err)
	}
	wantSerial(t, a, id, 2)
	closeArchive(t, a)
	a = openClean(t, dir)
	wantSerial(t, a, id, 2)
	wantSerial(t, a, "another", 1)
	closeArchive(t, a)
}
