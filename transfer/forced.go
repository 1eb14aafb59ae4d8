package transfer

import "context"

// forced carries out the order of a transfer where there is a choice of peers: the
// first that is newer gives it. If none is, the first that can gives it, whatever
// its serial; a newer version that is held comes before others then.
func (r *refreshing) forced(ctx context.Context) {
	r.inTurn(ctx, true, r.pollAndTransfer)
	var held, rest []*attempt
	for _, a := range r.left() {
		switch {
		case a.err != nil && a.err.silent():
		case a.known && newer(a.serial, r.view.Serial):
			held = append(held, a)
		default:
			rest = append(rest, a)
		}
	}
	r.goOn(ctx, append(held, rest...))
}

// endForced has the result of an order tell which peers are behind.
func (r *refreshing) endForced(ctx context.Context) {
	r.reportOlder()
	if ctx.Err() != nil && r.result.zone == nil {
		r.result.confirmed = false // the word of a poll does not carry out the order
	}
}

// reportOlder has the peers fail that are behind the copy, and behind what an order
// brought in its place.
func (r *refreshing) reportOlder() {
	for i := range r.result.attempts {
		a := &r.result.attempts[i]
		if a.err == nil && a.known && r.isBehind(a.serial) {
			a.err = r.older(a.serial)
		}
	}
}

func (r *refreshing) isBehind(serial uint32) bool {
	behind := func(other uint32) bool { return serial != other && !newer(serial, other) }
	return behind(r.view.Serial) && (r.result.zone == nil || behind(r.result.zone.Serial()))
}
