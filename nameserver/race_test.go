//go:build race

package nameserver

// The race detector has sync.Pool forget at random.
const poolsForget = true
