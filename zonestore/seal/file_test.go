package seal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func created(t *testing.T) (path string, k *Key) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secrets.key")
	k, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, k
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCreateAndLoad(t *testing.T) {
	t.Parallel()
	path, k := created(t)
	again, err := Load(path, zap.NewNop())
	if err != nil || again.ID() != k.ID() {
		t.Fatalf("%v, %v", again, err)
	}
	if secret, err := again.Open(k.Seal([]byte("s"), nil), nil); err != nil || string(secret) != "s" {
		t.Errorf("%q, %v", secret, err)
	}
	if _, other := created(t); other.ID() == k.ID() {
		t.Error("two keys are the same")
	}
	for _, name := range []string{path, CopyPath(path)} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.new")); len(left) > 0 {
		t.Error(left)
	}
}

func TestOneFileIsMended(t *testing.T) {
	t.Parallel()
	damages := map[string]func(path, text string) error{
		"missing":   func(path, _ string) error { return os.Remove(path) },
		"empty":     func(path, _ string) error { return os.WriteFile(path, nil, 0o600) },
		"cut":       func(path, text string) error { return os.WriteFile(path, []byte(text[:30]), 0o600) },
		"one digit": func(path, text string) error { return os.WriteFile(path, []byte(flip(text, 20)), 0o600) },
		"binary":    func(path, _ string) error { return os.WriteFile(path, make([]byte, 5000), 0o600) },
	}
	for what, damage := range damages {
		for _, second := range []bool{false, true} {
			path, k := created(t)
			broken := path
			if second {
				broken = CopyPath(path)
			}
			want := content(t, path)
			if err := damage(broken, want); err != nil {
				t.Fatal(err)
			}
			core, logs := observer.New(zap.WarnLevel)
			again, err := Load(path, zap.New(core))
			if err != nil || again.ID() != k.ID() {
				t.Errorf("%s %s: %v", broken, what, err)
				continue
			}
			if content(t, broken) != want || logs.FilterField(zap.String("path", broken)).Len() != 1 {
				t.Errorf("%s %s: not mended, or not said: %v", broken, what, logs.All())
			}
		}
	}
}

func flip(text string, at int) string {
	c := byte('A')
	if text[at] == c {
		c = 'B'
	}
	return text[:at] + string(c) + text[at+1:]
}

func TestNoKeyIsSaid(t *testing.T) {
	t.Parallel()
	path, _ := created(t)
	text := content(t, path)
	write := func(a, b string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(a), 0o600), os.WriteFile(CopyPath(path), []byte(b), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want error) {
		t.Helper()
		_, err := Load(path, zap.NewNop())
		if !errors.Is(err, want) || !strings.Contains(err.Error(), CopyPath(path)) && want != ErrNewer {
			t.Errorf("%s: %v", what, err)
		}
		if strings.Contains(err.Error(), text[20:30]) {
			t.Errorf("%s: the error shows the key: %v", what, err)
		}
	}
	write(flip(text, 20), flip(text, 21))
	check("both damaged", ErrDamagedFile)
	otherPath, _ := created(t)
	write(text, content(t, otherPath))
	check("two keys", ErrDamagedFile)
	write(strings.Replace(text, "key-1", "key-2", 1), text)
	check("a newer one", ErrNewer)
	if err := errors.Join(os.Remove(path), os.Remove(CopyPath(path))); err != nil {
		t.Fatal(err)
	}
	check("neither", ErrNoKey)
	// A folder in its place is neither missing nor damaged: nothing is overwritten.
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, zap.NewNop()); err == nil || errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
}

// A copy that can't be written, as in a folder of root's, is warned of.
func TestMendingMayFail(t *testing.T) {
	t.Parallel()
	path, k := created(t)
	if err := errors.Join(os.Remove(CopyPath(path)), os.Mkdir(CopyPath(path)+".new", 0o700)); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.WarnLevel)
	if again, err := Load(path, zap.New(core)); err != nil || again.ID() != k.ID() || logs.Len() != 1 {
		t.Errorf("%v, %v", err, logs.All())
	}
	if _, err := os.Stat(CopyPath(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestOpenFileIsWarnedOf(t *testing.T) {
	t.Parallel()
	path, _ := created(t)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.WarnLevel)
	if _, err := Load(path, zap.New(core)); err != nil || logs.FilterField(zap.String("path", path)).Len() != 1 {
		t.Errorf("%v, %v", err, logs.All())
	}
}
