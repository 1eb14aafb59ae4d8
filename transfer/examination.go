package transfer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// examination is the diagnosis of one peer under way. Its steps build on each
// other: where one can't be taken, it says why.
type examination struct {
	client *client
	peer   peer
	apex   wire.Name
	view   *zonestore.View // our copy
	tell   func(Diagnosis) // after each step

	findings []Finding
	usable   bool // the peer can be asked at all
	linked   bool // there is a connection by TCP, with TLS if it is to be
	udp, tcp said
	skew     *time.Duration
	begun    *zone.SOA // that a transfer began with
}

// said is what a peer answered to a SOA query.
type said struct {
	soa *zone.SOA
	err *Error
}

// skip is why a step is not taken.
type skip string

func (s skip) Error() string { return string(s) }

// clockNotice is from when on clocks that differ are pointed out; TSIG allows
// tsig.Fudge seconds.
const clockNotice = time.Minute

func (x *examination) run(ctx context.Context) {
	for _, step := range []struct {
		name string
		take func(context.Context) (detail string, err error)
	}{
		{"address", x.address},
		{"soa_udp", x.soaByUDP},
		{"tcp", x.connect},
		{"tls", x.handshake},
		{"soa_tcp", x.soaByTCP},
		{"authority", x.authority},
		{"tsig", x.signature},
		{"clock", x.clock},
		{"axfr", x.axfr},
		{"ixfr", x.ixfr},
		{"serial", x.serial},
	} {
		x.take(ctx, step.name, step.take)
	}
}

// take takes one step and notes what came of it.
func (x *examination) take(ctx context.Context, name string, do func(context.Context) (string, error)) {
	start := time.Now()
	f := Finding{Name: name}
	var err error = skip("the time was over before")
	if ctx.Err() == nil {
		f.Detail, err = do(ctx)
	}
	if ctx.Err() != nil && err != nil {
		err = skip("the time was over before this was found out")
	}
	f.Took = time.Since(start)
	x.add(f, err)
	x.tell(x.result())
}

func (x *examination) add(f Finding, err error) {
	f.Outcome = OutcomeOK
	if why, ok := errors.AsType[skip](err); ok {
		f.Outcome, f.Detail = OutcomeSkipped, string(why)
	} else if err != nil {
		e := classify(StepCheck, err)
		f.Outcome, f.Cause, f.Detail, f.Advice = OutcomeFailed, e.Cause, e.shown(), e.Advice()
	}
	if f.Name == "clock" && f.Outcome == OutcomeOK && x.skew.Abs() >= clockNotice {
		f.Advice = (&Error{Cause: CauseClock}).Advice()
	}
	x.findings = append(x.findings, f)
}

// shown is what is told of a failure to who had a peer examined. The library's
// words about TLS are not: at that point, what answers need not be DNS, and what
// else it is remains its own affair.
func (e *Error) shown() string {
	if e.Err == nil || causeOfTLS(e.Err) != "" {
		return ""
	}
	return e.Err.Error()
}

func (x *examination) result() Diagnosis {
	d := Diagnosis{Peer: x.peer.id, Findings: x.findings, Skew: x.skew}
	if x.peer.addr.IsValid() {
		d.Address = x.peer.addr.String()
	}
	return d
}

// address looks at the configuration of the peer.
func (x *examination) address(context.Context) (string, error) {
	if x.peer.fact != nil {
		return "", x.peer.fact
	}
	if err := registry.CheckPeerAddr(x.peer.addr.Addr(), x.client.limits.ForbidPrivate); err != nil {
		return "", &Error{Step: StepConnect, Cause: CauseForbidden, Err: err}
	}
	x.usable = true
	return x.peer.addr.String(), nil
}

const notUsable = skip("the peer can't be asked as it is configured")

func (x *examination) soaByUDP(ctx context.Context) (string, error) {
	switch {
	case !x.usable:
		return "", notUsable
	case x.peer.tls != nil:
		return "", skip("a peer with TLS is asked by nothing else")
	}
	got, truncated, err := x.client.pollUDP(ctx, x.peer, x.apex)
	if x.client.mindsEDNS(x.peer, err) {
		got, truncated, err = x.client.pollUDP(ctx, x.peer, x.apex)
	}
	if err == nil && truncated {
		return "an answer that is truncated: TCP has the rest", nil
	}
	x.udp = answered(got, err)
	return x.udp.asStep()
}

func answered(got polled, err error) said {
	if err != nil {
		return said{err: classify(StepSOA, err)}
	}
	return said{soa: &got.soa}
}

// asStep says what a SOA query came to, without what has a step of its own.
func (s said) asStep() (string, error) {
	switch {
	case s.err == nil:
		return fmt.Sprintf("serial %d", s.soa.Serial), nil
	case s.err.Step == StepTSIG:
		return "an answer whose signature can't be used: see tsig", nil
	case s.err.Cause == CauseLame:
		return "an answer without authority: see authority", nil
	default:
		return "", s.err
	}
}

// connect finds out whether something listens by TCP. It sends nothing.
func (x *examination) connect(ctx context.Context) (string, error) {
	if !x.usable {
		return "", notUsable
	}
	bare := x.peer
	bare.tls = nil
	conn, err := x.client.open(ctx, "tcp", bare)
	if err != nil {
		return "", err
	}
	x.linked = true
	return "", conn.Close()
}

func (x *examination) handshake(ctx context.Context) (string, error) {
	switch {
	case x.usable && x.peer.tls == nil:
		return "", skip("the peer has no tls")
	case !x.linked:
		return "", skip("there is no connection")
	}
	x.linked = false
	x.peer.tls = x.peer.tls.Clone()
	x.peer.tls.ClientSessionCache = nil // a session that is resumed would prove less
	conn, err := x.client.open(ctx, "tcp", x.peer)
	if err != nil {
		return "", err
	}
	x.linked = true
	return "TLS 1.3", conn.Close()
}

func (x *examination) soaByTCP(ctx context.Context) (string, error) {
	if !x.linked {
		return "", skip("there is no connection")
	}
	got, err := x.poll(ctx)
	if x.client.mindsEDNS(x.peer, err) {
		got, err = x.poll(ctx)
	}
	x.tcp = answered(got, err)
	return x.tcp.asStep()
}

// poll asks for the SOA over a connection of its own.
func (x *examination) poll(ctx context.Context) (got polled, err error) {
	q := x.client.query(x.peer, question{apex: x.apex, qtype: wire.TypeSOA})
	err = x.ask(ctx, q, func(_ net.Conn, msg []byte) (err error) {
		var truncated bool
		if got, truncated, err = soaAnswer(q, msg); truncated {
			return fail(StepSOA, CauseMalformed, "TC set in an answer by TCP")
		}
		return err
	})
	return got, err
}

// ask sends a query over a connection of its own and gives what first comes
// back, its signature verified, to take; the connection is closed then, whatever
// more the peer would have sent.
func (x *examination) ask(ctx context.Context, q *query, take func(conn net.Conn, msg []byte) error) error {
	conn, err := x.client.open(ctx, "tcp", x.peer)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	raw, err := x.client.exchange(conn, q)
	if err != nil {
		return classify(q.step(), err)
	}
	if h, ok := wire.ParseHeader(raw); !ok || h.ID != q.id || h.Flags&wire.FlagQR == 0 {
		return &Error{Step: q.step(), Cause: CauseNotDNS}
	}
	v := q.verifier()
	msg, err := v.Next(raw, time.Now())
	if err != nil {
		return classify(q.step(), signatureError(q.step(), raw, err))
	}
	if signed, ok := v.(*tsig.Answer); ok {
		x.skew = new(signed.Skew())
	}
	return take(conn, msg)
}

func (x *examination) authority(context.Context) (string, error) {
	for _, s := range []said{x.tcp, x.udp} {
		if s.err != nil && s.err.Cause == CauseLame {
			return "", s.err
		}
	}
	if x.tcp.soa == nil && x.udp.soa == nil {
		return "", skip("no SOA came")
	}
	return "", nil
}

// signature tells which fault of the key it is, if it is one.
func (x *examination) signature(ctx context.Context) (string, error) {
	if x.usable && x.peer.key == nil {
		return "", skip("the peer has no key")
	}
	for _, s := range []said{x.tcp, x.udp} {
		if s.err == nil || s.err.Step != StepTSIG {
			continue
		}
		if errors.Is(s.err, tsig.ErrBadKey) {
			return "", x.client.whichAlgorithm(ctx, x.peer, x.apex, s.err, x.client.pollsTCP)
		}
		return "", s.err
	}
	if x.tcp.soa == nil && x.udp.soa == nil {
		return "", skip("no signed answer came")
	}
	return x.peer.key.String(), nil
}

// clock tells how far the clocks are apart, which nothing but TSIG says.
func (x *examination) clock(context.Context) (string, error) {
	if x.usable && x.peer.key == nil {
		return "", skip("the peer has no key, and without one an answer does not tell the time")
	}
	for _, s := range []said{x.tcp, x.udp} {
		if s.err == nil || s.err.Cause != CauseClock {
			continue
		}
		if apart, ok := errors.AsType[*tsig.SkewError](s.err); ok {
			x.skew = &apart.Skew
		}
		return "", s.err
	}
	switch {
	case x.skew == nil:
		return "", skip("no signed answer came")
	case *x.skew < 0:
		return fmt.Sprintf("theirs is %s behind ours", -*x.skew), nil
	default:
		return fmt.Sprintf("theirs is %s ahead of ours", *x.skew), nil
	}
}

// answers reports why a transfer is not worth asking for, nil if it is.
func (x *examination) answers() error {
	switch e := x.tcp.err; {
	case !x.linked:
		return skip("there is no connection")
	case e == nil:
		return nil
	case e.Step == StepTSIG:
		return skip("the key does not do: see tsig")
	case e.silent(), e.Step == StepTLS, e.Cause == CauseClosed, e.Cause == CauseReset, e.Cause == CauseNotDNS:
		return skip("no answer came by TCP")
	default:
		return nil
	}
}

// axfr finds out whether the peer would transfer the zone: it begins to, and is
// left then.
func (x *examination) axfr(ctx context.Context) (string, error) {
	if err := x.answers(); err != nil {
		return "", err
	}
	g, err := x.begin(ctx, question{apex: x.apex, qtype: wire.TypeAXFR})
	if err != nil {
		return "", x.client.explain(ctx, x.peer, x.apex, classify(StepAXFR, err))
	}
	x.begun = &g.first
	return fmt.Sprintf("a transfer of serial %d begins; it was ended after its first message", g.first.Serial), nil
}

// ixfr finds out how the peer answers a question for the differences from our
// copy.
func (x *examination) ixfr(ctx context.Context) (string, error) {
	switch err := x.answers(); {
	case err != nil:
		return "", err
	case !x.peer.ixfr:
		return "", skip("the peer has no ixfr_enable")
	case x.view.Zone == nil:
		return "", skip("there is no copy of which differences could be asked for")
	}
	g, err := x.begin(ctx, question{apex: x.apex, qtype: wire.TypeIXFR, base: x.view.Zone})
	switch ours := x.view.Serial; {
	case err != nil:
		return "", classify(StepIXFR, err)
	case g.records == 1:
		return fmt.Sprintf("a single SOA: nothing newer than our serial %d", ours), nil
	case g.from == nil:
		return fmt.Sprintf("the whole zone: no differences from our serial %d", ours), nil
	case *g.from != ours:
		return "", fail(StepIXFR, CauseChain, "the first difference begins with serial %d, not with ours, %d", *g.from, ours)
	default:
		return fmt.Sprintf("differences from our serial %d to %d", ours, g.first.Serial), nil
	}
}

// begin has a transfer begin and returns what its first records say.
func (x *examination) begin(ctx context.Context, ask question) (*glimpse, error) {
	c := x.client
	q := c.query(x.peer, ask)
	g := &glimpse{apex: x.apex, base: q.base, step: q.step()}
	s := &stream{query: q, into: g, strict: c.limits.RequireAA}
	err := x.ask(ctx, q, func(conn net.Conn, msg []byte) error {
		done, err := s.message(msg)
		if err != nil || done {
			return err
		}
		return c.more(conn, s)
	})
	if err == nil && g.records == 0 {
		err = fail(q.step(), CauseStructure, "two messages without a record")
	}
	return g, err
}

// more reads the second message of a transfer whose first holds a single record,
// as some primaries send them. Its signature may come later, so it proves
// nothing: nor is anything made of it.
func (c *client) more(conn net.Conn, s *stream) error {
	m := &meter{limits: c.limits, step: s.query.step(), most: wire.MaxMessage, budget: &budget{limit: wire.MaxMessage}, intake: intake{conn: conn}, start: time.Now()}
	n, err := await(conn)
	if err != nil {
		return m.cut(err, s.messages)
	}
	msg, err := m.message(make([]byte, n), s.messages)
	if err != nil {
		return err
	}
	_, err = s.message(msg)
	return err
}

// serial compares what the peer has with what we have.
func (x *examination) serial(context.Context) (string, error) {
	theirs := x.tcp.soa
	if theirs == nil {
		theirs = x.udp.soa
	}
	if theirs == nil {
		theirs = x.begun
	}
	if theirs == nil {
		return "", skip("no SOA came")
	}
	detail := []string{fmt.Sprintf("theirs is %d", theirs.Serial)}
	switch ours := x.view.Serial; {
	case x.view.State == zonestore.StateEmpty:
		detail = append(detail, "there is no copy here yet")
	case x.view.State == zonestore.StateExpired:
		detail = append(detail, fmt.Sprintf("our copy, %d, has expired: any is taken", ours))
	case theirs.Serial == ours && *theirs != x.view.Zone.SOA():
		detail = append(detail, "ours is the same, with another SOA: the zones may differ")
	case theirs.Serial == ours:
		detail = append(detail, "ours is the same")
	case newer(theirs.Serial, ours):
		detail = append(detail, fmt.Sprintf("ours is %d: theirs will be transferred", ours))
	default:
		return "", fail(StepCheck, CauseOlder, "serial %d, ours is %d", theirs.Serial, ours)
	}
	if udp := x.udp.soa; udp != nil && udp.Serial != theirs.Serial {
		detail = append(detail, fmt.Sprintf("by UDP it was %d: several servers may answer at the address", udp.Serial))
	}
	return strings.Join(detail, "; "), nil
}
