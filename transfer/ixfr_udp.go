package transfer

import "context"

// differences asks for what has changed since w.base by UDP, once, in place of
// the serial (RFC 1995 section 2). It returns the version that the differences
// lead to, or none, with the serial that the peer has: if that is newer, they
// did not fit a datagram. Whatever fails is for the ordinary way to find out.
func (c *client) differences(ctx context.Context, p peer, w want) (got received, serial uint32, err error) {
	conn, err := c.open(ctx, "udp", p)
	if err != nil {
		return received{}, 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	s, _ := c.stream(p, w)
	changes, _ := s.into.(*ixfr)
	err = askUDP(conn, s.query, min(udpTries[0], c.limits.FirstMessage), func(msg []byte) error {
		got.octets = int64(len(msg))
		_, err := s.message(msg)
		return err
	})
	if err != nil {
		return received{}, 0, err
	}
	switch {
	case changes.phase == phaseSecond:
		return received{}, changes.newest, nil
	case !changes.complete():
		return received{}, 0, fail(StepIXFR, CauseMalformed, "half an answer by UDP")
	}
	octets := got.octets
	if got, err = changes.version(); err != nil {
		return received{}, 0, err
	}
	got.expire, got.octets = s.expire, octets
	if got.zone == nil {
		return got, w.base.Serial(), nil
	}
	return got, got.zone.Serial(), guard(got.zone)
}
