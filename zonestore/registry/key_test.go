package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secondaryd/zonestore/seal"
)

// withoutKey takes both files of the key away.
func withoutKey(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, keyName)
	if err := errors.Join(os.Remove(path), os.Remove(seal.CopyPath(path))); err != nil {
		t.Fatal(err)
	}
}

// Without the key nothing starts that needs it, and nothing is changed; what holds
// no secrets gets a new one.
func TestKeyIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p1")) })
	bare := snapshot(t, dir)
	withoutKey(t, bare)
	open(t, bare)
	if !exists(filepath.Join(bare, keyName)) {
		t.Error("no key was made")
	}

	secrets := withSecrets(t, r)
	gone := snapshot(t, dir)
	withoutKey(t, gone)
	check := func(what string, want ...string) {
		t.Helper()
		_, err := Open(Options{Dir: gone})
		if !errors.Is(err, ErrNoKey) {
			t.Fatalf("%s: %v", what, err)
		}
		for _, text := range append(want, "secrets_key") {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %s in it", what, err, text)
			}
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error(), string(secret)) {
				t.Errorf("%s: a secret in %v", what, err)
			}
		}
	}
	check("gone", filepath.Join(gone, "secrets-copy.key"))
	if exists(filepath.Join(gone, keyName)) {
		t.Error("a new key was made, which opens nothing")
	}
	if _, err := seal.Create(filepath.Join(gone, keyName)); err != nil {
		t.Fatal(err)
	}
	check("another one", "another key")
	withoutKey(t, gone)
	for _, name := range []string{keyName, "secrets-copy.key"} {
		copyFile(t, filepath.Join(dir, name), filepath.Join(gone, name))
	}
	sameObjects(t, r, open(t, gone))
}

// Where a new key is made because no secret needs the old one, backups may.
func TestKeyFilesAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	main, second := filepath.Join(dir, keyName), filepath.Join(dir, "secrets-copy.key")
	before, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{main, second} {
		if err := os.WriteFile(path, append([]byte("x"), before...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
	for _, path := range []string{main, second} {
		if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != "x"+string(before) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestKeyElsewhere(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "my.key")
	r := openWith(t, Options{Dir: dir, Key: elsewhere})
	withSecrets(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(dir, keyName)) || !exists(seal.CopyPath(elsewhere)) {
		t.Error("the key is not where it was wanted")
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	sameObjects(t, r, openWith(t, Options{Dir: dir, Key: elsewhere}))
}

// The error tells of a key in the folder that is not looked at.
func TestKeyLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	withSecrets(t, open(t, dir))
	_, err := Open(Options{Dir: snapshot(t, dir), Key: filepath.Join(t.TempDir(), "my.key")})
	if !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), keyName+" lies there, which may be it") {
		t.Error(err)
	}
}

// A secret that was moved to another object, or another member, does not open.
func TestSealedSecretStaysInItsPlace(t *testing.T) {
	t.Parallel()
	c, k := testCodec(t), key1()
	value := c.encode(&k)
	if _, err := c.decode(Entry{KindTSIG, "k1", value}); err != nil {
		t.Fatal(err)
	}
	moved := frame(valueSealed, key{KindTSIG, "k2"}, 1, value[valueHeader:])
	if _, err := c.decode(Entry{KindTSIG, "k2", moved}); !errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	clear := frame(valueSealed, key{KindTSIG, "k1"}, 1, []byte(`{"secret":"AQID"}`))
	if _, err := c.decode(Entry{KindTSIG, "k1", clear}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a clear secret where a sealed one belongs: %v", err)
	}
}
