package transfer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// asker is what a refresh needs of a client.
type asker interface {
	poll(ctx context.Context, p peer, apex wire.Name) (polled, error)
	transfer(ctx context.Context, p peer, w want) (received, error)
	differences(ctx context.Context, p peer, w want) (received, uint32, error)
}

// refreshing is one refresh under way: it brings one zone up to date by asking
// its peers until one has confirmed the copy or given a newer one (RFC 1034
// section 4.3.5). Without a copy, with an expired one, or when ordered to, it
// takes any serial, but for one that is held: it asks for the transfer at once,
// unless there is a choice of peers to be made by their serials.
type refreshing struct {
	client   asker
	order    order
	view     *zonestore.View
	anything bool // any serial is taken
	result   refreshResult
}

// refresh carries out an order.
func refresh(ctx context.Context, c asker, o order) refreshResult {
	if h := o.wish.release; h != nil {
		return refreshResult{received: h.received, released: true, confirmed: true, from: h.from}
	}
	view := o.served.View()
	r := &refreshing{client: c, order: o, view: view, anything: view.State != zonestore.StateServing || o.wish.force}
	for _, p := range o.leftOut {
		r.note(attempt{peer: p, leftOut: true, err: classify(StepConnect, p.fact)})
	}
	several := len(o.peers) > 1
	switch {
	case o.newest && (several || !r.regardless()):
		r.fromNewest(ctx)
	case several && r.overrides():
		r.forced(ctx)
	case r.regardless():
		r.inTurn(ctx, false, r.transfer)
	default:
		r.inTurn(ctx, true, r.pollAndTransfer)
	}
	if r.overrides() {
		r.endForced(ctx)
	}
	return r.result
}

// regardless reports whether a peer may be asked for the transfer whatever its
// serial, be it not known.
func (r *refreshing) regardless() bool {
	return r.anything && (r.order.held == nil || r.order.wish.force)
}

// overrides reports whether a transfer was ordered although a version is served.
func (r *refreshing) overrides() bool {
	return r.order.wish.force && r.view.State == zonestore.StateServing
}

func (r *refreshing) note(a attempt) {
	a.at = time.Now()
	r.result.attempts = append(r.result.attempts, a)
}

// inTurn tries one peer after the other. After a NOTIFY, and for an order, a peer
// that is not newer does not end the search.
func (r *refreshing) inTurn(ctx context.Context, polls bool, try func(context.Context, peer, *attempt) error) {
	goesOn := r.order.wish.notified || r.order.wish.force
	for _, p := range r.order.peers {
		r.one(ctx, p, polls, try)
		if ctx.Err() != nil || r.result.zone != nil || r.result.confirmed && !goesOn {
			return
		}
	}
}

// one tries a peer, which polls tells is asked for its serial first, and notes what
// came of it.
func (r *refreshing) one(ctx context.Context, p peer, polls bool, try func(context.Context, peer, *attempt) error) {
	a := attempt{peer: p}
	if err := r.inTurnWith(ctx, &a, polls, try); err != nil {
		a.err = classify(StepSOA, err)
	}
	r.note(a)
}

// inTurnWith tries a peer when it is the refresh's turn with it.
func (r *refreshing) inTurnWith(ctx context.Context, a *attempt, polls bool, try func(context.Context, peer, *attempt) error) error {
	if err := r.order.turns.enter(ctx, a.peer, polls); err != nil {
		a.leftOut = classify(StepConnect, err).Cause == CauseCrowded
		return err
	}
	return try(ctx, a.peer, a)
}

// goOn has attempts go on that have asked for the serial alone, with the transfer,
// until one has brought a version.
func (r *refreshing) goOn(ctx context.Context, attempts []*attempt) {
	for _, a := range attempts {
		if ctx.Err() != nil || r.result.zone != nil {
			return
		}
		a.err = nil
		if err := r.inTurnWith(ctx, a, false, r.transfer); err != nil {
			a.err = classify(StepAXFR, err)
		}
		a.at = time.Now()
	}
}

// left returns the attempts that have asked for no transfer, though the peer was
// asked.
func (r *refreshing) left() (attempts []*attempt) {
	for i := range r.result.attempts {
		if a := &r.result.attempts[i]; !a.leftOut && a.kind == kindNone {
			attempts = append(attempts, a)
		}
	}
	return attempts
}

// fromNewest asks all peers for their serials and then those that are newer for
// a transfer, the newest first, until one has given it. Where any serial is taken
// the others follow, those last that did not tell theirs.
func (r *refreshing) fromNewest(ctx context.Context) {
	for _, p := range r.order.peers {
		r.one(ctx, p, true, func(ctx context.Context, p peer, a *attempt) (err error) {
			a.offers, err = r.poll(ctx, p, a)
			return err
		})
	}
	left := r.left()
	if !r.regardless() {
		left = slices.DeleteFunc(left, func(a *attempt) bool { return !a.offers })
	}
	slices.SortStableFunc(left, preferred)
	r.goOn(ctx, left)
}

// preferred compares what peers have told: who offers something comes first, and of
// equals who is newer.
func preferred(a, b *attempt) int {
	switch {
	case a.rank() != b.rank():
		return cmp.Compare(a.rank(), b.rank())
	case newer(a.serial, b.serial):
		return -1
	case newer(b.serial, a.serial):
		return +1
	default:
		return 0
	}
}

func (a *attempt) rank() int {
	switch {
	case a.offers:
		return 0
	case a.known:
		return 1
	default:
		return 2
	}
}

func (r *refreshing) pollAndTransfer(ctx context.Context, p peer, a *attempt) error {
	if r.order.datagrams && p.ixfr && p.tls == nil && r.order.held == nil && !r.anything {
		switch result, err := r.byDatagram(ctx, p, a); result {
		case datagramDid:
			return err
		case datagramNewer:
			return r.transfer(ctx, p, a)
		}
	}
	isNewer, err := r.poll(ctx, p, a)
	if !isNewer || err != nil {
		return err
	}
	return r.transfer(ctx, p, a)
}

// What a question by UDP for the differences can come to.
type datagramResult uint8

const (
	datagramFailed datagramResult = iota // the ordinary way finds out why
	datagramNewer                        // there is more than fits
	datagramDid                          // the copy is up to date, or has become so
)

// byDatagram asks a peer for the differences by UDP, in place of its serial.
func (r *refreshing) byDatagram(ctx context.Context, p peer, a *attempt) (datagramResult, error) {
	start := time.Now()
	got, serial, err := r.client.differences(ctx, p, want{apex: r.order.apex, base: r.view.Zone, accept: r.accept})
	if err != nil {
		return datagramFailed, nil
	}
	a.serial, a.known, a.rtt = serial, true, time.Since(start)
	if got.zone == nil && serial != r.view.Serial {
		return datagramNewer, nil
	}
	if got.zone == nil {
		a.blind = true
		r.result.confirm(got.expire)
		return datagramDid, nil
	}
	v, err := r.order.guard.judge(ctx, r.view.Zone, got, time.Now())
	if err != nil || v.hold != nil {
		return datagramFailed, err
	}
	a.kind, a.octets, a.took = got.kind, got.octets, a.rtt
	r.take(got, v, p, a.took)
	return datagramDid, nil
}

// take makes a version what the refresh has come to. What others said of the end of
// the copy counts on if that goes on being served.
func (r *refreshing) take(got received, v verdict, from peer, took time.Duration) {
	if v.hold != nil && r.result.confirmed {
		got.expire = got.expire.longer(r.result.expire)
	}
	r.result.confirmed = true
	r.result.received, r.result.verdict, r.result.took, r.result.from = got, v, took, from
}

// poll asks a peer for its serial and reports whether that is newer than ours, if
// we serve a version.
func (r *refreshing) poll(ctx context.Context, p peer, a *attempt) (isNewer bool, err error) {
	start := time.Now()
	got, err := r.client.poll(ctx, p, r.order.apex)
	if err != nil {
		return false, classify(StepSOA, err)
	}
	a.serial, a.known, a.rtt = got.soa.Serial, true, time.Since(start)
	if r.view.State == zonestore.StateServing && got.soa.Serial == r.view.Serial {
		a.differs = got.soa != r.view.Zone.SOA()
		r.result.confirm(got.expire)
		return false, nil
	}
	if r.order.held.keepsBack(got.soa.Serial, r.view.Serial) {
		r.result.confirm(got.expire) // the hold is ours: the primary does its part
		return false, nil
	}
	if err := r.accept(got.soa); err != nil {
		return false, err
	}
	return r.view.State != zonestore.StateServing || newer(got.soa.Serial, r.view.Serial), nil
}

// base is the version of which the differences to what the peer offers are asked
// for: the served one, or the one that is held behind it.
func (r *refreshing) base(offered uint32) *zone.Zone {
	if h := r.order.held; h != nil && h.zone != nil && newer(offered, h.serial) {
		return h.zone
	}
	return r.view.Zone
}

// accept refuses a version that is not newer, unless any is taken, and what a
// rollback keeps back, which a peer may give in place of what it promised.
func (r *refreshing) accept(soa zone.SOA) error {
	if gone := r.order.held.rollback(); !r.order.wish.force && gone.keepsBack(soa.Serial, r.view.Serial) {
		return fail(StepCheck, CauseRolledBack, "serial %d, a newer one than %d is taken", soa.Serial, gone.serial)
	}
	if r.anything || newer(soa.Serial, r.view.Serial) {
		return nil
	}
	return r.older(soa.Serial)
}

func (r *refreshing) older(serial uint32) *Error {
	return fail(StepCheck, CauseOlder, "serial %d, ours is %d", serial, r.view.Serial)
}

// transfer fetches what a peer has. Differences that lead to a version that is
// not what its digest says may be at fault themselves: the zone is fetched whole
// then.
func (r *refreshing) transfer(ctx context.Context, p peer, a *attempt) error {
	w := want{apex: r.order.apex, accept: r.accept, work: r.order.work}
	if p.ixfr && !r.anything {
		w.base = r.base(a.serial)
	}
	got, v, err := r.fetch(ctx, p, a, w)
	if err == nil && got.kind == kindIXFR && v.hold != nil && v.hold.wholeMayDo() {
		w.base, a.ixfr = nil, v.hold
		got, v, err = r.fetch(ctx, p, a, w)
	}
	if err != nil {
		return classify(StepAXFR, err)
	}
	if got.zone == nil {
		r.result.confirm(got.expire)
		return nil
	}
	// What was ordered may have our serial, and should have our records then.
	a.differs = r.view.Zone != nil && got.zone.Serial() == r.view.Serial && !got.zone.SameAs(r.view.Zone)
	r.take(got, v, p, a.took)
	return nil
}

// wholeMayDo reports whether what a version is held for may be the fault of the
// differences that led to it.
func (e *Error) wholeMayDo() bool { return e.Cause == CauseZONEMD || e.Cause == CauseDNSSEC }

// fetch transfers a version and has the guard look at it.
func (r *refreshing) fetch(ctx context.Context, p peer, a *attempt, w want) (got received, v verdict, err error) {
	start := time.Now()
	got, err = r.client.transfer(ctx, p, w)
	a.kind = got.kind
	if got.ixfr != nil {
		a.ixfr = got.ixfr
	}
	if err != nil || got.zone == nil {
		return got, v, err
	}
	a.serial, a.known, a.octets, a.took = got.zone.Serial(), true, got.octets, time.Since(start)
	if w.base != r.view.Zone {
		got.changes = nil // they do not lead from the served version
	}
	v, err = r.order.guard.judge(ctx, r.view.Zone, got, time.Now())
	return got, v, err
}

// confirm notes that the copy is what a primary has. Of several primaries the one
// that leaves it most time counts.
func (r *refreshResult) confirm(e expiry) {
	if r.confirmed {
		e = e.longer(r.expire)
	}
	r.confirmed, r.expire = true, e
}
