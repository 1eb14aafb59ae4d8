package registry

import (
	"os"
	"path/filepath"
	"testing"
)

// A file of the log that somebody removes, or replaces, while it is written is no
// second copy any more: the log is begun anew, with the next change or without.
func TestLogFileIsRemoved(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(path string) error{
		"file":     os.Remove,
		"folder":   func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"cut":      func(path string) error { return os.Truncate(path, 30) },
		"replaced": func(path string) error { return os.Rename(path, path+".1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r := openWith(t, Options{Dir: dir})
			seed(t, r)
			r.backend.(*twin).pause = 0
			if err := remove(newestLog(t, dir)); err != nil {
				t.Fatal(err)
			}
			r.Mend()
			compareCopies(t, snapshot(t, dir))
			if err := remove(newestLog(t, dir)); err != nil {
				t.Fatal(err)
			}
			update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p9")) })
			compareCopies(t, snapshot(t, dir))
			if err := r.Degraded(); err != nil {
				t.Error(err)
			}
		})
	}
}
