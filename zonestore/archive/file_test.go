package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secondaryd/zonestore/zone"
)

// version1 makes a copy as the first release wrote them.
func version1(t testing.TB, id string, z *zone.Zone) []byte {
	t.Helper()
	b := []byte("SDCOPY\x00\x01")
	b = binary.LittleEndian.AppendUint64(b, uint64(received.UnixMicro()))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(id)))
	b = append(b, id...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	out := bytes.NewBuffer(b)
	if err := z.Encode(out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func ownFile(dir, id string) string { return filepath.Join(dir, folder, fileName(keyOf(id))) }

// TestUpgrade: a copy of the first release is read, and replaced by the next.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string]int{"by a small one": 0, "by a large one": largeTexts} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			old := testZone(t, 5, 0)
			writeFile(t, ownFile(dir, id), version1(t, id, old))
			a := openClean(t, dir)
			z, meta, err := a.Load(id, seed)
			if err != nil || z.Serial() != 5 || !meta.Received.Equal(received) {
				t.Fatalf("got %s of %+v, %v", describe(z), meta, err)
			}
			if err := a.Append(Meta{ID: id}, 5, 6, nil); !errors.Is(err, ErrNeedsCopy) {
				t.Errorf("a delta to it: got %v", err)
			}
			save(t, a, id, testZone(t, 6, texts))
			crashed := openClean(t, copyArchive(t, dir))
			wantSerial(t, crashed, id, 6)
			closeArchive(t, crashed)
			closeArchive(t, a)
			if _, err := os.Stat(ownFile(dir, id)); errors.Is(err, os.ErrNotExist) != (texts == 0) {
				t.Errorf("its own file after that: %v", err)
			}
			a = openClean(t, dir)
			wantSerial(t, a, id, 6)
			closeArchive(t, a)
		})
	}
}

// TestLaterFile: a copy of a later release is refused in words and kept.
func TestLaterFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := version1(t, id, testZone(t, 5, 0))
	data[len(fileMagic)-1] = fileMagic[len(fileMagic)-1] + 1
	writeFile(t, ownFile(dir, id), data)
	a := openClean(t, dir)
	_, _, err := a.Load(id, seed)
	if damaged, ok := errors.AsType[*DamagedError](err); !ok || !errors.Is(err, zone.ErrVersion) {
		t.Errorf("got %v", err)
	} else if !bytes.Equal(readFile(t, filepath.Join(dir, damaged.Aside)), data) {
		t.Errorf("%s is not the file", damaged.Aside)
	}
	save(t, a, id, testZone(t, 6, largeTexts))
	closeArchive(t, a)
	a = openClean(t, dir)
	wantSerial(t, a, id, 6)
	closeArchive(t, a)
	if !bytes.Equal(readFile(t, ownFile(dir, id)+asideVersion), data) {
		t.Error("the file of a later release was not kept")
	}
}

// TestInterruptedFile looks at what a crash leaves of a large copy that was
// being saved over an older version.
func TestInterruptedFile(t *testing.T) {
	t.Parallel()
	before := map[string]func(t *testing.T, a *Archive){
		"over a small one": func(t *testing.T, a *Archive) {
			save(t, a, id, testZone(t, 1, 0))
			syncNow(t, a)
		},
		"over a large one": func(t *testing.T, a *Archive) {
			save(t, a, id, testZone(t, 1, largeTexts))
			syncNow(t, a)
		},
		"over a small one over a large one": func(t *testing.T, a *Archive) {
			save(t, a, id, testZone(t, 9, largeTexts))
			syncNow(t, a)
			save(t, a, id, testZone(t, 1, 0))
		},
	}
	for name, tc := range map[string]struct {
		spoil  func(path string, data []byte) error
		serial uint32
		torn   int
	}{
		"not synced yet": {func(string, []byte) error { return nil }, 2, 0},
		"while it was written": {func(p string, b []byte) error {
			return errors.Join(os.Remove(p+newSuffix), os.WriteFile(p+partSuffix, b[:len(b)/2], 0o600))
		}, 1, 1},
		"power cut, half of it": {func(p string, b []byte) error { return os.WriteFile(p+newSuffix, b[:len(b)/2], 0o600) }, 1, 1},
		"power cut, no octets":  {func(p string, b []byte) error { return os.WriteFile(p+newSuffix, make([]byte, len(b)), 0o600) }, 1, 1},
		"power cut, empty":      {func(p string, _ []byte) error { return os.Truncate(p+newSuffix, 0) }, 1, 1},
	} {
		for over, versions := range before {
			t.Run(name+", "+over, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				a := openClean(t, dir)
				defer closeArchive(t, a)
				versions(t, a)
				save(t, a, id, testZone(t, 2, largeTexts))
				after := copyArchive(t, dir)
				path := ownFile(after, id)
				if err := tc.spoil(path, readFile(t, path+newSuffix)); err != nil {
					t.Fatal(err)
				}
				restarted, found := openArchive(t, after)
				if found.Torn != tc.torn || found.Faults != nil {
					t.Errorf("found %+v", found)
				}
				wantSerial(t, restarted, id, tc.serial)
				closeArchive(t, restarted)
				restarted = openClean(t, after)
				wantSerial(t, restarted, id, tc.serial)
				closeArchive(t, restarted)
			})
		}
	}
}

// TestDamagedFile: whatever octet of a large copy's head or ends changes, it is
// set aside and said, and no older copy comes in its place.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	save(t, a, id, testZone(t, 1, 0))
	save(t, a, id, testZone(t, 2, largeTexts))
	closeArchive(t, a)
	whole := readFile(t, ownFile(dir, id))
	segment := readFile(t, filepath.Join(dir, folder, segmentName(1)))
	check := func(bad []byte) {
		t.Helper()
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, folder, segmentName(1)), segment)
		writeFile(t, ownFile(dir, id), bad)
		a := openClean(t, dir)
		_, _, err := a.Load(id, seed)
		damaged, ok := errors.AsType[*DamagedError](err)
		if !ok || !bytes.Equal(readFile(t, filepath.Join(dir, damaged.Aside)), bad) {
			t.Fatalf("got %v", err)
		}
		wantNone(t, a, id)
		closeArchive(t, a)
		a = openClean(t, dir)
		wantNone(t, a, id)
		closeArchive(t, a)
	}
	for i := range 80 {
		bad := slices.Clone(whole)
		bad[i] ^= 0x20
		check(bad)
		if i%8 == 0 {
			check(whole[:i])
			check(whole[:len(whole)-1-i])
		}
	}
	check(append(slices.Clone(whole), 0))
}

// TestOtherZone: a copy that lies where another zone's belongs is not taken.
func TestOtherZone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, ownFile(dir, "another"), version1(t, id, testZone(t, 1, 0)))
	a := openClean(t, dir)
	defer closeArchive(t, a)
	if _, _, err := a.Load("another", seed); !errors.Is(err, zone.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	wantNone(t, a, id)
}

// TestStrayFiles: what is not ours is left alone.
func TestStrayFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stray := []string{"00/x", "01/0123.new", "README", fileName(keyOf("a")) + ".damaged", fileName(keyOf("a")) + ".", "segments/1", "segments/00000000", "AB/" + strings.Repeat("c", 30)}
	for _, name := range stray {
		writeFile(t, filepath.Join(dir, folder, name), []byte(name))
	}
	a := openClean(t, dir)
	save(t, a, id, testZone(t, 1, 0))
	closeArchive(t, a)
	a = openClean(t, dir)
	wantSerial(t, a, id, 1)
	closeArchive(t, a)
	for _, name := range stray {
		if got := readFile(t, filepath.Join(dir, folder, name)); string(got) != name {
			t.Errorf("%s holds %q now", name, got)
		}
	}
}

// TestFileGone: nothing else waits for a copy that somebody removed.
func TestFileGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := openClean(t, dir)
	defer closeArchive(t, a)
	save(t, a, id, testZone(t, 1, largeTexts))
	if err := os.Remove(ownFile(dir, id) + newSuffix); err != nil {
		t.Fatal(err)
	}
	syncNow(t, a)
	if len(a.pending) != 0 {
		t.Errorf("%d copies are still pending", len(a.pending))
	}
	if _, _, err := a.Load(id, seed); !errors.Is(err, zone.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeFile(f *testing.F) {
	z := testZone(f, 1, 0)
	f.Add(version1(f, id, z))
	h := fileHead{seq: 1, serial: 1, received: received.UnixMicro(), id: id}
	b := bytes.NewBuffer(h.encode())
	if err := z.Encode(b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		z, meta, err := decodeFile(bytes.NewReader(data), int64(len(data)), id, seed)
		if err != nil {
			if !errors.Is(err, zone.ErrDamaged) && !errors.Is(err, zone.ErrVersion) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if meta.ID != id || !z.Top().IsApex() {
			t.Errorf("got %+v", meta)
		}
	})
}
