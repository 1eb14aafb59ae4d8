package zone

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// From how much work on it is shared out: less is done before a goroutine has
// begun.
const (
	manyOctets = 1 << 20
	many       = 1 << 15
)

// inParallel does all the work, at the same time if together is true.
func inParallel(together bool, work ...func() error) error {
	var g errgroup.Group
	for _, w := range work {
		if together {
			g.Go(w)
		} else if err := w(); err != nil {
			return err
		}
	}
	return g.Wait()
}

// inRanges does the work for 0 to n, in ranges at the same time if n is many.
func inRanges(n int, work func(from, to int) error) error {
	if n < many {
		return work(0, n)
	}
	var g errgroup.Group
	parts := runtime.GOMAXPROCS(0)
	for part := range parts {
		g.Go(func() error { return work(n*part/parts, n*(part+1)/parts) })
	}
	return g.Wait()
}
