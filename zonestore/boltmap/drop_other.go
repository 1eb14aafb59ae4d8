//go:build !linux

package boltmap

// drop does nothing where it is not known to be of use.
func drop(uintptr, uintptr) error { return nil }
