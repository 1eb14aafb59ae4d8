package archive

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	past     map[string][]*zone.Zone // all versions, the newest first
	rolled   map[string]bool         // versions has one that was rolled back to
	keep     int                     // versions of each zone
	serial   uint32
}

// publish makes z the zone's newest version. What was rolled back to is the one
// before it.
func (m *machine) publish(id string, z *zone.Zone) {
	past := m.past[id]
	put := func(z *zone.Zone) {
		past = slices.DeleteFunc(slices.Clone(past), func(o *zone.Zone) bool { return o.Serial() == z.Serial() })
		past = slices.Insert(past, 0, z)
	}
	if m.rolled[id] && m.versions[id].Serial() != z.Serial() {
		put(m.versions[id])
	}
	put(z)
	m.past[id], m.versions[id], m.rolled[id] = past, z, false
}

var modelIDs = []string{"a", "b", "c", "d", "e"}

func (m *machine) save(r *rapid.T) {
	id := rapid.SampledFrom(modelIDs).Draw(r, "id")
	texts := rapid.SampledFrom([]int{0, 1, 30, largeTexts}).Draw(r, "texts")
	m.serial += 100
	z := testZone(m.t, m.serial, texts)
	save(m.t, m.archive, id, z)
	m.publish(id, z)
}

// any draws a zone that there is.
func (m *machine) any(r *rapid.T) string {
	if len(m.versions) == 0 {
		r.Skip()
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.versions))).Draw(r, "id")
}

// saveAgain saves the copy as it is, as after a forced transfer.
func (m *machine) saveAgain(r *rapid.T) {
	id := m.any(r)
	save(m.t, m.archive, id, m.versions[id])
	m.publish(id, m.versions[id])
}

func (m *machine) rollback(r *rapid.T) {
	id := m.any(r)
	list := m.list(r, id)
	v := rapid.SampledFrom(list).Draw(r, "version")
	if v.Serial == m.versions[id].Serial() || v.Serial == m.past[id][0].Serial() {
		r.Skip()
	}
	z, _, err := m.archive.LoadVersion(id, v.Serial, seed)
	if err != nil {
		r.Fatal(err)
	}
	if err := m.archive.Rollback(Meta{ID: id, Received: received}, z); err != nil {
		r.Fatal(err)
	}
	m.versions[id], m.rolled[id] = z, true
}

func (m *machine) list(r *rapid.T, id string) []Version {
	list, err := m.archive.Versions(id)
	if err != nil {
		r.Fatalf("versions of zone %s: %v", id, err)
	}
	return list
}

// checkPast compares what is kept with all that there was: as many as are to be
// kept, if none of them is large, two in any case.
func (m *machine) checkPast(r *rapid.T, id string) {
	list, past := m.list(r, id), m.past[id]
	most := min(m.keep, len(past))
	if m.rolled[id] {
		most = min(max(m.keep, 2), len(past))
	}
	large := slices.ContainsFunc(past[:most], func(z *zone.Zone) bool { return z.Records() > largeTexts })
	if len(list) > most || len(list) < most && (!large || len(list) < min(most, 2)) {
		r.Fatalf("zone %s: %d versions are kept, want %d", id, len(list), most)
	}
	for i, v := range list {
		want := past[i]
		if m.rolled[id] && i == len(list)-1 && v.Serial == m.versions[id].Serial() {
			want = m.versions[id] // those between are no longer kept
		}
		z, _, err := m.archive.LoadVersion(id, v.Serial, seed)
		if err != nil || v.Serial != want.Serial() || !z.SameAs(want) {
			r.Fatalf("zone %s: version %d is %d, %s, %v; want %s", id, i, v.Serial, describe(z), err, describe(want))
		}
	}
	from, since, ok := m.archive.RolledBack(id)
	if ok != m.rolled[id] || ok && (from != past[0].Serial() || !since.Equal(received)) {
		r.Fatalf("zone %s: rolled back %v, from %d at %s", id, ok, from, since)
	}
}

func (m *machine) journal(r *rapid.T) {
	id := m.any(r)
	m.publish(id, journal(m.t, m.archive, id, m.versions[id]))
}

func (m *machine) delete(r *rapid.T) {
	id := rapid.SampledFrom(modelIDs).Draw(r, "id")
	delete(m.versions, id)
	delete(m.past, id)
	delete(m.rolled, id)
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
	m.open()
}

func (m *machine) open() {
	a, found, err := openSyncing(m.dir, m.keep, func(*os.File) error { return nil })
	if err != nil || found.Torn != 0 || found.Faults != nil || found.Doubtful {
		m.t.Fatalf("found at the start: %+v, %v", found, err)
	}
	m.archive = a
}

func (m *machine) check(r *rapid.T) {
	for _, id := range modelIDs {
		z, _, err := m.archive.Load(id, seed)
		want, ok := m.versions[id]
		if ok != (err == nil) || ok && (z.Serial() != want.Serial() || z.Records() != want.Records()) {
			r.Fatalf("zone %s: got %s, %v; want %s", id, describe(z), err, describe(want))
		}
		if ok {
			m.checkPast(r, id)
		}
	}
	m.checkFiles(r)
	m.checkLive(r)
}

func describe(z *zone.Zone) string {
	if z == nil {
		return "none"
	}
	return fmt.Sprintf("serial %d with %d records", z.Serial(), z.Records())
}

// checkFiles looks for files that nothing needs.
func (m *machine) checkFiles(r *rapid.T) {
	var want, got []string
	for k, e := range m.archive.index.entries {
		for _, g := range e.older() {
			if g.base.ownFile() {
				want = append(want, oldFile{k, g.seq}.name())
			}
		}
	}
	for _, name := range files(m.t, m.dir) {
		if strings.Contains(name, oldSuffix) {
			got = append(got, name)
		}
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		r.Fatalf("files of older generations: got %v, want %v", got, want)
	}
}

// checkLive counts what lives in each segment anew.
func (m *machine) checkLive(r *rapid.T) {
	live := map[uint32]int64{}
	for _, e := range m.archive.index.entries {
		if e.at(e.base) != nil {
			live[e.base.segment] += int64(e.base.size)
		}
		for _, g := range append(history{e.present()}, e.older()...) {
			if g.seq != e.seq {
				live[g.base.segment] += int64(g.base.size)
			}
			for _, l := range g.links {
				live[l.place.segment] += int64(l.place.size)
			}
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
		m := &machine{
			t: t, dir: t.TempDir(), versions: map[string]*zone.Zone{}, past: map[string][]*zone.Zone{}, rolled: map[string]bool{},
			keep: rapid.IntRange(1, 5).Draw(r, "keep"),
		}
		m.open()
		r.Repeat(map[string]func(*rapid.T){
			"save": m.save, "journal": m.journal, "journal again": m.journal, "delete": m.delete,
			"save again": m.saveAgain, "roll back": m.rollback,
			"sync": m.sync, "seal": m.seal, "reopen": m.reopen, "": m.check,
		})
		closeArchive(t, m.archive)
		if err := os.RemoveAll(m.dir); err != nil {
			t.Error(err)
		}
	})
}

// TestReclaimKeepsUp: the disk does not fill up, however many segments are written
// from one Sync to the next.
func TestReclaimKeepsUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 3)
	defer closeArchive(t, a)
	save(t, a, "idle", testZone(t, 1, 0))
	for round := range uint32(20) {
		for i := range uint32(5) {
			save(t, a, id, testZone(t, 5*round+i, 30))
			seal(a)
		}
		syncNow(t, a)
	}
	if n := len(files(t, dir)); n > 15 {
		t.Errorf("%d segments for three versions", n)
	}
	wantVersions(t, a, id, 99, 98, 97)
	wantSerial(t, a, "idle", 1)
}
