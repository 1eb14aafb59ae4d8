package registry

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"unsafe"

	"go.etcd.io/bbolt"
)

// failBehindMeta has the next commit of a file fail when all of it has been written,
// as it does when the last fsync fails.
func failBehindMeta(db *bbolt.DB, failure error) {
	field := reflect.ValueOf(db).Elem().FieldByName("ops").FieldByName("writeAt")
	writeAt := (*func([]byte, int64) (int, error))(unsafe.Pointer(field.UnsafeAddr()))
	real := *writeAt
	*writeAt = func(b []byte, off int64) (int, error) {
		n, err := real(b, off)
		if off < 2*boltPageSize && err == nil {
			*writeAt = real
			err = failure
		}
		return n, err
	}
}

// A commit of which nobody knows whether it is on disk is refused, and later ones
// do not build on it: neither in the file nor in the log.
func TestCommitThatMayHaveHappened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openWith(t, Options{Dir: dir})
	seed(t, r)
	failure := errors.New("input/output error")
	failBehindMeta(r.backend.(*twin).main.db, failure)
	// Nor can the file be made anew for now.
	blocked := filepath.Join(dir, mainName+".new", "x")
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	p8 := func(tx *Tx) error { return tx.PutPeer(peer("p8")) }
	if err := r.Update(t.Context(), p8); !errors.Is(err, ErrStore) || !errors.Is(err, failure) {
		t.Fatal(err)
	}
	p9 := func(tx *Tx) error { return tx.PutPeer(peer("p9")) }
	if err := r.Update(t.Context(), p9); !errors.Is(err, ErrStore) {
		t.Errorf("a change is taken on top of what was refused: %v", err)
	}
	if r.Degraded() == nil {
		t.Error("nothing is said to be wrong")
	}
	if err := os.RemoveAll(filepath.Dir(blocked)); err != nil {
		t.Fatal(err)
	}
	r.backend.(*twin).pause = 0
	update(t, r, p9)
	if err := r.Degraded(); err != nil {
		t.Error(err)
	}
	if _, ok := r.Peer("p8"); ok {
		t.Error("what was refused is in memory")
	}
	after := snapshot(t, dir)
	compareCopies(t, after)
	sameObjects(t, r, open(t, snapshot(t, dir)))
	if err := os.Remove(filepath.Join(after, mainName)); err != nil {
		t.Fatal(err)
	}
	sameObjects(t, r, open(t, after))
	update(t, r, p8)
}
