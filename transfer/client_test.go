package transfer

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/zone"
)

const testSecret = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0cmFuc2Zlcg=="

// primaryOf runs a primary with the test zone, which has one change behind it,
// and returns it with a client, the peer and the version before the change.
func primaryOf(t *testing.T, key bool) (*primary.Server, *client, peer, *zone.Zone) {
	t.Helper()
	z := primary.Zone{Name: testZone, Records: records(t, soaOf(7)+nsLine+lineA)}
	var o primary.Options
	var k *tsig.Key
	if key {
		o.Keys = []primary.Key{{Name: "k.test.", Algorithm: "hmac-sha256.", Secret: testSecret}}
		z.Key = "k.test."
		var err error
		if k, err = tsig.NewKey("k.test.", "hmac-sha256.", testSecret); err != nil {
			t.Fatal(err)
		}
	}
	o.Zones = []primary.Zone{z}
	s := runPrimary(t, o)
	limits := defaultLimits()
	c := newClient(new(net.Dialer).DialContext, &limits, testSeed)
	p := peer{addr: s.Addr(), key: k, ixfr: true}
	got, err := c.transfer(t.Context(), p, wantAny(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(testZone, func(rrs []dns.RR) []dns.RR { return append(rrs, records(t, lineB)...) }); err != nil {
		t.Fatal(err)
	}
	if kept := c.pool.take(p.way()); kept != nil {
		_ = kept.Close()
	}
	return s, c, p, got.zone
}

// runPrimary runs a primary on a free port until the test ends.
func runPrimary(t *testing.T, o primary.Options) *primary.Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := primary.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func wantAny(t *testing.T, base *zone.Zone) want {
	t.Helper()
	return want{apex: wiretest.Name(t, testZone), base: base, accept: func(zone.SOA) error { return nil }}
}

func TestClientIXFR(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]bool{"unsigned": false, "signed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c, p, base := primaryOf(t, key)
			got, err := c.transfer(t.Context(), p, wantAny(t, base))
			if err != nil {
				t.Fatal(err)
			}
			if got.kind != kindIXFR || got.zone.Serial() != 8 || got.zone.Records() != 4 || got.ixfr != nil {
				t.Errorf("got %s of serial %d with %d records, fault %v", got.kind, got.zone.Serial(), got.zone.Records(), got.ixfr)
			}
			// With the newest version in hand there is nothing to have.
			got, err = c.transfer(t.Context(), p, wantAny(t, got.zone))
			if err != nil || got.zone != nil || got.kind != kindIXFR {
				t.Errorf("got %+v, error %v, want nothing", got, err)
			}
		})
	}
}

// RFC 1995 section 2: by UDP the differences come in one datagram, or the SOA alone
// says that they are to be fetched by TCP.
func TestClientIXFRByUDP(t *testing.T) {
	t.Parallel()
	s, c, p, base := primaryOf(t, true)
	ask := func(base *zone.Zone) (received, uint32) {
		t.Helper()
		got, serial, err := c.differences(t.Context(), p, wantAny(t, base))
		if err != nil {
			t.Fatal(err)
		}
		return got, serial
	}
	if got, serial := ask(base); got.zone != nil || serial != 8 {
		t.Errorf("a single newer SOA: got %v, serial %d", got.zone, serial)
	}
	s.Script(func(e *primary.Exchange) error {
		if e.Network != "udp" || e.Question().Qtype != dns.TypeIXFR {
			return primary.Honest(e)
		}
		return e.Send(e.Messages(records(t, soaOf(8)+soaOf(7)+soaOf(8)+lineB+soaOf(8)), 16000)[0])
	})
	got, serial := ask(base)
	if got.zone == nil || serial != 8 || got.zone.Records() != 4 || got.changes == nil || got.octets == 0 {
		t.Fatalf("differences: got %+v, serial %d", got, serial)
	}
	s.Script(nil)
	if got, serial := ask(got.zone); got.zone != nil || serial != 8 {
		t.Errorf("nothing new: got %v, serial %d", got.zone, serial)
	}
	for name, script := range map[string]primary.Script{
		"TC":      primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg { m.Truncated = true; return m }),
		"REFUSED": primary.Rcode(dns.RcodeRefused),
		"half of it": func(e *primary.Exchange) error {
			return e.Send(e.Messages(records(t, soaOf(8)+soaOf(7)+soaOf(8)+lineB), 16000)[0])
		},
		"misfit": func(e *primary.Exchange) error {
			return e.Send(e.Messages(records(t, soaOf(8)+soaOf(7)+lineC+soaOf(8)+soaOf(8)), 16000)[0])
		},
	} {
		s.Script(script)
		if got, _, err := c.differences(t.Context(), p, wantAny(t, base)); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestClientFallsBack: whatever goes wrong with the differences, the whole zone
// comes from the same peer at once.
func TestClientFallsBack(t *testing.T) {
	t.Parallel()
	answers := func(text string) primary.Script {
		return func(e *primary.Exchange) error {
			for _, m := range e.Messages(records(t, text), 16000) {
				if err := e.Send(m); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, c := range []struct {
		name   string
		script primary.Script
		cause  Cause
		same   bool // the connection serves for both
	}{
		{"FORMERR", primary.Rcode(dns.RcodeFormatError), CauseFormErr, true},
		{"NOTIMP", primary.Rcode(dns.RcodeNotImplemented), CauseNotImp, true},
		{"REFUSED", primary.Rcode(dns.RcodeRefused), CauseRefused, true},
		{"SERVFAIL", primary.Rcode(dns.RcodeServerFailure), CauseServFail, true},
		{"NOTAUTH", primary.Rcode(dns.RcodeNotAuth), CauseNotAuth, true},
		{"cut at once", (*primary.Exchange).Cut, CauseClosed, false},
		{"cut in the stream", primary.CutAfter(2), CauseCut, false},
		{"silence", primary.Silence, CauseNoAnswer, false},
		{"silence in the stream", primary.StallAfter(2), CauseStalled, false},
		{"a single newer SOA", answers(soaOf(8)), CauseStalled, false},
		{"no records", answers(""), CauseNoAnswer, false},
		{"another start", answers(soaOf(8) + soaOf(5) + soaOf(8) + soaOf(8)), CauseChain, false},
		{"a deletion that does not fit", answers(soaOf(8) + soaOf(7) + lineC + soaOf(8) + soaOf(8)), CauseMisfit, false},
		{"an addition that does not fit", answers(soaOf(8) + soaOf(7) + soaOf(8) + lineA + soaOf(8)), CauseMisfit, false},
		{"no NS left", answers(soaOf(8) + soaOf(7) + nsLine + soaOf(8) + soaOf(8)), CauseNoNS, false},
		{"trailing octets", primary.Trailing(0), CauseMalformed, false},
		{"another id", primary.WrongID(), CauseNotAnswer, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, client, p, base := primaryOf(t, false)
			s.Script(primary.On(dns.TypeIXFR, c.script))
			dials := countDials(client)
			got, err := client.transfer(t.Context(), p, wantAny(t, base))
			if err != nil {
				t.Fatal(err)
			}
			if got.kind != kindAXFR || got.zone.Serial() != 8 || got.changes != nil {
				t.Errorf("got %s of serial %d, changes %q", got.kind, got.zone.Serial(), got.changes)
			}
			if got.ixfr == nil || got.ixfr.Cause != c.cause {
				t.Errorf("the incremental transfer failed with %v, want %s", got.ixfr, c.cause)
			}
			if same := dials.Load() == 1; same != c.same {
				t.Errorf("%d connections", dials.Load())
			}
		})
	}
}

func countDials(c *client) *atomic.Int32 {
	var dials atomic.Int32
	c.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return &dials
}

// RFC 5936 section 2.2.1: AA is asked for where the settings say so.
func TestClientRequiresAA(t *testing.T) {
	t.Parallel()
	s, c, p, base := primaryOf(t, false)
	s.Script(primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg {
		m.Authoritative = false
		return m
	}))
	for _, base := range []*zone.Zone{nil, base} {
		if _, err := c.transfer(t.Context(), p, wantAny(t, base)); err != nil {
			t.Error(err)
		}
		c.limits.RequireAA = true
		_, err := c.transfer(t.Context(), p, wantAny(t, base))
		wantFailure(t, err, StepAXFR, CauseLame)
		c.limits.RequireAA = false
	}
}

// The messages of a transfer are counted, whatever is in them.
func TestClientMessages(t *testing.T) {
	t.Parallel()
	s, c, p, base := primaryOf(t, false)
	s.Script(func(e *primary.Exchange) error { // five records
		for _, m := range e.Messages(e.Answer()[0].Answer, 1) {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return nil
	})
	for name, base := range map[string]*zone.Zone{"AXFR": nil, "IXFR": base} {
		c.limits.Messages = 5
		if got, err := c.transfer(t.Context(), p, wantAny(t, base)); err != nil || got.ixfr != nil {
			t.Errorf("%s in as many messages as may be: %v, %v", name, err, got.ixfr)
		}
		c.limits.Messages = 4
		got, err := c.transfer(t.Context(), p, wantAny(t, base))
		wantFailure(t, err, StepAXFR, CauseLimit)
		if !strings.Contains(err.Error(), "more than 4 messages (transfer.max_messages)") {
			t.Errorf("%s: the error does not name the setting: %v", name, err)
		}
		if base != nil && (got.ixfr == nil || got.ixfr.Cause != CauseLimit) {
			t.Errorf("%s failed with %v", name, got.ixfr)
		}
	}
}

// TestClientEmptyMessages: RFC 9103 section 7.9.1 allows messages without a record,
// but they are no way to keep a transfer going.
func TestClientEmptyMessages(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	flood := func(empty int) primary.Script {
		return func(e *primary.Exchange) error {
			m := new(dns.Msg).SetReply(e.Request)
			msg, err := e.Pack(m)
			for i := 0; i < empty && err == nil; i++ {
				err = e.Write(msg)
			}
			return cmp.Or(err, primary.Honest(e)) // in one message
		}
	}
	s.Script(flood(maxEmpty))
	if _, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	s.Script(flood(maxEmpty + 1))
	_, err := c.transfer(t.Context(), p, wantAny(t, nil))
	wantFailure(t, err, StepAXFR, CauseStructure)
}

// What is sent comes from the address that the settings name, by UDP and TCP.
func TestClientSource(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	c.limits.Source4 = netip.MustParseAddr("127.0.0.9")
	c.dial = dialFrom(c.limits.Source4, netip.Addr{})
	var others atomic.Int32
	networks := make(chan string, 2)
	s.Script(func(e *primary.Exchange) error {
		networks <- e.Network
		if e.Remote.Addr() != c.limits.Source4 {
			others.Add(1)
		}
		return primary.Honest(e)
	})
	if _, err := c.poll(t.Context(), p, wiretest.Name(t, testZone)); err != nil {
		t.Error(err)
	}
	if _, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
		t.Error(err)
	}
	if first, second := <-networks, <-networks; first != "udp" || second != "tcp" || others.Load() != 0 {
		t.Errorf("asked by %s and %s, %d times from another address", first, second, others.Load())
	}
	// That of a peer goes before, and has connections of its own.
	p.source = netip.MustParseAddr("127.0.0.10")
	if _, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
		t.Error(err)
	}
	if <-networks; others.Load() != 1 {
		t.Error("the peer's own source is not used")
	}
}

// RFC 7766 section 6.2.1: one connection serves for many questions.
func TestClientKeepsConnections(t *testing.T) {
	t.Parallel()
	_, c, p, base := primaryOf(t, true)
	defer c.pool.close()
	dials := countDials(c)
	for range 3 {
		if _, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.transfer(t.Context(), p, wantAny(t, base)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.pollTCP(t.Context(), p, wiretest.Name(t, testZone)); err != nil {
			t.Fatal(err)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// RFC 7766 section 6.2.1.1: the peer may close what was kept, and that is no
// failure.
func TestClientConnectionClosedByPeer(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	defer c.pool.close()
	var served atomic.Int32
	s.Script(func(e *primary.Exchange) error { // two answers a connection
		if err := primary.Honest(e); err != nil || served.Add(1)%2 == 0 {
			return e.Cut()
		}
		return nil
	})
	dials := countDials(c)
	for range 4 {
		if _, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if n := dials.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// RFC 5936 section 2.1.5, RFC 6891 section 7: a peer that has never heard of
// EDNS is asked without it.
func TestClientWithoutEDNS(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	var refused atomic.Int32
	s.Script(func(e *primary.Exchange) error {
		if e.Request.IsEdns0() == nil {
			return primary.Honest(e)
		}
		refused.Add(1)
		m := new(dns.Msg).SetRcode(e.Request, dns.RcodeFormatError)
		return e.Send(m)
	})
	apex := wiretest.Name(t, testZone)
	for range 2 {
		got, err := c.poll(t.Context(), p, apex)
		if err != nil || got.soa.Serial != 8 {
			t.Errorf("got %+v, error %v", got, err)
		}
	}
	if n := refused.Load(); n != 1 {
		t.Errorf("%d queries with EDNS, want the first alone", n)
	}
	c.plain = memory{}
	if got, err := c.transfer(t.Context(), p, wantAny(t, nil)); err != nil || got.zone.Serial() != 8 {
		t.Errorf("transfer: %+v, error %v", got, err)
	}
}

// TestClientNotSupported: a peer that answers transfers alone, and says so, is
// polled by the beginning of one, and not asked for its SOA again.
func TestClientNotSupported(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	var asked, begun atomic.Int32
	s.Script(func(e *primary.Exchange) error {
		if e.Question().Qtype == dns.TypeSOA {
			asked.Add(1)
			return e.Send(refusalWith(e.Request, 21, ""))
		}
		begun.Add(1)
		return primary.Honest(e)
	})
	apex := wiretest.Name(t, testZone)
	for i := range 3 {
		got, err := c.poll(t.Context(), p, apex)
		if err != nil || got.soa.Serial != 8 {
			t.Errorf("poll %d: got %+v, error %v", i, got, err)
		}
	}
	if asked.Load() != 1 || begun.Load() != 3 {
		t.Errorf("%d SOA queries and %d transfers begun, want 1 and 3", asked.Load(), begun.Load())
	}
	c.noSOA = memory{}
	s.Script(func(e *primary.Exchange) error { return e.Send(refusalWith(e.Request, 21, "")) })
	if _, err := c.poll(t.Context(), p, apex); err == nil || !strings.Contains(err.Error(), "not supported") {
		t.Errorf("nothing is supported: error %v", err)
	}
}

// TestClientExtendedError: what a peer says of its refusal is in the error.
func TestClientExtendedError(t *testing.T) {
	t.Parallel()
	s, c, p, _ := primaryOf(t, false)
	s.Script(func(e *primary.Exchange) error {
		return e.Send(refusalWith(e.Request, 18, "ask \x1b[31mhostmaster"+strings.Repeat("!", 1000)))
	})
	_, err := c.poll(t.Context(), p, wiretest.Name(t, testZone))
	want := `SOA: ` + string(CauseRefused) + `: extended error 18, prohibited, "ask \x1b[31mhostmaster!`
	if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 300 {
		t.Errorf("got %v, want %s", err, want)
	}
}

func refusalWith(request *dns.Msg, code uint16, text string) *dns.Msg {
	m := new(dns.Msg).SetRcode(request, dns.RcodeRefused)
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code, ExtraText: text})
	return m
}

func TestMemory(t *testing.T) {
	t.Parallel()
	var m memory
	one, other, now := netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("192.0.2.1:54"), time.Unix(1_800_000_000, 0)
	m.add(one, now)
	for _, test := range []struct {
		addr netip.AddrPort
		at   time.Time
		want bool
	}{{one, now.Add(remembered), true}, {other, now, false}, {one, now.Add(remembered + 1), false}, {one, now, false}} {
		if got := m.has(test.addr, test.at); got != test.want {
			t.Errorf("%s after %s: got %v", test.addr, test.at.Sub(now), got)
		}
	}
}

func TestReadExtended(t *testing.T) {
	t.Parallel()
	m := new(dns.Msg).SetQuestion(testZone, dns.TypeSOA)
	whole, err := refusalWith(m, 24, "text").Pack()
	if err != nil {
		t.Fatal(err)
	}
	if e := readExtended(whole); e == nil || e.Error() != `extended error 24, invalid data, "text"` {
		t.Errorf("got %v", e)
	}
	for size := range whole {
		if e := readExtended(whole[:size]); e != nil {
			t.Errorf("cut to %d octets of %d: got %v", size, len(whole), e)
		}
	}
	plain, err := new(dns.Msg).SetRcode(m, dns.RcodeRefused).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if e := readExtended(plain); e != nil {
		t.Errorf("of a message without EDNS: got %v", e)
	}
	if e := (&extendedError{code: 4711}); e.Error() != "extended error 4711" {
		t.Errorf("got %v", e)
	}
}

func TestReadExpire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rdata []byte
		want  expiry
	}{
		{"no options", nil, expiry{}},
		{"EXPIRE", []byte{0, 9, 0, 4, 0, 0, 1, 2}, expiry{258, true}},
		{"EXPIRE behind another", []byte{0, 3, 0, 1, 'x', 0, 9, 0, 4, 0, 0, 0, 1}, expiry{1, true}},
		{"empty, as in a query", []byte{0, 9, 0, 0}, expiry{}},
		{"too long", []byte{0, 9, 0, 5, 0, 0, 0, 1, 0}, expiry{}},
		{"past the end", []byte{0, 9, 0, 4, 0, 0, 0}, expiry{}},
		{"half a head", []byte{0, 9, 0}, expiry{}},
	} {
		if got := readExpire(c.rdata); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
	// What the query itself carries is well formed and says nothing.
	q := newQuery(testID, question{apex: wiretest.Name(t, testZone), qtype: wire.TypeSOA, edns: true}, bubbleStart)
	m := new(dns.Msg)
	if err := m.Unpack(q.bytes); err != nil {
		t.Fatal(err)
	}
	opt := m.IsEdns0()
	if opt == nil || opt.UDPSize() != optSize || len(opt.Option) != 1 || opt.Option[0].Option() != dns.EDNS0EXPIRE {
		t.Errorf("the query is %v", m)
	}
}
