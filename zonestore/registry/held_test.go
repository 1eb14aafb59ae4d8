package registry

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// A main file that can't be had at the moment is not damaged, and may be newer than
// the log: nothing is put in its place.
func TestMainFileIsHeldByAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openWith(t, Options{Dir: dir})
	seed(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, mainName))
	if err != nil {
		t.Fatal(err)
	}
	other, err := bbolt.Open(filepath.Join(dir, mainName), fileMode, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(Options{Dir: dir})
	if err == nil {
		_ = again.Close()
	}
	if !errors.Is(err, bolterrors.ErrTimeout) {
		t.Errorf("got %v, want that another process has the file", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, mainName))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("it was replaced: %v", err)
	}
	sameObjects(t, r, openWith(t, Options{Dir: dir}))
}
