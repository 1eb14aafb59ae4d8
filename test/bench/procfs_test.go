package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A group is a process group, by its id: a server and whatever it forked. What is
// read of processes that end meanwhile is left out.
type group int

// stat is what /proc/PID/stat tells, counted from the state on; see proc(5).
const (
	statGroup    = 2
	statChildren = 13 // user and system time of the children waited for
	statTimes    = 2
	tick         = 10 * time.Millisecond
)

// each calls f with the folder and the fields of each process of the group.
func (g group) each(f func(pid int, dir string, stat []string)) {
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is valid
	for _, dir := range folders {
		text, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue
		}
		stat := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(stat) > statChildren+statTimes && stat[statGroup] == strconv.Itoa(int(g)) {
			pid, _ := strconv.Atoi(filepath.Base(dir)) // the pattern has digits only
			f(pid, dir, stat)
		}
	}
}

// cpu is the time in user and system mode of all processes so far, those that
// have ended included. Of those it is known in ticks only.
func (g group) cpu() time.Duration {
	var sum time.Duration
	g.each(func(pid int, _ string, stat []string) {
		sum += processCPU(pid)
		for _, field := range stat[statChildren : statChildren+statTimes] {
			ticks, _ := strconv.Atoi(field) // the kernel writes numbers
			sum += time.Duration(ticks) * tick
		}
	})
	return sum
}

// memory is the proportional set size of all processes, in octets: what they
// share with each other and what they have mapped of files counts once.
func (g group) memory() int {
	return g.sum("smaps_rollup", "Pss:")
}

// highest is the sum of each process's own peak of resident memory, in octets.
// Where processes share memory it counts more than once.
func (g group) highest() int { return g.sum("status", "VmHWM:") }

func (g group) sum(file, field string) (octets int) {
	g.each(func(_ int, dir string, _ []string) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			octets += kibibytes(text, field)
		}
	})
	return octets
}

func kibibytes(text []byte, field string) (octets int) {
	for line := range bytes.Lines(text) {
		var n int
		if _, err := fmt.Sscanf(string(line), field+" %d kB", &n); err == nil {
			return n << 10
		}
	}
	return 0
}

// A watcher looks at a group's memory again and again for the peak.
type watcher struct {
	stop chan struct{}
	peak chan int
}

const watchStep = 20 * time.Millisecond

func watch(g group) *watcher {
	w := &watcher{stop: make(chan struct{}), peak: make(chan int)}
	go func() {
		ticker := time.NewTicker(watchStep)
		defer ticker.Stop()
		for peak := 0; ; {
			peak = max(peak, g.memory())
			select {
			case <-ticker.C:
			case <-w.stop:
				w.peak <- peak
				return
			}
		}
	}()
	return w
}

// end returns the peak in octets.
func (w *watcher) end() int {
	close(w.stop)
	return <-w.peak
}
