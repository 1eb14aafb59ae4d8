// Package boltmap gives back the memory that a bbolt file takes while nobody
// reads it. bbolt maps its file, and every page that was ever touched counts as
// the process's memory from then on, for each file as much as it is large.
package boltmap

import (
	"go.etcd.io/bbolt"

	"secondaryd/internal/mapped"
)

// Release unmaps no page and loses nothing: what is read again comes from the
// system's cache. It is safe beside other uses of db.
func Release(db *bbolt.DB) error {
	// A transaction keeps the file from being mapped elsewhere meanwhile.
	return db.View(func(tx *bbolt.Tx) error { return mapped.Forget(db.Info().Data, uintptr(tx.Size())) })
}
