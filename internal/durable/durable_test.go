package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The folder itself is synced, whatever comes of that is told, and it is closed.
func TestSyncDir(t *testing.T) {
	t.Parallel()
	dir, broken := t.TempDir(), errors.New("broken disk")
	var synced *os.File
	sync := func(err error) func(*os.File) error {
		return func(f *os.File) error {
			synced = f
			return err
		}
	}
	for _, want := range []error{nil, broken} {
		if err := SyncDir(dir, sync(want)); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		if synced.Name() != dir || !errors.Is(synced.Close(), fs.ErrClosed) {
			t.Errorf("synced %s, or left it open", synced.Name())
		}
	}
	if err := SyncDir(filepath.Join(dir, "none"), (*os.File).Sync); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := SyncDir(dir, (*os.File).Sync); err != nil {
		t.Error(err)
	}
}
