package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// filled has n zones of one peer.
func filled(b *testing.B, dir string, n int) {
	b.Helper()
	r, err := Open(Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := r.Update(b.Context(), func(tx *Tx) error { return tx.PutPeer(peer("p")) }); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < n; i += maxOperations {
		err := r.Update(b.Context(), func(tx *Tx) error {
			for j := i; j < min(n, i+maxOperations); j++ {
				if err := tx.PutZone(zone(fmt.Sprintf("%032x", j*7919), fmt.Sprintf("zone%d.example.", j), "p")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRebuild is a start with 100,000 zones and no main file.
func BenchmarkRebuild(b *testing.B) {
	dir := b.TempDir()
	filled(b, dir, 100_000)
	for b.Loop() {
		if err := os.Remove(filepath.Join(dir, mainName)); err != nil {
			b.Fatal(err)
		}
		r, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBegin begins the audit log anew with 100,000 zones: what a change may
// wait for when the file before is full.
func BenchmarkBegin(b *testing.B) {
	dir := b.TempDir()
	filled(b, dir, 100_000)
	r, err := Open(Options{Dir: dir, AuditFiles: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for b.Loop() {
		if r.backend.(*twin).begin(); r.Degraded() != nil {
			b.Fatal(r.Degraded())
		}
	}
}

// BenchmarkOpen is a start with 100,000 zones, both copies verified.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	filled(b, dir, 100_000)
	for b.Loop() {
		r, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate changes one zone of 10,000 a transaction, by one writer and
// by 32 who share commits.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			dir := b.TempDir()
			filled(b, dir, 10_000)
			r, err := Open(Options{Dir: dir})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			b.SetParallelism(writers)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := r.Update(b.Context(), func(tx *Tx) error {
						return tx.PutZone(zone(fmt.Sprintf("%032x", 7919), "zone1.example.", "p"))
					}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
