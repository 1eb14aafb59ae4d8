package boltmap

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

var bucket = []byte("b")

// TestRelease fills a file, reads it whole, and wants it out of memory after
// Release and unchanged after that.
func TestRelease(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	value := bytes.Repeat([]byte("v"), 1000)
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucket)
		for i := 0; err == nil && i < 2000; i++ {
			err = b.Put(fmt.Append(nil, i), value)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, db, value)
	before := resident(t, path)
	if err := Release(db); err != nil {
		t.Fatal(err)
	}
	if after := resident(t, path); before < 2000 || after > before/4 {
		t.Errorf("%d KiB in memory, %d before", after, before)
	}
	readAll(t, db, value)
}

func readAll(t *testing.T, db *bbolt.DB, want []byte) {
	t.Helper()
	n := 0
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, value []byte) error {
			n++
			if !bytes.Equal(value, want) {
				return fmt.Errorf("got %q", value)
			}
			return nil
		})
	})
	if err != nil || n != 2000 {
		t.Fatalf("%d values, %v", n, err)
	}
}

// resident returns how much of a mapped file is in the process's memory, in KiB.
func resident(t *testing.T, path string) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(maps), path)
	if !ok {
		t.Fatalf("%s is not mapped", path)
	}
	_, after, _ = strings.Cut(after, "Rss:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
