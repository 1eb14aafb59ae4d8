package archive

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"secondaryd/zonestore/zone"
)

// seal has what follows written to another segment.
func seal(a *Archive) {
	a.write.Lock()
	defer a.write.Unlock()
	a.current = nil
}

func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, folder, segments, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	return names
}

// TestReclaim: a segment goes when less than half of it counts; what counts is
// kept, removals for as long as they hide something.
func TestReclaim(t *testing.T) {
	t.Parallel()
	z := testZone(t, 1, 0)
	for name, tc := range map[string]struct {
		then func(t *testing.T, a *Archive)
		want []string // segments after three Syncs
		held map[string]uint32
	}{
		"all counts":    {func(*testing.T, *Archive) {}, []string{"00000001"}, map[string]uint32{"a": 1, "b": 1, "c": 1}},
		"two thirds do": {func(t *testing.T, a *Archive) { save(t, a, "a", testZone(t, 2, 0)) }, []string{"00000001", "00000002"}, map[string]uint32{"a": 2, "b": 1, "c": 1}},
		"one third does": {func(t *testing.T, a *Archive) {
			save(t, a, "a", testZone(t, 2, 0))
			save(t, a, "b", testZone(t, 2, 0))
		}, []string{"00000002"}, map[string]uint32{"a": 2, "b": 2, "c": 1}},
		"a chain is moved": {func(t *testing.T, a *Archive) {
			journal(t, a, "c", journal(t, a, "c", z))
			mustDelete(t, a, "a")
			mustDelete(t, a, "b")
		}, []string{"00000002"}, map[string]uint32{"c": 3}},
		"a removal hides something": {func(t *testing.T, a *Archive) {
			mustDelete(t, a, "a")
			seal(a)
		}, []string{"00000001", "00000002"}, map[string]uint32{"b": 1, "c": 1}},
		"a removal is moved": {func(t *testing.T, a *Archive) {
			mustDelete(t, a, "a")
			save(t, a, "other", z)
			seal(a)
			save(t, a, "other", z)
		}, []string{"00000001", "00000003"}, map[string]uint32{"b": 1, "c": 1}},
		"nothing does": {func(t *testing.T, a *Archive) {
			for _, id := range []string{"a", "b", "c"} {
				mustDelete(t, a, id)
			}
		}, []string{"00000002"}, nil},
		"a large copy came": {func(t *testing.T, a *Archive) {
			for _, id := range []string{"a", "b", "c"} {
				save(t, a, id, testZone(t, 5, largeTexts))
			}
		}, nil, map[string]uint32{"a": 5, "b": 5, "c": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a := openClean(t, dir)
			for _, id := range []string{"a", "b", "c"} {
				save(t, a, id, z)
			}
			seal(a)
			tc.then(t, a)
			for range 3 {
				syncNow(t, a)
			}
			wantAll(t, a, tc.held)
			if got := segmentFiles(t, dir); !slices.Equal(got, tc.want) {
				t.Errorf("segments: got %v, want %v", got, tc.want)
			}
			closeArchive(t, a)
			a = openClean(t, dir)
			wantAll(t, a, tc.held)
			closeArchive(t, a)
		})
	}
}

// TestRemovalGoes: a removal goes when all that it hides has gone.
func TestRemovalGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	save(t, a, "a", testZone(t, 1, 0))
	seal(a)
	mustDelete(t, a, "a")
	seal(a)
	for range 3 {
		syncNow(t, a)
	}
	if left := segmentFiles(t, dir); left != nil || len(a.index.entries) != 0 {
		t.Errorf("left: %v, and %d zones in memory", left, len(a.index.entries))
	}
	closeArchive(t, a)
}

// TestLoadWhileReclaimed: readers find a zone wherever it is just then.
func TestLoadWhileReclaimed(t *testing.T) {
	t.Parallel()
	a := openClean(t, t.TempDir())
	defer closeArchive(t, a)
	z := testZone(t, 1, 0)
	save(t, a, "a", z)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				wantSerial(t, a, "a", 1)
			}
		}
	}()
	for i := range 200 {
		for j := range 3 {
			save(t, a, fmt.Sprint("other", j), testZone(t, uint32(i), 0))
		}
		seal(a)
		syncNow(t, a)
	}
	close(stop)
	<-done
}

// TestRot: a record that goes bad while the daemon runs is noticed when its
// segment is reclaimed.
func TestRot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	for _, id := range []string{"a", "b", "c"} {
		save(t, a, id, testZone(t, 1, 0))
	}
	seal(a)
	mustDelete(t, a, "a")
	mustDelete(t, a, "b")
	path := filepath.Join(dir, folder, segmentName(1))
	octets := readFile(t, path)
	octets[len(octets)-1]++
	writeFile(t, path, octets)
	if err := a.Sync(); err == nil {
		t.Error("nobody was told")
	}
	readFile(t, path+asideDamaged)
	wantAll(t, a, nil)
	closeArchive(t, a)
	a = openClean(t, dir)
	wantAll(t, a, nil)
	closeArchive(t, a)
}

// machine runs an archive beside a map of what it has to hold.
type machine struct {
	t        *testing.T
	dir      string
	archive  *Archive
	versions map[string]*zone.Zone
	serial   uint32
}

var modelIDs = []string{"a", "b", "c", "d", "e"}

func (m *machine) save(r *rapid.T) {
	id := rapid.SampledFrom(modelIDs).Draw(r, "id")
	texts := rapid.SampledFrom([]int{0, 1, 30, largeTexts}).Draw(r, "texts")
	m.serial += 100
	m.versions[id] = testZone(m.t, m.serial, texts)
	save(m.t, m.archive, id, m.versions[id])
}

func (m *machine) journal(r *rapid.T) {
	if len(m.versions) == 0 {
		r.Skip()
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.versions))).Draw(r, "id")
	m.versions[id] = journal(m.t, m.archive, id, m.versions[id])
}

func (m *machine) delete(r *rapid.T) {
	id := rapid.SampledFrom(modelIDs).Draw(r, "id")
	delete(m.versions, id)
	mustDelete(m.t, m.archive, id)
}

func (m *machine) sync(*rapid.T) { syncNow(m.t, m.archive) }
func (m *machine) seal(*rapid.T) { seal(m.archive) }

// reopen ends the process, in an orderly way or not.
func (m *machine) reopen(r *rapid.T) {
	if rapid.Bool().Draw(r, "crash") {
		crashed := copyArchive(m.t, m.dir)
		closeArchive(m.t, m.archive)
		m.dir = crashed
	} else {
		closeArchive(m.t, m.archive)
	}
	m.archive = openClean(m.t, m.dir)
}

func (m *machine) check(r *rapid.T) {
	for _, id := range modelIDs {
		z, _, err := m.archive.Load(id, seed)
		want, ok := m.versions[id]
		if ok != (err == nil) || ok && (z.Serial() != want.Serial() || z.Records() != want.Records()) {
			r.Fatalf("zone %s: got %s, %v; want %s", id, describe(z), err, describe(want))
		}
	}
	m.checkLive(r)
}

func describe(z *zone.Zone) string {
	if z == nil {
		return "none"
	}
	return fmt.Sprintf("serial %d with %d records", z.Serial(), z.Records())
}

// checkLive counts what lives in each segment anew.
func (m *machine) checkLive(r *rapid.T) {
	live := map[uint32]int64{}
	for _, e := range m.archive.index.entries {
		if e.at(e.base) != nil {
			live[e.base.segment] += int64(e.base.size)
		}
		for _, l := range e.links() {
			live[l.place.segment] += int64(l.place.size)
		}
	}
	for number, s := range m.archive.index.segments {
		if s.live != live[number] {
			r.Fatalf("segment %d: %d octets are counted, %d live", number, s.live, live[number])
		}
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{t: t, dir: t.TempDir(), versions: map[string]*zone.Zone{}}
		m.archive = openClean(t, m.dir)
		r.Repeat(map[string]func(*rapid.T){
			"save": m.save, "journal": m.journal, "journal again": m.journal, "delete": m.delete,
			"sync": m.sync, "seal": m.seal, "reopen": m.reopen, "": m.check,
		})
		closeArchive(t, m.archive)
		if err := os.RemoveAll(m.dir); err != nil {
			t.Error(err)
		}
	})
}
