package soak

import (
	"fmt"
	"sync"
	"testing"
)

// maxFaults is how many faults are told in full.
const maxFaults = 40

// faults collects what must not happen. It is safe for concurrent use.
type faults struct {
	mu    sync.Mutex // guards the fields below
	count int
	texts []string
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if len(f.texts) < maxFaults {
		f.texts = append(f.texts, fmt.Sprintf(format, args...))
	}
}

func (f *faults) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// report fails the test if there were any.
func (f *faults) report(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.texts {
		t.Error(text)
	}
	if more := f.count - len(f.texts); more > 0 {
		t.Errorf("and %d more faults", more)
	}
}
