//go:build !linux

package mapped

// Forget does nothing where it is not known to be of use.
func Forget(uintptr, uintptr) error { return nil }
