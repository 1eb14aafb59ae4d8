package mapped

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestProgramRelease has all pages of the test's own code in memory, and wants most of
// them gone after Release: those that the test itself runs on come back.
func TestProgramRelease(t *testing.T) {
	t.Parallel()
	name, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	spans, err := unchanged(maps, name)
	if err != nil || len(spans) == 0 {
		t.Fatalf("%d mappings, %v", len(spans), err)
	}
	code := spans[0]
	_, _, errno := unix.Syscall(unix.SYS_MADVISE, code.start, code.end-code.start, unix.MADV_POPULATE_READ)
	if errno == unix.EINVAL {
		t.Skip("the kernel is older than 5.14: can't have all pages in memory")
	}
	if errno != 0 {
		t.Fatal(errno)
	}
	before := resident(t)
	if err := (Program{}).Release(); err != nil {
		t.Fatal(err)
	}
	if after := resident(t); before < 100 || after > before*3/4 {
		t.Errorf("%d pages in memory, %d before", after, before)
	}
}

// resident returns how many pages of files are in the process's memory.
func resident(t *testing.T) int {
	t.Helper()
	counts, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, all, files int
	if _, err := fmt.Sscan(string(counts), &size, &all, &files); err != nil {
		t.Fatal(err)
	}
	return files
}
