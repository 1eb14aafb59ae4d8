package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

const (
	id   = "023e105f4ecef8ad9ca31a8372d0c353"
	seed = 7
)

var (
	apex     = wire.Name("\x07example\x00")
	received = time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)
)

func soa(serial uint32) []byte {
	b := make([]byte, 22)
	binary.BigEndian.PutUint32(b[2:], serial)
	return b
}

// testZone makes a zone with that serial and texts of 250 octets.
func testZone(t testing.TB, serial uint32, texts int) *zone.Zone {
	t.Helper()
	b, err := zone.NewBuilder(apex, seed, zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(apex, wire.TypeSOA, 60, soa(serial)); err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		text := make([]byte, 251)
		text[0] = 250
		binary.BigEndian.PutUint32(text[1:], uint32(i))
		owner := append([]byte{4}, fmt.Sprintf("%04d", i)...)
		if err := b.Add(append(owner, apex...), wire.TypeTXT, 60, text); err != nil {
			t.Fatal(err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// largeTexts make a zone that has a file of its own.
const largeTexts = 1200

// next makes the version of z with the next serial, and the changes to it.
func next(t testing.TB, z *zone.Zone) (*zone.Zone, []byte) {
	t.Helper()
	d := zone.NewDelta(z, zone.Limits{})
	if err := d.Delete(apex, wire.TypeSOA, soa(z.Serial())); err != nil {
		t.Fatal(err)
	}
	if err := d.Add(apex, wire.TypeSOA, 60, soa(z.Serial()+1)); err != nil {
		t.Fatal(err)
	}
	changes := slices.Clone(d.Changes())
	n, err := d.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return n, changes
}

// openArchive opens an archive that spares the disk: what these tests see is
// the same without fsync.
func openArchive(t testing.TB, dir string) (*Archive, Recovery) {
	t.Helper()
	a, found, err := openSyncing(dir, 1, func(*os.File) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return a, found
}

// openClean opens an archive in which there is nothing amiss.
func openClean(t testing.TB, dir string) *Archive {
	t.Helper()
	a, found := openArchive(t, dir)
	if found.Torn != 0 || found.Faults != nil || found.Doubtful {
		t.Errorf("found at the start: %+v", found)
	}
	return a
}

func closeArchive(t testing.TB, a *Archive) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func save(t testing.TB, a *Archive, id string, z *zone.Zone) {
	t.Helper()
	if err := a.Save(Meta{ID: id, Received: received}, z); err != nil {
		t.Fatal(err)
	}
}

// journal appends the next version of z and returns it.
func journal(t testing.TB, a *Archive, id string, z *zone.Zone) *zone.Zone {
	t.Helper()
	n, changes := next(t, z)
	if err := a.Append(Meta{ID: id, Received: received.Add(time.Hour)}, z.Serial(), n.Serial(), changes); err != nil {
		t.Fatal(err)
	}
	return n
}

func syncNow(t testing.TB, a *Archive) {
	t.Helper()
	if err := a.Sync(); err != nil {
		t.Fatal(err)
	}
}

// wantSerial checks which version of a zone is loaded.
func wantSerial(t testing.TB, a *Archive, id string, serial uint32) {
	t.Helper()
	z, meta, err := a.Load(id, seed)
	if err != nil || z.Serial() != serial || meta.ID != id {
		t.Errorf("zone %s: got %s of %+v, %v; want serial %d", id, describe(z), meta, err, serial)
	}
}

func wantNone(t testing.TB, a *Archive, id string) {
	t.Helper()
	if _, _, err := a.Load(id, seed); !errors.Is(err, ErrNone) {
		t.Errorf("zone %s: got %v, want no copy", id, err)
	}
}

// files lists the files below an archive's folder, by their names.
func files(t testing.TB, dir string) []string {
	t.Helper()
	root := filepath.Join(dir, folder)
	var names []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			name, _ := filepath.Rel(root, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// copyArchive returns a folder with what a crash at this moment leaves.
func copyArchive(t testing.TB, dir string) string {
	t.Helper()
	after := t.TempDir()
	if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return after
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSaveLoadDelete saves small and large versions in turn: each is there at
// once, after a crash, and after an orderly end.
func TestSaveLoadDelete(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string][]int{
		"small": {0, 1, 2}, "large": {largeTexts, largeTexts}, "growing": {0, largeTexts}, "shrinking": {largeTexts, 0, 1},
		"changing": {0, largeTexts, 0, largeTexts, largeTexts, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, syncs := range []bool{false, true} {
				testSaveLoadDelete(t, texts, syncs)
			}
		})
	}
}

func testSaveLoadDelete(t *testing.T, texts []int, syncs bool) {
	t.Helper()
	dir := t.TempDir()
	a := openClean(t, dir)
	wantNone(t, a, id)
	for i, n := range texts {
		serial := uint32(i + 1)
		save(t, a, id, testZone(t, serial, n))
		wantSerial(t, a, id, serial)
		crashed := openClean(t, copyArchive(t, dir))
		wantSerial(t, crashed, id, serial)
		closeArchive(t, crashed)
		if syncs {
			syncNow(t, a)
			wantSerial(t, a, id, serial)
		}
	}
	closeArchive(t, a)
	a = openClean(t, dir)
	z, meta, err := a.Load(id, seed)
	if err != nil || z.Serial() != uint32(len(texts)) || !meta.Received.Equal(received) {
		t.Errorf("got %s of %+v, %v", describe(z), meta, err)
	}
	for range 2 { // deleting what is not there is no fault
		if err := a.Delete(id); err != nil {
			t.Error(err)
		}
		wantNone(t, a, id)
	}
	closeArchive(t, a)
	a = openClean(t, dir)
	wantNone(t, a, id)
	syncNow(t, a)
	if left := files(t, dir); len(left) > 1 {
		t.Errorf("left on disk: %v", left)
	}
	closeArchive(t, a)
}

// TestEmpty: nothing is allocated before it is needed.
func TestEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	syncNow(t, a)
	closeArchive(t, a)
	if left := files(t, dir); left != nil {
		t.Errorf("files of an empty archive: %v", left)
	}
}

func TestLongID(t *testing.T) {
	t.Parallel()
	a := openClean(t, t.TempDir())
	defer closeArchive(t, a)
	for _, texts := range []int{0, largeTexts} {
		if err := a.Save(Meta{ID: string(make([]byte, maxID+1)), Received: received}, testZone(t, 1, texts)); err == nil {
			t.Errorf("a zone id of %d octets was taken", maxID+1)
		}
		longest := string(make([]byte, maxID))
		save(t, a, longest, testZone(t, 1, texts))
		wantSerial(t, a, longest, 1)
	}
}
