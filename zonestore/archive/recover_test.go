package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"secondaryd/zonestore/zone"
)

// past is a segment and what it must give when it is cut there.
type past struct {
	octets  []byte
	ends    []int               // where each record ends, the head of the segment first
	serials []map[string]uint32 // what each zone's serial is by then
}

// makeHistory saves, journals and deletes a few zones.
func makeHistory(t testing.TB) past {
	t.Helper()
	dir := t.TempDir()
	a, _ := openKeeping(t, dir, 3)
	defer closeArchive(t, a)
	var h past
	now := map[string]uint32{}
	note := func() {
		h.octets = copySegment(t, dir)
		h.ends = append(h.ends, len(h.octets))
		h.serials = append(h.serials, maps.Clone(now))
	}
	first := testZone(t, 1, 0)
	for _, step := range []func(){
		func() { save(t, a, "a", first); now["a"] = 1 },
		func() { save(t, a, "b", first); now["b"] = 1 },
		func() { journal(t, a, "a", first); now["a"] = 2 },
		func() { save(t, a, "c", first); now["c"] = 1 },
		func() { journal(t, a, "a", testZone(t, 2, 0)); now["a"] = 3 },
		func() { save(t, a, "b", testZone(t, 7, 0)); now["b"] = 7 },
		func() { delete(now, "c"); mustDelete(t, a, "c") },
		func() { journal(t, a, "b", testZone(t, 7, 0)); now["b"] = 8 },
		func() { save(t, a, "a", testZone(t, 9, 0)); now["a"] = 9 },
		func() {
			if err := a.Rollback(Meta{ID: "a", Received: received}, testZone(t, 3, 0)); err != nil {
				t.Fatal(err)
			}
			now["a"] = 3
		},
		func() { save(t, a, "b", testZone(t, 11, 0)); now["b"] = 11 },
		func() { journal(t, a, "b", testZone(t, 11, 0)); now["b"] = 12 },
	} {
		step()
		note()
	}
	h.ends = append([]int{segmentHead}, h.ends...)
	h.serials = append([]map[string]uint32{{}}, h.serials...)
	return h
}

func mustDelete(t testing.TB, a *Archive, id string) {
	t.Helper()
	if err := a.Delete(id); err != nil {
		t.Fatal(err)
	}
}

// withSegments makes an archive's folder of these segments.
func withSegments(t testing.TB, octets ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	for i, b := range octets {
		writeFile(t, filepath.Join(dir, folder, segmentName(uint32(i+1))), b)
	}
	return dir
}

// TestCrash cuts the segment wherever kill -9 or a power cut may: each
// zone has its old version or the new one, and the archive goes on from there.
func TestCrash(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	last := h.ends[len(h.ends)-4] // from there on at every octet, before that here and there
	for size := 0; size <= len(h.octets); size++ {
		if size < last && size%11 != 0 && !slices.Contains(h.ends, size) {
			continue
		}
		dir := withSegments(t, h.octets[:size])
		records := max(0, len(slices.DeleteFunc(slices.Clone(h.ends), func(end int) bool { return end > size }))-1)
		clean := slices.Contains(h.ends, size)
		a, found := openArchive(t, dir)
		if clean != (found.Torn == 0) || found.Faults != nil {
			t.Fatalf("cut to %d octets: found %+v", size, found)
		}
		wantAll(t, a, h.serials[records])
		save(t, a, "a", testZone(t, 20, 0))
		closeArchive(t, a)
		a = openClean(t, dir)
		after := maps.Clone(h.serials[records])
		after["a"] = 20
		wantAll(t, a, after)
		closeArchive(t, a)
	}
}

func wantAll(t testing.TB, a *Archive, serials map[string]uint32) {
	t.Helper()
	for _, id := range []string{"a", "b", "c"} {
		if serial, ok := serials[id]; ok {
			wantSerial(t, a, id, serial)
		} else {
			wantNone(t, a, id)
		}
	}
}

// TestDamage changes every octet of the archive: each zone has its newest
// version, or an error is returned for it, or the archive says that it may have
// an older one. What was there at the start is kept for the curious.
func TestDamage(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	// A second segment, so that the damage is not at the end.
	second := makeHistory(t).octets[:segmentHead]
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(h.octets); i += step {
		bad := bytes.Clone(h.octets)
		bad[i] ^= 0x04
		checkDamage(t, h, fmt.Sprintf("octet %d changed", i), bad, second)
	}
	for i := segmentHead; i+3 < len(h.octets); i += 41 {
		checkDamage(t, h, fmt.Sprintf("octets at %d missing", i), slices.Concat(h.octets[:i], h.octets[i+3:]), second)
		checkDamage(t, h, fmt.Sprintf("octets at %d too many", i), slices.Concat(h.octets[:i], []byte("xyz"), h.octets[i:]), second)
	}
}

func checkDamage(t *testing.T, h past, what string, segments ...[]byte) {
	t.Helper()
	dir := withSegments(t, segments...)
	a, found := openKeeping(t, dir, 3)
	if len(found.Faults) == 0 {
		t.Errorf("%s: nothing found amiss", what)
	}
	newest := h.serials[len(h.serials)-1]
	held := map[string]uint32{}
	for _, id := range []string{"a", "b", "c"} {
		z, _, err := a.Load(id, seed)
		_, damaged := errors.AsType[*DamagedError](err)
		switch {
		case err == nil && z.Serial() != newest[id] && !found.Doubtful:
			t.Errorf("%s: zone %s has serial %d, and nobody was told", what, id, z.Serial())
		case errors.Is(err, ErrNone) && newest[id] != 0 && !found.Doubtful:
			t.Errorf("%s: zone %s is gone, and nobody was told", what, id)
		case err != nil && !damaged && !errors.Is(err, ErrNone):
			t.Errorf("%s: zone %s: %v", what, id, err)
		case err == nil:
			held[id] = z.Serial()
		}
		checkVersions(t, a, id)
	}
	syncNow(t, a)
	closeArchive(t, a)
	if kept := readFile(t, filepath.Join(dir, folder, segmentName(1)+asideDamaged)); !bytes.Equal(kept, segments[0]) {
		t.Errorf("%s: what was set aside is not what was there", what)
	}
	a = openClean(t, dir)
	wantAll(t, a, held)
	closeArchive(t, a)
}

// checkVersions: whatever is damaged, a version that is listed is given, or said to
// be damaged, and the copy is as it was.
func checkVersions(t *testing.T, a *Archive, id string) {
	t.Helper()
	loaded, _, err := a.Load(id, seed)
	if err != nil {
		return
	}
	list, err := a.Versions(id)
	if err != nil || len(list) == 0 || len(list) > 3 {
		t.Errorf("zone %s: versions %v, %v", id, list, err)
	}
	for _, v := range list {
		z, _, err := a.LoadVersion(id, v.Serial, seed)
		_, damaged := errors.AsType[*DamagedError](err)
		if err == nil && z.Serial() != v.Serial || err != nil && !damaged && !errors.Is(err, ErrNoVersion) {
			t.Errorf("zone %s, version %d: got %s, %v", id, v.Serial, describe(z), err)
		}
	}
	wantSerial(t, a, id, loaded.Serial())
}

// TestPayloadDamage: a zone whose newest record is damaged, and known, is not
// given in an older version; the others are.
func TestPayloadDamage(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	for record, id := range map[int]string{10: "a", 11: "b", 12: "b"} {
		bad := bytes.Clone(h.octets)
		bad[h.ends[record]-1] ^= 1
		a, found := openArchive(t, withSegments(t, bad, makeHistory(t).octets[:segmentHead]))
		if found.Doubtful || len(found.Faults) != 1 {
			t.Errorf("record %d: found %+v", record, found)
		}
		for _, z := range []string{"a", "b"} {
			_, _, err := a.Load(z, seed)
			if _, damaged := errors.AsType[*DamagedError](err); damaged != (z == id) || err != nil && !damaged {
				t.Errorf("record %d: zone %s: %v", record, z, err)
			}
		}
		closeArchive(t, a)
	}
}

// TestLaterSegment: a segment of a later release is refused in words, left
// alone, and what is written now does not come between its records.
func TestLaterSegment(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	later := bytes.Clone(h.octets)
	later[len(segmentMagic)-1] = 2
	binary.LittleEndian.PutUint32(later[segmentHead-4:], crc32.Checksum(later[:segmentHead-4], castagnoli))
	dir := withSegments(t, later)
	a, found := openArchive(t, dir)
	if len(found.Faults) != 1 || !errors.Is(found.Faults[0], zone.ErrVersion) || !found.Doubtful {
		t.Errorf("found %+v", found)
	}
	wantNone(t, a, "a")
	save(t, a, "a", testZone(t, 30, 0))
	syncNow(t, a)
	closeArchive(t, a)
	if !bytes.Equal(copySegment(t, dir), later) {
		t.Error("the segment has changed")
	}
	// The later release reads its own and what we wrote: ours is newer.
	writeFile(t, filepath.Join(dir, folder, segmentName(1)), h.octets)
	a = openClean(t, dir)
	wantAll(t, a, map[string]uint32{"a": 30, "b": 12})
	closeArchive(t, a)
}

// TestForgedRecord: octets inside a zone that look like a record are not taken
// for one, even where damage has the archive look for records.
func TestForgedRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	forged := make([]byte, headSize)
	(&head{kind: kindRemoved, key: keyOf("victim"), seq: 1 << 60}).encode(forged, mark{})
	save(t, a, "victim", testZone(t, 1, 0))
	save(t, a, "attacker", testZone(t, 1, 0))
	if err := a.Append(Meta{ID: "attacker"}, 1, 2, bytes.Repeat(forged, 10)); err != nil {
		t.Fatal(err)
	}
	save(t, a, id, testZone(t, 1, 0))
	closeArchive(t, a)
	octets := copySegment(t, dir)
	at := bytes.Index(octets, forged)
	octets[at-headSize]++ // the head of the delta
	a, found := openArchive(t, withSegments(t, octets))
	if len(found.Faults) != 1 {
		t.Errorf("found %+v", found)
	}
	wantSerial(t, a, "victim", 1)
	wantSerial(t, a, id, 1)
	closeArchive(t, a)
}

// TestLongSegment: nothing is read behind the size that a segment may have.
func TestLongSegment(t *testing.T) {
	t.Parallel()
	h := makeHistory(t)
	dir := withSegments(t, h.octets)
	if err := os.Truncate(filepath.Join(dir, folder, segmentName(1)), 1<<40); err != nil {
		t.Skipf("the file system has no files that large: %v", err)
	}
	a, found := openArchive(t, dir)
	if len(found.Faults) != 1 || !found.Doubtful {
		t.Errorf("found %+v", found)
	}
	wantAll(t, a, h.serials[len(h.serials)-1])
	syncNow(t, a)
	closeArchive(t, a)
	a = openClean(t, dir)
	wantAll(t, a, h.serials[len(h.serials)-1])
	closeArchive(t, a)
}

// FuzzOpen: whatever a segment holds, it is opened without harm, and what is
// given out is a zone.
func FuzzOpen(f *testing.F) {
	h := makeHistory(f)
	f.Add(h.octets)
	f.Add(h.octets[:len(h.octets)-10])
	f.Add(slices.Concat(h.octets, h.octets[segmentHead:]))
	f.Add(h.octets[:segmentHead])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := withSegments(t, data)
		a, _ := openKeeping(t, dir, 3)
		held := map[string]uint32{}
		for _, id := range []string{"a", "b", "c"} {
			z, _, err := a.Load(id, seed)
			if _, damaged := errors.AsType[*DamagedError](err); err != nil && !damaged && !errors.Is(err, ErrNone) {
				t.Errorf("an error of another kind: %v", err)
			}
			if err == nil {
				held[id] = z.Serial()
			}
			checkVersions(t, a, id)
		}
		save(t, a, "c", testZone(t, 40, 0))
		held["c"] = 40
		syncNow(t, a)
		closeArchive(t, a)
		a, _ = openArchive(t, dir)
		wantAll(t, a, held)
		closeArchive(t, a)
	})
}
