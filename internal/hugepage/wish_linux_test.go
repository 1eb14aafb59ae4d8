package hugepage

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestAdvice asks the system what it was told about a block's memory.
func TestAdvice(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("no huge pages here:", err)
	}
	b := New(16 << 20)
	all := Take[byte](&b, 16<<20)
	if flags := flagsOf(t, b.wish.start); !slices.Contains(flags, "hg") {
		t.Errorf("before it is filled: %v", flags)
	}
	for i := range all {
		all[i] = 1
	}
	b.Filled()
	if flags := flagsOf(t, b.wish.start+b.wish.octets-1); slices.Contains(flags, "hg") {
		t.Errorf("after it was filled: %v", flags)
	}
	check(t, all, 1)
}

// flagsOf returns the flags of the mapping that holds an address.
func flagsOf(t *testing.T, address uintptr) []string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip("the system does not tell:", err)
	}
	defer f.Close()
	within := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var start, end uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &start, &end); n == 2 {
			within = start <= address && address < end
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && within {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no mapping holds %x: %v", address, lines.Err())
	return nil
}
