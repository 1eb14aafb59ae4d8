package zone

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// inRanges does the work for 0 to n in ranges of that size, several at the same
// time.
func inRanges(n, size int, work func(from, to int) error) error {
	switch {
	case n == 0:
		return nil
	case n <= size:
		return work(0, n)
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += size {
		g.Go(func() error { return work(from, min(from+size, n)) })
	}
	return g.Wait()
}
