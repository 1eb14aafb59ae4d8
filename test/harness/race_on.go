//go:build race

package harness

// Race tells that the tests run under the race detector: so does the daemon then.
const Race = true
