package harness

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// Entry is one line of the daemon's log.
type Entry map[string]any

// Message is the constant text of the line.
func (e Entry) Message() string { return e.Text("msg") }

// Text is a field as text, empty when it is not there.
func (e Entry) Text(field string) string {
	switch v := e[field].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// Log collects the lines of a daemon's log, over restarts. It is safe for
// concurrent use.
type Log struct {
	mu      sync.Mutex // guards the fields below
	entries []Entry
	plain   []string // lines that are not JSON objects
}

func (l *Log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var e Entry
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		l.plain = append(l.plain, line)
		return
	}
	l.entries = append(l.entries, e)
}

// Len counts the lines so far; it is the place to wait from.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Find returns the lines from the given one on that match.
func (l *Log) Find(from int, match func(Entry) bool) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Entry
	for _, e := range l.entries[from:] {
		if match(e) {
			found = append(found, e)
		}
	}
	return found
}

// Plain returns the lines that are not JSON.
func (l *Log) Plain() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.plain...)
}

// WaitFrom waits for the first line from the given one on that matches.
func (l *Log) WaitFrom(t testing.TB, from int, match func(Entry) bool, description string) Entry {
	t.Helper()
	var found []Entry
	Wait(t, func() bool {
		found = l.Find(from, match)
		return len(found) > 0
	}, "log line: "+description)
	return found[0]
}
