// Package harness runs the built secondaryd and real servers for tests that
// look from the outside only: REST, DNS, logs, metrics, signals.
//
// Everything that it starts listens on free ports of 127.0.0.1, keeps its files
// in a temporary directory of the test, is ended when the test ends, and dies
// with the test's process. Helpers that take a test fail it instead of returning
// an error, and are for the test's own goroutine unless they say otherwise.
package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// Limits of waiting. Generous ones: they are reached only by a test that fails.
const (
	waitLimit = 20 * time.Second
	waitStep  = 10 * time.Millisecond
)

// Wait polls until cond holds. It fails the test when that takes 20 seconds.
func Wait(t testing.TB, cond func() bool, description string) {
	t.Helper()
	WaitFor(t, waitLimit, cond, description)
}

// WaitFor is Wait with a limit of its own.
func WaitFor(t testing.TB, limit time.Duration, cond func() bool, description string) {
	t.Helper()
	if !poll(limit, cond) {
		t.Fatalf("waited %v in vain: %s", limit, description)
	}
}

// poll asks cond again and again and returns false when limit has passed.
func poll(limit time.Duration, cond func() bool) bool {
	ticker := time.NewTicker(waitStep)
	defer ticker.Stop()
	for end := time.Now().Add(limit); ; <-ticker.C {
		if cond() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// AccountID is the account of all objects that tests make.
const AccountID = "0123456789abcdef0123456789abcdef"

// ZoneID is the id under which tests configure a zone, made from its name.
func ZoneID(name string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSuffix(name, "."))))
	return hex.EncodeToString(sum[:16])
}
