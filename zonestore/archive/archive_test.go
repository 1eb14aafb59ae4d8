package archive

import (
	"bytes"
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

func testZone(t testing.TB, serial byte) *zone.Zone {
	t.Helper()
	b, err := zone.NewBuilder(apex, seed, zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	soa := append([]byte{0, 0}, make([]byte, 20)...)
	soa[5] = serial
	if err := b.Add(apex, wire.TypeSOA, 60, soa); err != nil {
		t.Fatal(err)
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func open(t testing.TB, dir string) *Archive {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func save(t testing.TB, a *Archive, serial byte) {
	t.Helper()
	if err := a.Save(Meta{ID: id, Received: received}, testZone(t, serial)); err != nil {
		t.Fatal(err)
	}
}

func TestSaveLoadDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir)
	if _, _, err := a.Load(id, seed); !errors.Is(err, ErrNone) {
		t.Errorf("before the first copy: %v", err)
	}
	for serial := range byte(3) {
		save(t, a, serial)
		if serial == 1 { // a crash while the next one was written
			if err := os.WriteFile(filepath.Join(dir, folder, file(id)+tempSuffix), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		z, meta, err := a.Load(id, seed)
		if err != nil || z.Serial() != uint32(serial) || meta.ID != id || !meta.Received.Equal(received) {
			t.Errorf("serial %d: got %v, %+v, %v", serial, z, meta, err)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	a = open(t, dir)
	for range 2 { // deleting what is not there is no fault
		if err := a.Delete(id); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := a.Load(id, seed); !errors.Is(err, ErrNone) {
		t.Errorf("after deleting: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamaged: whatever octet of a copy changes, it is set aside and said.
func TestDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir)
	save(t, a, 1)
	path := filepath.Join(dir, folder, file(id))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, bad []byte) {
		t.Helper()
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := a.Load(id, seed)
		damaged, ok := errors.AsType[*DamagedError](err)
		if !ok || !errors.Is(err, zone.ErrDamaged) && !errors.Is(err, zone.ErrVersion) {
			t.Fatalf("%s: got %v", what, err)
		}
		if aside, err := os.ReadFile(filepath.Join(dir, damaged.Aside)); err != nil || !bytes.Equal(aside, bad) {
			t.Fatalf("%s: set aside as %s: %v", what, damaged.Aside, err)
		}
		if _, _, err := a.Load(id, seed); !errors.Is(err, ErrNone) {
			t.Fatalf("%s: still there: %v", what, err)
		}
	}
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 0x20
		check(fmt.Sprintf("octet %d changed", i), bad)
	}
	for size := range whole {
		check(fmt.Sprintf("cut to %d octets", size), whole[:size])
	}
	check("an octet more", append(slices.Clone(whole), 0))
}

// TestOtherZone: a copy that lies where another zone's belongs is not taken.
func TestOtherZone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir)
	save(t, a, 1)
	const other = "another"
	path := filepath.Join(dir, folder, file(other))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, folder, file(id)), path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Load(other, seed); !errors.Is(err, zone.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

// TestSync: nothing is lost from the list of what is to be synced when a copy
// is gone meanwhile.
func TestSync(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	save(t, a, 1)
	if err := a.root.Remove(file(id)); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(); err != nil {
		t.Errorf("with a copy that is gone: %v", err)
	}
	if len(a.pending) != 0 {
		t.Errorf("%d copies are still pending", len(a.pending))
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	b.Write(Meta{ID: id, Received: received}.encode())
	if err := testZone(f, 1).Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		z, meta, err := decode(data, id, seed)
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
