package dnssec

import (
	"context"
	"runtime"
	"sync"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// task is one name to look at.
type task struct {
	node zone.Node
	want want
}

// tasksAtOnce is how many names a goroutine gets.
const tasksAtOnce = 64

// walk looks at every name: in canonical order for what must be in order, and by
// several goroutines for what costs time.
func (v *validation) walk(ctx context.Context) error {
	param, hashed := v.zone.NSEC3()
	switch {
	case hashed && param.Iterations > zone.MaxNSEC3Iterations:
		v.problem(v.zone.Apex(), wire.TypeNSEC3PARAM, "%d iterations, at most %d are computed", param.Iterations, zone.MaxNSEC3Iterations)
		hashed = false
	case hashed:
		v.checkRing(param)
	case !v.zone.HasNSEC():
		v.problem(v.zone.Apex(), wire.TypeNSEC, "the zone has neither NSEC nor NSEC3 records of a chain that is complete")
	}
	batches := make(chan []task)
	workers := make([]worker, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i := range workers {
		w := &workers[i]
		w.validation = v
		running.Go(func() { w.run(ctx, batches, param) })
	}
	g := &guide{out: batches, hashed: hashed}
	if v.zone.HasNSEC() {
		g.chain = &nsecChain{w: &worker{validation: v}}
	}
	err := g.lead(ctx, v)
	close(batches)
	running.Wait()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // the last batches may have been dropped
	}
	if hashed {
		v.checkSurplus(workers)
	}
	return nil
}

// run works until there are no more batches.
func (w *worker) run(ctx context.Context, batches <-chan []task, p zone.NSEC3Param) {
	for batch := range batches {
		for _, t := range batch {
			if ctx.Err() != nil {
				break
			}
			w.checkSets(t.node)
			if t.want != wantNone {
				w.checkHash(t.node, t.want, p)
			}
		}
	}
}

// checkSets verifies the RRsets at a name that must have a signature: not those
// which a delegation leaves to the zone below, and not the DNSKEY RRset, which
// was verified before all others.
func (w *worker) checkSets(n zone.Node) {
	for set := range n.Sets() {
		switch {
		case set.Len() == 0:
		case n.IsCut() && set.Type != wire.TypeDS && set.Type != wire.TypeNSEC:
		case n.IsApex() && set.Type == wire.TypeDNSKEY:
		default:
			w.verify(n, set, w.keys)
		}
	}
}

// checkSurplus wants every record of the NSEC3 chain to be that of a name.
func (v *validation) checkSurplus(workers []worker) {
	surplus := 0
	for range v.zone.NSEC3Nodes() {
		surplus++
	}
	for i := range workers {
		surplus -= workers[i].matching
	}
	if surplus > 0 {
		v.problem(v.zone.Apex(), wire.TypeNSEC3, "%d records of the chain are of names that the zone does not have", surplus)
	}
}

// guide leads through the names in canonical order.
type guide struct {
	out    chan<- []task
	batch  []task
	hashed bool
	chain  *nsecChain // nil without an NSEC chain
	// above are the empty non-terminals above the current name, the topmost
	// first: what is below them decides whether they must have an NSEC3 record.
	above []task
}

// lead hands out all names; the error is that of the context.
func (g *guide) lead(ctx context.Context, v *validation) error {
	for n := range v.zone.Ordered() {
		g.take(v, n)
		if len(g.batch) >= tasksAtOnce && !g.send(ctx) {
			return ctx.Err()
		}
	}
	g.leave(0)
	if g.chain != nil {
		g.chain.reach(v.zone.Top())
	}
	if !g.send(ctx) {
		return ctx.Err()
	}
	return nil
}

// take looks at what one name is, and at its place in the NSEC chain.
func (g *guide) take(v *validation, n zone.Node) {
	switch {
	case n.IsBelowCut() || n.IsOccluded() && !n.IsHidden():
		if _, ok := n.Set(wire.TypeNSEC); ok {
			v.problem(n.Name(), wire.TypeNSEC, "the zone has no authority for the name, so it must not own the record")
		}
		return
	case n.IsHidden():
		g.add(n, wantNone)
		return
	}
	g.leaveFor(n)
	if n.IsEmpty() {
		g.above = append(g.above, task{n, wantOptOut})
		return
	}
	if g.chain != nil {
		g.chain.take(n)
	}
	want := wantRecord
	if _, secure := n.Set(wire.TypeDS); n.IsCut() && !secure {
		want = wantOptOut
	}
	for i := len(g.above) - 1; i >= 0 && g.above[i].want < want; i-- {
		g.above[i].want = want
	}
	g.add(n, want)
}

// leaveFor leaves the empty non-terminals that n is not below.
func (g *guide) leaveFor(n zone.Node) {
	depth := len(g.above)
	for depth > 0 && !n.Name().In(g.above[depth-1].node.Name()) {
		depth--
	}
	g.leave(depth)
}

// leave hands out all but the topmost depth of the empty non-terminals.
func (g *guide) leave(depth int) {
	for _, t := range g.above[depth:] {
		g.add(t.node, t.want)
	}
	g.above = g.above[:depth]
}

func (g *guide) add(n zone.Node, want want) {
	if !g.hashed {
		want = wantNone
	}
	g.batch = append(g.batch, task{n, want})
}

// send hands out the batch; false if the context ended.
func (g *guide) send(ctx context.Context) bool {
	select {
	case g.out <- g.batch:
		g.batch = make([]task, 0, tasksAtOnce)
		return true
	case <-ctx.Done():
		return false
	}
}
