//go:build amd64 || arm64

package zone

import "unsafe"

// prefetch has the processor bring the cache line at p, without waiting.
//
//go:noescape
func prefetch(p unsafe.Pointer)
