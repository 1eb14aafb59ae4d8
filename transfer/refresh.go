package transfer

import (
	"context"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// asker is what a refresh needs of a client.
type asker interface {
	poll(ctx context.Context, p peer, apex wire.Name) (polled, error)
	transfer(ctx context.Context, p peer, w want) (received, error)
}

// refresh brings one zone up to date: it asks the peers in turn until one has
// confirmed the copy or given a newer one (RFC 1034 section 4.3.5). Without a
// copy, with an expired one, or when ordered to, it asks for the transfer at
// once and takes any serial.
func refresh(ctx context.Context, c asker, o order) refreshResult {
	view := o.served.View()
	var r refreshResult
	for _, p := range o.peers {
		a := attempt{peer: p}
		if err := try(ctx, c, o, view, p, &a, &r); err != nil {
			a.err = classify(StepAXFR, err)
		}
		a.at = time.Now()
		r.attempts = append(r.attempts, a)
		if ctx.Err() != nil || r.zone != nil {
			break
		}
		// After a NOTIFY a peer that is not newer does not end the search.
		if r.confirmed && !o.wish.notified {
			break
		}
	}
	return r
}

// try refreshes from one peer.
func try(ctx context.Context, c asker, o order, view *zonestore.View, p peer, a *attempt, r *refreshResult) error {
	anything := view.State != zonestore.StateServing || o.wish.force
	w := want{apex: o.apex, accept: func(soa zone.SOA) error {
		if anything || newer(soa.Serial, view.Serial) {
			return nil
		}
		return olderError(soa.Serial, view.Serial)
	}}
	if !anything {
		got, err := c.poll(ctx, p, o.apex)
		if err != nil {
			return classify(StepSOA, err)
		}
		if got.soa.Serial == view.Serial {
			r.confirm(got.expire)
			return nil
		}
		if err := w.accept(got.soa); err != nil {
			return err
		}
		if p.ixfr {
			w.base = view.Zone
		}
	}
	start := time.Now()
	got, err := c.transfer(ctx, p, w)
	a.kind, a.ixfr = got.kind, got.ixfr
	if err != nil {
		return err
	}
	r.confirm(got.expire)
	if got.zone != nil {
		r.received, r.took, r.from = got, time.Since(start), p
	}
	return nil
}

// confirm notes that the copy is, or has become, what a primary has.
func (r *refreshResult) confirm(e expiry) { r.confirmed, r.expire = true, e }

func olderError(theirs, ours uint32) error {
	return fail(StepCheck, CauseOlder, "serial %d, ours is %d", theirs, ours)
}
