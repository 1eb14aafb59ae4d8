package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ErrConflict is a backend's answer when a guard does not hold. The registry
// is the only writer of its backend, so it means that somebody else wrote.
var ErrConflict = errors.New("stored configuration was changed by another writer")

// maxCommit is with how many puts and deletes a commit takes in no more of the
// transactions that wait. A sync costs as much as writing some hundred objects, so
// those who change many zones get more done for it; who waits behind a full commit
// waits for some milliseconds more.
const maxCommit = 2048

// maxCommitOctets is the same of the objects, before and after: a commit takes some
// times as much memory, since it is written to the file and to the log.
const maxCommitOctets = 8 << 20

// request is one transaction that waits for its commit.
type request struct {
	ctx      context.Context //nolint:containedctx // the caller waits while it lives here
	fn       func(*Tx) error
	done     bool
	err      error
	panicked any
}

// Update runs fn in a transaction and returns after everything fn put and
// deleted is on disk, or an error after which nothing has changed. Transactions
// run one after the other; those that wait at the same time share one commit.
//
// fn runs on another goroutine's stack at times, must be quick, and must not
// call the registry other than through its Tx. An error of fn is returned as
// it is; an error of the disk is an ErrStore.
func (r *Registry) Update(ctx context.Context, fn func(tx *Tx) error) error {
	return r.UpdateEach(ctx, fn)[0]
}

// UpdateEach is Update for several transactions, which follow one another in
// their order and share commits. It returns the error of each.
func (r *Registry) UpdateEach(ctx context.Context, fns ...func(tx *Tx) error) []error {
	requests := make([]*request, len(fns))
	for i, fn := range fns {
		requests[i] = &request{ctx: ctx, fn: fn}
	}
	r.queueMu.Lock()
	r.queue = append(r.queue, requests...)
	r.queueMu.Unlock()
	errs := make([]error, len(requests))
	for i, req := range requests {
		r.commitUntil(req)
		errs[i] = req.err
	}
	for _, req := range requests {
		if req.panicked != nil {
			panic(req.panicked)
		}
	}
	return errs
}

// commitUntil returns when req is done. Whoever gets the lock commits for all
// who queued up behind it meanwhile, and they find their work done.
func (r *Registry) commitUntil(req *request) {
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	for !req.done {
		r.commitLocked()
	}
}

// commitLocked runs queued transactions, as many as make one batch, writes what
// they did and publishes it. commitMu must be held.
func (r *Registry) commitLocked() {
	g := r.newGroup()
	var members []*request
	for g.operations < maxCommit && g.octets < maxCommitOctets {
		req := r.dequeue()
		if req == nil {
			break
		}
		members = append(members, req)
		if r.closed {
			req.err = ErrClosed
			continue
		}
		g.run(req)
	}
	if err := r.store(g); err != nil {
		// A member may have been refused for what another one was about to do,
		// which now did not happen: all of them are told of the disk.
		for _, req := range members {
			req.err = err
		}
	}
	for _, req := range members {
		req.done = true
	}
}

func (r *Registry) dequeue() *request {
	r.queueMu.Lock()
	defer r.queueMu.Unlock()
	if len(r.queue) == 0 {
		return nil
	}
	req := r.queue[0]
	r.queue[0] = nil // or the slice keeps it in memory
	r.queue = r.queue[1:]
	return req
}

// store makes the group durable, then visible.
func (r *Registry) store(g *group) error {
	if len(g.transactions) == 0 {
		return nil
	}
	if err := r.revert(); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	// The members' contexts do not reach the disk: a commit is all of theirs.
	if err := r.backend.Commit(context.Background(), g.batch()); err != nil {
		_ = r.revert() // else before the next one
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, o := range g.view.over {
		if o == nil {
			r.state.delete(k)
		} else {
			r.state.put(o)
		}
	}
	r.state.revision = g.revision
	r.feed.add(news(g.transactions))
	return nil
}

// revert has the backend store what it did before a commit that failed, and of
// which it holds something all the same. commitMu must be held.
func (r *Registry) revert() error {
	b, ok := r.backend.(interface {
		Unsure() bool
		Revert(revision uint64, objects iter.Seq[Entry]) error
	})
	if !ok || !b.Unsure() {
		return nil
	}
	return b.Revert(r.state.revision, r.entries())
}

// group is the transactions of one commit.
type group struct {
	options      *Options
	codec        codec
	view         *view
	revision     uint64 // of the last transaction that did something
	operations   int
	octets       int // of the objects, about
	transactions []Transaction
}

// newGroup begins on the present state. Only the holder of commitMu changes the
// state, so the group reads it without mu.
func (r *Registry) newGroup() *group {
	return &group{
		options:  &r.options,
		codec:    r.codec,
		view:     newView(r.state),
		revision: r.state.revision,
	}
}

// run executes one transaction; one that fails leaves no trace.
func (g *group) run(req *request) {
	if req.err = req.ctx.Err(); req.err != nil {
		return
	}
	tx := &Tx{
		view: g.view, options: g.options, codec: g.codec, revision: g.revision + 1,
		now: g.options.Now().UTC().Truncate(time.Microsecond),
	}
	ok := false
	defer func() {
		if ok {
			return
		}
		req.panicked = recover()
		tx.rollback(0)
	}()
	if req.err = req.fn(tx); req.err != nil {
		return
	}
	ok = true
	if len(tx.undo) == 0 {
		return
	}
	g.revision = tx.revision
	g.operations += len(tx.undo)
	g.octets += tx.octets()
	g.transactions = append(g.transactions, tx.transaction(actorOf(req.ctx)))
}

// batch is the group's work in the backend's terms. Every object that a
// transaction wrote or looked at is guarded.
func (g *group) batch() Batch {
	b := Batch{Transactions: g.transactions}
	for k := range g.view.over {
		g.view.read[k] = true
	}
	for k := range g.view.read {
		guard := Guard{Kind: k.kind, ID: k.id}
		if old := g.view.base.get(k); old != nil {
			guard.Revision = old.revision()
		}
		b.Guards = append(b.Guards, guard)
	}
	return b
}
