//go:build !linux

package background

// lowerPriority does nothing: only Linux has a priority for each thread.
func lowerPriority() {}
