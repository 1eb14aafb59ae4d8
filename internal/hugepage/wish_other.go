//go:build !linux

package hugepage

// Wishes are made only where they are known to be of use.

func (wish) make() {}
func (wish) drop() {}
