package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"secondaryd/zonestore/zone"
)

// openKeeping opens an archive that keeps so many versions.
func openKeeping(t testing.TB, dir string, versions int) (*Archive, Recovery) {
	t.Helper()
	a, found, err := openSyncing(dir, versions, func(*os.File) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return a, found
}

// eachSize runs a test with copies that lie in segments, and with such as have files
// of their own.
func eachSize(t *testing.T, test func(t *testing.T, texts int)) {
	t.Helper()
	for name, texts := range map[string]int{"small": 0, "large": largeTexts} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, texts)
		})
	}
}

func serialsOf(t testing.TB, a *Archive, id string) (serials []uint32) {
	t.Helper()
	list, err := a.Versions(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		serials = append(serials, v.Serial)
	}
	return serials
}

func wantVersions(t testing.TB, a *Archive, id string, want ...uint32) {
	t.Helper()
	if got := serialsOf(t, a, id); !slices.Equal(got, want) {
		t.Errorf("zone %s: versions %v are kept, want %v", id, got, want)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		a, _ := openKeeping(t, t.TempDir(), 3)
		defer closeArchive(t, a)
		if _, err := a.Versions(id); !errors.Is(err, ErrNone) {
			t.Errorf("without a copy: %v", err)
		}
		save(t, a, id, testZone(t, 1, texts))
		wantVersions(t, a, id, 1)
		z := testZone(t, 4, texts)
		save(t, a, id, z)
		wantVersions(t, a, id, 4, 1)
		z = journal(t, a, id, z)
		wantVersions(t, a, id, 5, 4, 1)
		journal(t, a, id, z)
		wantVersions(t, a, id, 6, 5, 4)
		list, _ := a.Versions(id)
		if !list[0].Changes || !list[0].Received.Equal(received.Add(3600e9)) || list[2].Changes || !list[2].Received.Equal(received) {
			t.Errorf("got %+v", list)
		}
		if _, _, err := a.LoadVersion(id, 1, seed); !errors.Is(err, ErrNoVersion) {
			t.Errorf("one before the last three: %v", err)
		}
		mustDelete(t, a, id)
		save(t, a, id, testZone(t, 9, texts))
		wantVersions(t, a, id, 9)
	})
}

// TestVersionsBound: a history takes no more than twice the copy, but for the
// generation before it, whatever that takes.
func TestVersionsBound(t *testing.T) {
	t.Parallel()
	a, _ := openKeeping(t, t.TempDir(), 10)
	defer closeArchive(t, a)
	for serial := range uint32(6) {
		save(t, a, id, testZone(t, serial, largeTexts))
	}
	wantVersions(t, a, id, 5, 4, 3)
	save(t, a, id, testZone(t, 6, 0)) // what a broken primary may give
	wantVersions(t, a, id, 6, 5)
	save(t, a, id, testZone(t, 7, 0))
	wantVersions(t, a, id, 7, 6)
}

// TestVersionsAfterRemoval: what a zone had before it was removed is no history
// of the one that has its id next, wherever a crash falls.
func TestVersionsAfterRemoval(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a, _ := openKeeping(t, dir, 5)
		save(t, a, id, testZone(t, 1, texts))
		syncNow(t, a)
		save(t, a, id, testZone(t, 2, texts))
		seal(a)
		mustDelete(t, a, id)
		save(t, a, id, testZone(t, 3, texts))
		seal(a)
		save(t, a, id, testZone(t, 4, texts))
		for range 4 {
			wantVersions(t, a, id, 4, 3)
			crashed, _ := openKeeping(t, copyArchive(t, dir), 5)
			wantVersions(t, crashed, id, 4, 3)
			closeArchive(t, crashed)
			syncNow(t, a)
		}
		closeArchive(t, a)
	})
}

// TestFewerVersions: with a lower setting what is no longer kept goes.
func TestFewerVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 3)
	for serial := range uint32(3) {
		save(t, a, id, testZone(t, serial, largeTexts))
	}
	wantVersions(t, a, id, 2, 1, 0)
	closeArchive(t, a)
	a, _ = openKeeping(t, dir, 1)
	wantVersions(t, a, id, 2)
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	save(t, a, id, testZone(t, 3, largeTexts))
	wantVersions(t, a, id, 3)
	closeArchive(t, a)
}

// TestRollback: what was gone back from stays known, whatever is kept otherwise,
// until another version comes.
func TestRollback(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a, _ := openKeeping(t, dir, 3)
		for serial := range uint32(3) {
			save(t, a, id, testZone(t, serial, texts))
		}
		rollBack(t, a, 1)
		wantVersions(t, a, id, 2, 1, 0)
		rollBack(t, a, 0)
		wantVersions(t, a, id, 2, 1, 0)
		for _, versions := range []int{3, 1} {
			crashed, _ := openKeeping(t, copyArchive(t, dir), versions)
			z, meta, err := crashed.Load(id, seed)
			if err != nil || z.Serial() != 0 || !meta.RolledBack {
				t.Errorf("got %s of %+v, %v", describe(z), meta, err)
			}
			wantRolledBack(t, crashed, 2)
			closeArchive(t, crashed)
		}
		z := journal(t, a, id, testZone(t, 0, texts)) // a serial that there was
		wantVersions(t, a, id, 1, 0, 2)
		if _, _, ok := a.RolledBack(id); ok || z.Serial() != 1 {
			t.Error("a version has come, and the rollback is still in force")
		}
		closeArchive(t, a)
		a, _ = openKeeping(t, dir, 3)
		wantVersions(t, a, id, 1, 0, 2)
		closeArchive(t, a)
	})
}

func rollBack(t *testing.T, a *Archive, serial uint32) {
	t.Helper()
	z, _, err := a.LoadVersion(id, serial, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Rollback(Meta{ID: id, Received: received}, z); err != nil {
		t.Fatal(err)
	}
	wantSerial(t, a, id, serial)
	wantRolledBack(t, a, 2)
}

func wantRolledBack(t *testing.T, a *Archive, want uint32) {
	t.Helper()
	if from, since, ok := a.RolledBack(id); !ok || from != want || !since.Equal(received) {
		t.Errorf("rolled back from %d at %s, %v; want %d", from, since, ok, want)
	}
}

// TestDamagedVersion: damage of an older generation ends the history there, is
// said, and leaves the copy as it is.
func TestDamagedVersion(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a, _ := openKeeping(t, dir, 4)
		for serial := range uint32(3) {
			save(t, a, id, testZone(t, serial, texts))
			seal(a)
		}
		save(t, a, id, testZone(t, 3, texts))
		syncNow(t, a)
		path := filepath.Join(dir, folder, segmentName(2))
		if texts > 0 {
			path = filepath.Join(dir, folder, oldFile{keyOf(id), 2}.name())
		}
		data := readFile(t, path)
		data[len(data)-1] ^= 1
		writeFile(t, path, data)

		crashed, found := openKeeping(t, copyArchive(t, dir), 4)
		if texts == 0 {
			wantVersions(t, crashed, id, 3, 2)
			if len(found.Faults) != 1 || found.Doubtful {
				t.Errorf("found at the start: %+v", found)
			}
		}
		wantSerial(t, crashed, id, 3)
		closeArchive(t, crashed)

		_, _, err := a.LoadVersion(id, 1, seed)
		if damaged, ok := errors.AsType[*DamagedError](err); !ok || !errors.Is(err, zone.ErrDamaged) {
			t.Errorf("got %v", err)
		} else if !strings.HasSuffix(damaged.Aside, asideDamaged) {
			t.Errorf("set aside as %s", damaged.Aside)
		}
		wantVersions(t, a, id, 3, 2)
		wantSerial(t, a, id, 3)
		for range 4 {
			syncNow(t, a)
		}
		wantVersions(t, a, id, 3, 2)
		closeArchive(t, a)
		a, found = openKeeping(t, dir, 4)
		wantVersions(t, a, id, 3, 2)
		if found.Faults != nil {
			t.Errorf("found at the next start: %+v", found)
		}
		closeArchive(t, a)
	})
}

// TestReclaimedDamage: a record of an older generation that turns out to be
// damaged when its segment is reclaimed costs the history alone.
func TestReclaimedDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 2)
	save(t, a, "other", testZone(t, 1, 30))
	save(t, a, "other", testZone(t, 2, 30))
	save(t, a, id, testZone(t, 1, 0))
	seal(a)
	save(t, a, "other", testZone(t, 3, 30))
	save(t, a, "other", testZone(t, 4, 30))
	save(t, a, id, testZone(t, 2, 0))
	path := filepath.Join(dir, folder, segmentName(1))
	data := readFile(t, path)
	data[len(data)-1] ^= 1
	writeFile(t, path, data)
	_, isDamage := errors.AsType[*DamagedError](a.Sync())
	if !isDamage {
		t.Error("the damage is not reported")
	}
	wantVersions(t, a, id, 2)
	wantVersions(t, a, "other", 4, 3)
	wantSerial(t, a, id, 2)
	closeArchive(t, a)
}

// TestStrayOldFiles: what a crash leaves between two steps goes at the start.
func TestStrayOldFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 3)
	save(t, a, id, testZone(t, 1, largeTexts))
	closeArchive(t, a)
	copied := readFile(t, ownFile(dir, id))
	stray := oldFile{keyOf(id), 1}
	writeFile(t, filepath.Join(dir, folder, stray.name()), copied) // named, and then the crash
	gone := oldFile{keyOf("gone"), 7}
	writeFile(t, filepath.Join(dir, folder, gone.name()), copied)
	a, found := openKeeping(t, dir, 3)
	if len(found.Faults) != 1 || found.Doubtful {
		t.Errorf("a file with another zone's copy: found %+v", found)
	}
	wantVersions(t, a, id, 1)
	wantNone(t, a, "gone")
	if left := files(t, dir); len(left) != 2 || !slices.Contains(left, gone.name()+asideDamaged) {
		t.Errorf("left: %v", left)
	}
	closeArchive(t, a)
}

// TestNoHistoryCostsNothing: an entry is what it is without older generations.
func TestNoHistoryCostsNothing(t *testing.T) {
	t.Parallel()
	a, _ := openKeeping(t, t.TempDir(), 3)
	defer closeArchive(t, a)
	save(t, a, id, testZone(t, 1, 0))
	if e := a.index.entries[keyOf(id)]; e.chain != nil {
		t.Errorf("one version alone takes more than its entry: %+v", e.chain)
	}
}

// TestVersionWhileReclaimed: an older version is found wherever it is just then.
func TestVersionWhileReclaimed(t *testing.T) {
	t.Parallel()
	a, _ := openKeeping(t, t.TempDir(), 3)
	defer closeArchive(t, a)
	save(t, a, id, testZone(t, 1, 30))
	save(t, a, id, testZone(t, 2, 30))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 40 {
			seal(a)
			save(t, a, "other", testZone(t, 1, 100))
			save(t, a, "other", testZone(t, 1, 100))
			syncNow(t, a)
		}
	}()
	for range 300 {
		z, _, err := a.LoadVersion(id, 1, seed)
		if err != nil || z.Serial() != 1 {
			t.Errorf("got %s, %v", describe(z), err)
		}
		wantVersions(t, a, id, 2, 1)
	}
	<-done
}

// TestWithoutLinks: where a large copy can't get a second name, it has no history,
// and nobody goes back from it: a restart would not know.
func TestWithoutLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 3)
	defer closeArchive(t, a)
	save(t, a, id, testZone(t, 1, 0))
	save(t, a, id, testZone(t, 2, largeTexts))
	syncNow(t, a)
	// A folder that is not empty is in the way even of root, and no link.
	blocker := filepath.Join(dir, folder, fileName(keyOf(id)))
	if err := errors.Join(os.Remove(blocker), os.Mkdir(blocker, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := a.Rollback(Meta{ID: id, Received: received}, testZone(t, 1, 0)); err == nil {
		t.Error("went back from a version that can't be kept")
	}
	if _, _, ok := a.RolledBack(id); ok || a.index.entries[keyOf(id)].serial != 2 {
		t.Error("it is the copy all the same")
	}
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	save(t, a, id, testZone(t, 3, 0))
	wantVersions(t, a, id, 3)
}

// TestRollbackPowerCut: when a rollback has returned, a power cut loses neither
// the copy nor what was gone back from, be that just saved itself.
func TestRollbackPowerCut(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string]int{"to a small one": 0, "to a large one": largeTexts} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			disk := &reached{inodes: map[uint64]bool{}, names: map[string]bool{}}
			a, _, err := openSyncing(dir, 3, disk.sync)
			if err != nil {
				t.Fatal(err)
			}
			save(t, a, id, testZone(t, 1, texts))
			save(t, a, id, testZone(t, 2, largeTexts))
			z, _, err := a.LoadVersion(id, 1, seed)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Rollback(Meta{ID: id, Received: received}, z); err != nil {
				t.Fatal(err)
			}
			after := copyArchive(t, dir)
			for _, name := range files(t, dir) {
				if !disk.has(t, filepath.Join(dir, folder, name)) {
					t.Logf("lost: %s", name)
					if err := os.Remove(filepath.Join(after, folder, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			closeArchive(t, a)
			a, _ = openKeeping(t, after, 3)
			defer closeArchive(t, a)
			wantSerial(t, a, id, 1)
			wantRolledBack(t, a, 2)
		})
	}
}

// reached knows which files have reached the disk, and under which names.
type reached struct {
	inodes map[uint64]bool
	names  map[string]bool
}

func (r *reached) sync(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.inodes[info.Sys().(*syscall.Stat_t).Ino] = true
	if !info.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(f.Name())
	for _, e := range entries {
		r.names[filepath.Join(f.Name(), e.Name())] = true
	}
	return err
}

func (r *reached) has(t *testing.T, path string) bool {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return r.names[path] && r.inodes[info.Sys().(*syscall.Stat_t).Ino]
}

// TestDamagedOldFile: the file of an earlier version that can't be read at the
// start is kept for whoever wants to know why.
func TestDamagedOldFile(t *testing.T) {
	t.Parallel()
	for suffix, octet := range map[string]int{asideDamaged: len(fileMagic), asideVersion: len(fileMagic) - 1} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, _ := openKeeping(t, dir, 3)
			save(t, a, id, testZone(t, 1, largeTexts))
			save(t, a, id, testZone(t, 2, largeTexts))
			closeArchive(t, a)
			path := filepath.Join(dir, folder, oldFile{keyOf(id), 1}.name())
			data := readFile(t, path)
			data[octet] += 0x40
			writeFile(t, path, data)
			a, found := openKeeping(t, dir, 3)
			defer closeArchive(t, a)
			if len(found.Faults) != 1 || found.Doubtful {
				t.Fatalf("found %+v", found)
			}
			damaged, ok := errors.AsType[*DamagedError](found.Faults[0])
			if !ok || !strings.HasSuffix(damaged.Aside, suffix) {
				t.Fatalf("got %v", found.Faults[0])
			}
			if !slices.Equal(readFile(t, filepath.Join(dir, damaged.Aside)), data) {
				t.Errorf("%s is not the file", damaged.Aside)
			}
			wantVersions(t, a, id, 2)
		})
	}
}

// TestVersionsClosed: who asks a closed archive is told, and does not ask for ever.
func TestVersionsClosed(t *testing.T) {
	t.Parallel()
	a, _ := openKeeping(t, t.TempDir(), 3)
	save(t, a, id, testZone(t, 1, 0))
	save(t, a, id, testZone(t, 2, 0))
	rollBack(t, a, 1)
	closeArchive(t, a)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := a.Versions(id); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("versions: %v", err)
		}
		if _, _, err := a.LoadVersion(id, 2, seed); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("version: %v", err)
		}
		a.RolledBack(id)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("it is asked for ever")
	}
}

// TestVersionsAfterFailedRemoval: nor if its copy could not be deleted, since the
// disk was full.
func TestVersionsAfterFailedRemoval(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a, _ := openKeeping(t, dir, 5)
		save(t, a, id, testZone(t, 1, 0))
		save(t, a, id, testZone(t, 2, texts))
		rollBack(t, a, 1)
		full, err := os.Open(filepath.Join(dir, folder, segmentName(1)))
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		disk := a.current.file
		a.current.file = full
		if err := a.Delete(id); err == nil {
			t.Fatal("deleted")
		}
		a.current.file = disk
		if _, _, ok := a.RolledBack(id); ok {
			t.Error("the next zone of that id is rolled back")
		}
		if list, err := a.Versions(id); !errors.Is(err, ErrNone) {
			t.Errorf("versions %v, %v", list, err)
		}
		if err := a.Append(Meta{ID: id}, 1, 2, nil); !errors.Is(err, ErrNeedsCopy) {
			t.Errorf("a delta: %v", err)
		}
		save(t, a, id, testZone(t, 3, texts))
		wantVersions(t, a, id, 3)
		closeArchive(t, a)
		a, _ = openKeeping(t, dir, 5)
		wantVersions(t, a, id, 3)
		closeArchive(t, a)
	})
}

// TestVersionsBehindDamage: an older generation of which not even the head can be
// read keeps nobody from those before it.
func TestVersionsBehindDamage(t *testing.T) {
	t.Parallel()
	eachSize(t, func(t *testing.T, texts int) {
		dir := t.TempDir()
		a, _ := openKeeping(t, dir, 4)
		defer closeArchive(t, a)
		save(t, a, id, testZone(t, 1, texts))
		save(t, a, id, testZone(t, 2, texts))
		save(t, a, id, testZone(t, 3, texts))
		path, at := filepath.Join(dir, folder, segmentName(1)), segmentHead+len(mark{})
		if texts > 0 {
			path, at = filepath.Join(dir, folder, oldFile{keyOf(id), 1}.name()), len(fileMagic)
		}
		data := readFile(t, path)
		data[at] ^= 1
		writeFile(t, path, data)
		list, err := a.Versions(id)
		if damaged, ok := errors.AsType[*DamagedError](err); !ok || !strings.HasSuffix(damaged.Aside, asideDamaged) {
			t.Errorf("got %v", err)
		}
		if len(list) != 2 {
			t.Errorf("got %+v", list)
		}
		wantVersions(t, a, id, 3, 2)
	})
}
