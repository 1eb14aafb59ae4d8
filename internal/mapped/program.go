package mapped

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Program is the file of the program that runs: its code and its constants.
type Program struct{}

// Release has the process hold no page of it. Most were of use to a start, or to work
// that has ended; what runs on has its own again at once. Where the system does not tell
// what is mapped, or the process is locked in memory, nothing is done.
func (Program) Release() error {
	name, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return unlessHidden(err)
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return unlessHidden(err)
	}
	defer maps.Close()
	spans, err := unchanged(maps, name)
	if err != nil {
		return err
	}
	for _, s := range spans {
		if err := Forget(s.start, s.end-s.start); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("%x-%x of %s: %w", s.start, s.end, name, err)
		}
	}
	return nil
}

func unlessHidden(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// span is a range of addresses.
type span struct{ start, end uintptr }

// unchanged returns, from smaps, where that file is mapped that can't be written and is
// as it is in the file. A debugger may have changed code, and the system addresses among
// the constants; what was changed may be in memory or swapped out.
func unchanged(smaps io.Reader, name string) (spans []span, err error) {
	within := false // the last of spans
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		line := lines.Text()
		switch key, value, _ := strings.Cut(line, ":"); key {
		case "Anonymous", "Swap":
			if within && strings.TrimSpace(value) != "0 kB" {
				spans, within = spans[:len(spans)-1], false
			}
			continue
		}
		if line == "" || line[0] >= 'A' && line[0] <= 'Z' {
			continue // another fact of the same mapping
		}
		var s span
		if s, within = readOnly(line, name); within {
			spans = append(spans, s)
		}
	}
	return spans, lines.Err()
}

// readOnly reads the first line of a mapping: its addresses, if it is one of that file
// that can't be written.
func readOnly(line, name string) (s span, ok bool) {
	line, ok = strings.CutSuffix(line, " "+name)
	if !ok {
		return span{}, false
	}
	var access string
	if _, err := fmt.Sscanf(line, "%x-%x %s", &s.start, &s.end, &access); err != nil {
		return span{}, false
	}
	return s, strings.HasPrefix(access, "r-")
}
