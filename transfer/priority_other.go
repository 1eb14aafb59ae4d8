//go:build !linux

package transfer

// stepBack does nothing where threads have no priority of their own.
func stepBack() {}
