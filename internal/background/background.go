// Package background has long work in memory stand back behind answers.
//
// The runtime takes a processor from a goroutine after ten milliseconds only, and
// the system shares a core fairly: a query that arrives while a large zone is
// transferred would wait for one or the other. Work that has begun here runs on
// a thread of low priority, and leaves the runtime a processor more for everything else.
package background

import (
	"os"
	"runtime"
	"sync"
)

// Work is a piece of work that may turn out to be long. It is for the one
// goroutine that does it. The zero value is work that is not long so far.
type Work struct{ long bool }

// Begin has the calling goroutine stand back for the rest of its life: its
// thread ends with it. Begin what has begun does nothing.
func (w *Work) Begin() {
	if w == nil || w.long {
		return
	}
	w.long = true
	processors.more()
	runtime.LockOSThread()
	lowerPriority()
}

// Long reports whether the work has begun to stand back.
func (w *Work) Long() bool { return w != nil && w.long }

// End must be called when the work is done.
func (w *Work) End() {
	if w.long {
		// This stops the world, which must not wait for a thread of low priority.
		var done sync.WaitGroup
		done.Go(processors.less)
		done.Wait()
		w.long = false
	}
}

// processors is the runtime's number of processors, with one more while there is
// long work. It is not there at other times, when it would only have threads look for work
// that others do already.
var processors spare

type spare struct {
	mu    sync.Mutex
	works int
	usual int
}

func (s *spare) more() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works == 0 {
		s.usual = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(s.usual + 1)
	}
	s.works++
}

func (s *spare) less() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works--; s.works > 0 {
		return
	}
	if _, set := os.LookupEnv("GOMAXPROCS"); set {
		runtime.GOMAXPROCS(s.usual)
		return
	}
	runtime.SetDefaultGOMAXPROCS() // follows the system's limits again
}
