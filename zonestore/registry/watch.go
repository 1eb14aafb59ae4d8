package registry

import (
	"context"
	"iter"
	"slices"
)

// feed is the ring of recent changes that followers read. It holds whole
// transactions only, so a follower never sees half of one.
type feed struct {
	changes []Change
	floor   uint64 // changes up to this revision are no longer held
	limit   int
	wake    chan struct{} // closed and replaced when something is added
	closed  bool
}

func newFeed(revision uint64, limit int) feed {
	return feed{floor: revision, limit: limit, wake: make(chan struct{})}
}

// add appends changes and wakes the followers. It never waits for any.
func (f *feed) add(changes []Change) {
	f.changes = append(f.changes, changes...)
	if surplus := len(f.changes) - f.limit; surplus > f.limit/4 {
		f.drop(surplus)
	}
	close(f.wake)
	f.wake = make(chan struct{})
}

// drop forgets the n oldest changes and the rest of the last one's transaction.
func (f *feed) drop(n int) {
	f.floor = f.changes[n-1].Revision
	for n < len(f.changes) && f.changes[n].Revision == f.floor {
		n++
	}
	f.changes = slices.Clone(f.changes[n:])
}

func (f *feed) close() {
	f.closed = true
	close(f.wake)
}

// since returns copies of the changes after a revision. Without any, wake is
// closed when there may be some.
func (f *feed) since(from, newest uint64) (changes []Change, wake <-chan struct{}, err error) {
	switch {
	case f.closed:
		return nil, nil, ErrClosed
	case from < f.floor, from > newest:
		return nil, nil, ErrTooOld
	}
	first, _ := slices.BinarySearchFunc(f.changes, from+1, func(c Change, revision uint64) int {
		if c.Revision < revision {
			return -1
		}
		return 1
	})
	return slices.Clone(f.changes[first:]), f.wake, nil
}

// Watch yields the changes after revision from, in order, each time as many
// whole transactions as there are, and blocks for more. It ends with an error:
// that of ctx, ErrClosed, or ErrTooOld when the follower fell so far behind
// that changes are lost to it. Then it lists everything anew and watches from
// the Revision it took before the listing. Followers never delay a writer.
func (r *Registry) Watch(ctx context.Context, from uint64) iter.Seq2[[]Change, error] {
	return func(yield func([]Change, error) bool) {
		for {
			r.mu.RLock()
			changes, wake, err := r.feed.since(from, r.state.revision)
			r.mu.RUnlock()
			if err != nil {
				yield(nil, err)
				return
			}
			if len(changes) > 0 {
				from = changes[len(changes)-1].Revision
				if !yield(changes, nil) {
					return
				}
				continue
			}
			select {
			case <-wake:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}
