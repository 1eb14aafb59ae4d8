package background

import (
	"runtime"
	"sync"
	"testing"
)

// TestWork: while there is long work, the runtime has one processor more,
// however much of it there is; afterwards as many as before.
func TestWork(t *testing.T) {
	usual := runtime.GOMAXPROCS(0)
	var begun, done sync.WaitGroup
	end := make(chan struct{})
	const works = 5
	begun.Add(works)
	for range works {
		done.Go(func() {
			var w Work
			defer w.End()
			w.Begin()
			w.Begin()
			begun.Done()
			<-end
		})
	}
	begun.Wait()
	if n := runtime.GOMAXPROCS(0); n != usual+1 {
		t.Errorf("%d processors during the work, want %d", n, usual+1)
	}
	close(end)
	done.Wait()
	if n := runtime.GOMAXPROCS(0); n != usual {
		t.Errorf("%d processors after the work, want %d", n, usual)
	}
}

// TestShortWork: work that does not turn out long changes nothing.
func TestShortWork(t *testing.T) {
	usual := runtime.GOMAXPROCS(0)
	var w Work
	w.End()
	(*Work)(nil).Begin()
	if n := runtime.GOMAXPROCS(0); n != usual {
		t.Errorf("%d processors, want %d", n, usual)
	}
}

// TestGivenProcessors: a number that was set stays what it is.
func TestGivenProcessors(t *testing.T) {
	t.Setenv("GOMAXPROCS", "7")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(7))
	var done sync.WaitGroup
	done.Go(func() {
		var w Work
		w.Begin()
		w.End()
	})
	done.Wait()
	if n := runtime.GOMAXPROCS(0); n != 7 {
		t.Errorf("%d processors after the work, want 7", n)
	}
}
