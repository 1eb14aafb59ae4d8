package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"
)

// dataDir is the daemon's folder, locked for as long as the process lives: two
// daemons on one folder would lose each other's work.
type dataDir struct {
	lock *os.File
}

// openDataDir makes the folder if need be and locks it. A folder that others
// can read is closed to them, or warned of: it is no reason not to start.
func openDataDir(path string, log *zap.Logger) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	tighten(path, log)
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data_dir %s can't be written: %w", path, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("data_dir %s is in use by another secondaryd: stop it, or give this one a folder of its own", path)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &dataDir{lock: lock}, nil
}

// Close lets go of the lock.
func (d *dataDir) Close() error { return d.lock.Close() }

func tighten(path string, log *zap.Logger) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	if err := os.Chmod(path, info.Mode().Perm()&0o700); err != nil {
		log.Warn("data_dir holds secrets and others can read it: it should be mode 0700", zap.String("path", path), zap.Error(err))
		return
	}
	log.Info("data_dir was open to others and is now mode 0700", zap.String("path", path))
}
