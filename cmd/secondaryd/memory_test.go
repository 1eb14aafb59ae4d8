package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestKeeperDue(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	now := time.Unix(1e9, 0)
	tests := []struct {
		name string
		k    keeper
		heap heap
		want bool
	}{
		{"garbage, and quiet", keeper{next: 100 * mib}, heap{held: 101 * mib}, true},
		{"little garbage", keeper{next: 100 * mib}, heap{held: 100 * mib}, false},
		{"at work", keeper{next: 100 * mib}, heap{held: 200 * mib, allocated: busy}, false},
		{"work has ended", keeper{next: 100 * mib, spent: 1000 * mib}, heap{held: 200 * mib, allocated: 1000*mib + busy - 1}, true},
		{"just done", keeper{next: 100 * mib, after: now}, heap{held: 200 * mib}, false},
	}
	for _, tc := range tests {
		if got := tc.k.due(tc.heap, now); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
}

// A heap that shrank by itself may not grow back to where it was.
func TestKeeperFollowsDown(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	var k keeper
	k.done(heap{held: 800 << 20}, now, time.Millisecond)
	later := now.Add(time.Hour)
	if k.due(heap{held: 80 << 20}, later) {
		t.Error("due at a tenth")
	}
	if !k.due(heap{held: 100 << 20}, later) {
		t.Error("not due at a quarter more")
	}
	k.done(heap{held: 80 << 20}, later, time.Second)
	if k.due(heap{held: 200 << 20}, later.Add(49*time.Second)) || !k.due(heap{held: 200 << 20}, later.Add(51*time.Second)) {
		t.Error("what takes a second is due after fifty")
	}
}

func TestReadHeap(t *testing.T) {
	t.Parallel()
	before := readHeap()
	large := make([]byte, 64<<20)
	after := readHeap()
	if after.held < 64<<20 || after.allocated < before.allocated+64<<20 {
		t.Errorf("64 MiB more: %+v after %+v", after, before)
	}
	runtime.KeepAlive(large)
}

// TestLoadingHeap: the more is configured, the more is made ready, up to a limit.
func TestLoadingHeap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.db")
	if got := loadingHeap(dir); got != 0 {
		t.Errorf("without a configuration: %d", got)
	}
	for _, tc := range []struct {
		octets int64
		want   int
	}{{0, 0}, {1 << 20, loadingShare << 20}, {1 << 40, maxLoadingHeap}} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, tc.octets); err != nil {
			t.Skipf("the file system has no files that large: %v", err)
		}
		if got := loadingHeap(dir); got != tc.want {
			t.Errorf("configuration of %d octets: got %d, want %d", tc.octets, got, tc.want)
		}
	}
}
