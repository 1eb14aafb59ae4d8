package transfer

import (
	"context"
	"errors"
	"time"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
)

// Some answers leave open which of several faults they mean. The functions here
// ask once more to find out. They run only in a try that has failed already,
// so they cost a primary a few questions, as rarely as tries are made then.

// explain asks what is behind the failure of a transfer, where that is open.
func (c *client) explain(ctx context.Context, p peer, apex wire.Name, e *Error) error {
	switch {
	case errors.Is(e, tsig.ErrBadKey):
		return c.whichAlgorithm(ctx, p, apex, e, c.pollsTCP)
	case e.Step == StepAXFR && (e.Cause == CauseRefused || e.Cause == CauseNotAuth):
		return c.whyRefused(ctx, p, apex, e)
	default:
		return e
	}
}

// whichAlgorithm finds out what BADKEY leaves open, and at some primaries a
// plain refusal: whether the peer knows our key with another algorithm. It asks
// with the others; an answer that shows the key to be known gives the
// algorithm away. Otherwise the fault is what it seemed to be.
func (c *client) whichAlgorithm(
	ctx context.Context, p peer, apex wire.Name, seemed error, ask func(context.Context, peer, wire.Name) error,
) error {
	for _, name := range tsig.Algorithms {
		if name == p.key.Algorithm() || ctx.Err() != nil {
			continue
		}
		other, err := p.key.WithAlgorithm(name)
		if err != nil {
			return err
		}
		signed := p
		signed.key = other
		if knowsKey(ask(ctx, signed, apex)) {
			return fail(StepTSIG, CauseAlgorithm, "it has %s as %s, we as %s", p.key.Name(), name, p.key.Algorithm())
		}
	}
	return seemed
}

// knowsKey tells whether err, of a signed question, shows that the key's name
// and algorithm were known.
func knowsKey(err error) bool {
	return err == nil || errors.Is(err, tsig.ErrBadSig) || errors.Is(err, tsig.ErrMAC) || errors.Is(err, tsig.ErrBadTime)
}

// whyRefused finds out what a refused transfer means. NSD answers REFUSED to a
// key with the wrong algorithm; Knot DNS answers NOTAUTH to whom it does not
// allow the transfer, as it does for a zone that it does not hold.
func (c *client) whyRefused(ctx context.Context, p peer, apex wire.Name, refusal *Error) error {
	if p.key != nil {
		err := c.whichAlgorithm(ctx, p, apex, refusal, c.begins)
		if err != error(refusal) {
			return err
		}
	}
	if refusal.Cause != CauseNotAuth {
		return refusal
	}
	if _, err := c.poll(ctx, p, apex); err != nil {
		return refusal
	}
	return fail(StepAXFR, CauseRefused, "NOTAUTH, though it answers for the zone")
}

// begins reports whether a peer begins to transfer the zone, and ends that.
func (c *client) begins(ctx context.Context, p peer, apex wire.Name) error {
	conn, err := c.open(ctx, "tcp", p)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	q := c.query(p, question{apex: apex, qtype: wire.TypeAXFR})
	raw, err := c.exchange(conn, q)
	if err != nil {
		return err
	}
	msg, err := q.verifier().Next(raw, time.Now())
	if err != nil {
		return err
	}
	_, _, err = q.checkHeader(StepAXFR, msg, true)
	return err
}
