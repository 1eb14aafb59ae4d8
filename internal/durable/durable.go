// Package durable has names of files survive a power cut. A file that was made,
// renamed or removed is so for good only when the folder that it lies in has been
// synced, beside the file itself.
package durable

import (
	"errors"
	"os"
)

// SyncDir makes what the names in a folder stand for durable. sync is the fsync,
// (*os.File).Sync but for those who test what happens when it fails.
func SyncDir(path string, sync func(*os.File) error) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(sync(dir), dir.Close())
}
