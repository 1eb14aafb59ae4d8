//go:build !race

package nameserver

const poolsForget = false
