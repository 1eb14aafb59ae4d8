package transfer

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

const (
	account    = "01a7362d577a6c3019a474fd6f485823"
	interval   = 600 * time.Second // auto_refresh_seconds of the test zones
	soaRetry   = 60                // seconds
	soaExpire  = 3600
	transferIn = 10 * time.Millisecond // how long a transfer takes
)

// fakePeers answers for the primaries of a test, by address.
type fakePeers struct {
	t    *testing.T
	seed uint64

	mu    sync.Mutex
	hosts map[netip.Addr]*fakeHost
	asked []ask
}

type fakeHost struct {
	serial uint32
	expire expiry
	err    error         // instead of an answer
	ixfr   *Error        // why it does not transfer incrementally
	slow   time.Duration // before any answer
	mute   error         // instead of an answer to a poll
	broken error         // instead of a transfer
	owners int           // names beside the apex, with a record each
	digest bool          // a ZONEMD record that does not fit
	// minimum is the SOA's number of that name in answers to polls, 0 the
	// ordinary one.
	minimum uint32
}

type ask struct {
	what string
	zone string
	host netip.Addr
	at   time.Time
}

func (f *fakePeers) ask(ctx context.Context, what string, p peer, apex wire.Name) (fakeHost, error) {
	f.mu.Lock()
	f.asked = append(f.asked, ask{what, apex.String(), p.addr.Addr(), time.Now()})
	h := *f.hosts[p.addr.Addr()]
	f.mu.Unlock()
	select {
	case <-time.After(h.slow + transferIn):
		return h, h.err
	case <-ctx.Done():
		return h, ctx.Err()
	}
}

func (f *fakePeers) poll(ctx context.Context, p peer, apex wire.Name) (polled, error) {
	h, err := f.ask(ctx, "SOA", p, apex)
	err = cmp.Or(err, h.mute)
	soa := zone.SOA{Serial: h.serial, Refresh: 9, Retry: soaRetry, Expire: soaExpire, Minimum: cmp.Or(h.minimum, 9)}
	return polled{soa: soa, expire: h.expire}, err
}

func (f *fakePeers) transfer(ctx context.Context, p peer, w want) (received, error) {
	got := received{kind: kindAXFR}
	if w.base != nil {
		h, err := f.ask(ctx, "IXFR", p, w.apex)
		if err != nil {
			return received{kind: kindIXFR}, err
		}
		if h.ixfr == nil {
			return f.change(h, w)
		}
		got.ixfr = h.ixfr
	}
	h, err := f.ask(ctx, "AXFR", p, w.apex)
	if err = cmp.Or(err, h.broken); err != nil {
		return got, err
	}
	if err := w.accept(zone.SOA{Serial: h.serial}); err != nil {
		return got, err
	}
	b, err := zone.NewBuilder(w.apex, f.seed, zone.Limits{})
	if err != nil {
		return got, err
	}
	if err := b.Add(w.apex, wire.TypeSOA, 60, fakeSOA(h.serial)); err != nil {
		return got, err
	}
	if h.digest {
		if err := b.Add(w.apex, wire.TypeZONEMD, 60, fakeZONEMD(h.serial)); err != nil {
			return got, err
		}
	}
	for i := range h.owners {
		if err := b.Add(owner(f.t, i, w.apex), wire.TypeA, 60, []byte{192, 0, 2, 1}); err != nil {
			return got, err
		}
	}
	got.zone, err = b.Finish()
	got.octets, got.expire = 100, h.expire
	return got, err
}

// differences answers by UDP: what changes more than the serial does not fit.
func (f *fakePeers) differences(ctx context.Context, p peer, w want) (received, uint32, error) {
	h, err := f.ask(ctx, "UDP", p, w.apex)
	switch {
	case err != nil || h.ixfr != nil:
		return received{}, 0, errors.Join(err, errors.New("no IXFR"))
	case h.serial == w.base.Serial():
		return received{kind: kindIXFR, expire: h.expire}, h.serial, nil
	case h.owners != w.base.Records()-1:
		return received{}, h.serial, nil
	}
	got, err := f.change(h, w)
	return got, h.serial, err
}

// change changes the serial and the number of owners.
func (f *fakePeers) change(h fakeHost, w want) (received, error) {
	got := received{kind: kindIXFR, octets: 10, expire: h.expire}
	if err := w.accept(zone.SOA{Serial: h.serial}); err != nil {
		return got, err
	}
	d := zone.NewDelta(w.base, zone.Limits{})
	if err := d.Delete(w.apex, wire.TypeSOA, fakeSOA(w.base.Serial())); err != nil {
		return got, err
	}
	if err := d.Add(w.apex, wire.TypeSOA, 60, fakeSOA(h.serial)); err != nil {
		return got, err
	}
	if h.digest {
		if err := d.Add(w.apex, wire.TypeZONEMD, 60, fakeZONEMD(h.serial)); err != nil {
			return got, err
		}
	}
	have := w.base.Records() - 1
	for i := h.owners; i < have; i++ {
		if err := d.Delete(owner(f.t, i, w.apex), wire.TypeA, []byte{192, 0, 2, 1}); err != nil {
			return got, err
		}
	}
	for i := have; i < h.owners; i++ {
		if err := d.Add(owner(f.t, i, w.apex), wire.TypeA, 60, []byte{192, 0, 2, 1}); err != nil {
			return got, err
		}
	}
	got.changes, got.deleted = d.Changes(), d.Deletions()
	z, err := d.Finish()
	got.zone = z
	return got, err
}

func owner(t *testing.T, i int, apex wire.Name) wire.Name {
	return wiretest.Name(t, fmt.Sprintf("n%d.%s", i, apex))
}

func fakeZONEMD(serial uint32) []byte {
	return append(binary.BigEndian.AppendUint32(nil, serial), append([]byte{1, 1}, make([]byte, 48)...)...)
}

func fakeSOA(serial uint32) []byte {
	soa := binary.BigEndian.AppendUint32([]byte{0, 0}, serial)
	return append(soa, 0, 0, 0, 9, 0, 0, 0, soaRetry, 0, 0, soaExpire>>8, soaExpire&0xFF, 0, 0, 0, 9)
}

// set changes what a host does.
func (f *fakePeers) set(host string, h fakeHost) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts[netip.MustParseAddr(host)] = &h
}

// take returns what was asked since it was called last.
func (f *fakePeers) take() []ask {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

// world is an engine with everything around it, in a bubble of its own time.
type world struct {
	*Engine
	t      *testing.T
	dir    string
	peers  *fakePeers
	reg    *registry.Registry
	logs   *observer.ObservedLogs
	series *prometheus.Registry
}

// inWorld runs test with an engine that works on hosts 192.0.2.1 and on.
func inWorld(t *testing.T, test func(w *world)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		reg, err := registry.Open(registry.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zapcore.DebugLevel)
		limits := defaultLimits()
		store, err := zonestore.Open(zonestore.Options{Dir: dir, Versions: 3, Lifetime: limits.Lifetime, Log: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		series := prometheus.NewRegistry()
		e := New(Options{
			Registry: reg, Store: store, Limits: limits, Log: zap.New(core),
			Metrics: metrics.NewTransfer(series), Rand: rand.New(rand.NewPCG(1, 2)),
		})
		peers := &fakePeers{t: t, seed: store.Seed(), hosts: map[netip.Addr]*fakeHost{}}
		e.client = peers
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		test(&world{Engine: e, t: t, dir: dir, peers: peers, reg: reg, logs: logs, series: series})
		cancel()
		if err := errors.Join(<-done, store.Close(), reg.Close()); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) update(change func(tx *registry.Tx) error) {
	w.t.Helper()
	if err := w.reg.Update(w.t.Context(), change); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// addPeer configures a peer; its id is made of its number.
func (w *world) addPeer(n int, h fakeHost) string {
	w.t.Helper()
	ip, id := fmt.Sprintf("192.0.2.%d", n), fmt.Sprintf("%032x", n)
	w.peers.set(ip, h)
	w.update(func(tx *registry.Tx) error {
		return tx.PutPeer(registry.Peer{ID: id, Account: account, Name: ip, IP: &ip})
	})
	return id
}

// askedOf returns how often a host was asked since take was called last.
func (w *world) askedOf(host string) int { return len(w.askedAt(host)) }

// addIXFRPeer configures a peer that is to be asked for differences.
func (w *world) addIXFRPeer(n int, h fakeHost) string {
	w.t.Helper()
	id := w.addPeer(n, h)
	w.update(func(tx *registry.Tx) error {
		p, _ := tx.Peer(id)
		p.IXFR = new(true)
		return tx.PutPeer(p)
	})
	return id
}

func (w *world) addZone(name string, peers ...string) string {
	w.t.Helper()
	id := fmt.Sprintf("%032x", []byte(name)[:min(16, len(name))])
	w.update(func(tx *registry.Tx) error {
		return tx.PutZone(registry.Zone{ID: id, Account: account, Name: name, AutoRefresh: uint32(interval / time.Second), Peers: peers})
	})
	return id
}

// pass lets time pass and everything that falls due in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) want(id string, state zonestore.State, serial uint32) {
	w.t.Helper()
	s, ok := w.Status(id)
	if !ok || s.State != state || s.Serial != serial {
		w.t.Errorf("after %s: got %s serial %d (known %v), want %s serial %d", time.Since(bubbleStart), s.State, s.Serial, ok, state, serial)
	}
}

// bubbleStart is when time begins in a bubble.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) wantAsked(want ...string) {
	w.t.Helper()
	var got []string
	for _, a := range w.peers.take() {
		got = append(got, fmt.Sprintf("%s %s", a.what, a.host))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("asked %q, want %q", got, want)
	}
}

// wantTransfers compares how many transfers were counted.
func (w *world) wantTransfers(ok, failed int) {
	w.t.Helper()
	w.wantKinds([2]int{ok, failed}, [2]int{})
}

// wantKinds compares how many transfers of each kind ended well and badly.
func (w *world) wantKinds(axfr, ixfr [2]int) {
	w.t.Helper()
	want := fmt.Sprintf(`
# HELP secondaryd_transfers_total Zone transfers that were tried, by kind (axfr, ixfr) and result (ok, failed).
# TYPE secondaryd_transfers_total counter
secondaryd_transfers_total{kind="axfr",result="failed"} %d
secondaryd_transfers_total{kind="axfr",result="ok"} %d
secondaryd_transfers_total{kind="ixfr",result="failed"} %d
secondaryd_transfers_total{kind="ixfr",result="ok"} %d
`, axfr[1], axfr[0], ixfr[1], ixfr[0])
	if err := testutil.GatherAndCompare(w.series, strings.NewReader(want), "secondaryd_transfers_total"); err != nil {
		w.t.Error(err)
	}
}

var errDead = fail(StepConnect, CauseConnRefused, "test")

func TestEngineSchedule(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.wantAsked("AXFR 192.0.2.1") // no poll for what has no copy
		last := time.Now()
		pass(10 * interval)
		asked := w.peers.take()
		if len(asked) < 10 {
			w.t.Errorf("%d checks in ten intervals", len(asked))
		}
		for _, a := range asked {
			if wait := a.at.Sub(last); wait < interval*9/10 || wait > interval+transferIn {
				w.t.Errorf("%s after %s, want the interval less at most a tenth", a.what, wait)
			}
			last = a.at
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 2})
		pass(interval + 2*transferIn)
		w.want(id, zonestore.StateServing, 2)
	})
}

func TestEngineExpiry(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 9}))
		pass(interval + transferIn) // confirmed once
		confirmed := w.peers.take()
		last := confirmed[len(confirmed)-1].at.Add(transferIn)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		pass(time.Until(last.Add(soaExpire*time.Second)) - time.Second)
		w.want(id, zonestore.StateServing, 9)
		pass(2 * time.Second)
		w.want(id, zonestore.StateExpired, 9)
		if n := w.logs.FilterMessage("zone expired").Len(); n != 1 {
			w.t.Errorf("%d lines say that the zone expired, want 1", n)
		}
		// Any serial is taken now.
		w.peers.set("192.0.2.1", fakeHost{serial: 3})
		pass(interval)
		w.want(id, zonestore.StateServing, 3)
	})
}

func TestEngineRetry(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		w.peers.take()
		pass(interval + transferIn)
		asked := w.peers.take()
		if len(asked) == 0 {
			w.t.Fatal("no check within the interval")
		}
		first := asked[0].at
		pass(time.Until(first.Add(soaRetry*time.Second*8 + time.Minute)))
		var waits []time.Duration
		for _, a := range append(asked[1:], w.peers.take()...) {
			waits = append(waits, a.at.Sub(first))
			first = a.at
		}
		for i, wait := range waits {
			most := soaRetry * time.Second << i
			if wait > most+2*transferIn || wait < most*9/10 {
				w.t.Errorf("wait %d: %s, want %s less at most a tenth", i, wait, most)
			}
		}
		if len(waits) < 3 {
			w.t.Errorf("waits %v, want three at least", waits)
		}
		w.want(id, zonestore.StateServing, 1)
		for _, line := range w.logs.FilterMessage("peer failed").All() {
			f := line.ContextMap()
			if f["zone"] != "a.test." || f["peer"] != "192.0.2.1:53" || f["step"] != "connect" || f["cause"] != string(CauseConnRefused) || f["serial"] != uint32(1) {
				w.t.Errorf("fields: %v", f)
			}
			if next, ok := f["next_try"].(time.Time); !ok || !next.After(line.Time) {
				w.t.Errorf("next try %v at %s", f["next_try"], line.Time)
			}
		}
	})
}

func TestEngineFailover(t *testing.T) {
	inWorld(t, func(w *world) {
		p1, p2, p3 := w.addPeer(1, fakeHost{err: errDead}), w.addPeer(2, fakeHost{serial: 5}), w.addPeer(3, fakeHost{serial: 6})
		id := w.addZone("a.test.", p1, p2, p3)
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 5)
		w.wantAsked("AXFR 192.0.2.1", "AXFR 192.0.2.2")
		// One that is behind does not hide one that is ahead.
		w.peers.set("192.0.2.1", fakeHost{serial: 4})
		w.peers.set("192.0.2.2", fakeHost{err: errDead})
		pass(interval + 4*transferIn)
		w.want(id, zonestore.StateServing, 6)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3")
		if s, _ := w.Status(id); len(s.Failures) != 2 || s.Failures[0].Cause != CauseOlder {
			w.t.Errorf("failures: %+v", s.Failures)
		}
	})
}

// TestEngineAskAll: with that setting the newest version is taken, wherever it is.
func TestEngineAskAll(t *testing.T) {
	inWorld(t, func(w *world) {
		w.limits.AskAll = true
		p1, p2, p3 := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1}), w.addPeer(3, fakeHost{serial: 1})
		id := w.addZone("a.test.", p1, p2, p3)
		pass(4 * transferIn)
		w.want(id, zonestore.StateServing, 1)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.1")
		w.peers.set("192.0.2.2", fakeHost{serial: 2})
		w.peers.set("192.0.2.3", fakeHost{serial: 3})
		pass(interval + 5*transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3")
		// One that is newer and fails leaves the next newest.
		w.peers.set("192.0.2.1", fakeHost{serial: 4})
		w.peers.set("192.0.2.3", fakeHost{serial: 5, broken: errDead})
		pass(interval + 6*transferIn)
		w.want(id, zonestore.StateServing, 4)
		w.wantAsked("SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3", "AXFR 192.0.2.1")
	})
}

// TestEngineAskAllOfAnySerial: so it is where any serial is taken: without a copy, with
// an expired one, and for an order. Who does not tell its serial comes last.
func TestEngineAskAllOfAnySerial(t *testing.T) {
	refused := fail(StepSOA, CauseRefused, "test")
	for _, tc := range []struct {
		name   string
		hosts  [3]fakeHost
		serial uint32
		asked  []string // after the serials
	}{
		{"the second is newest", [3]fakeHost{{serial: 1}, {serial: 5}, {serial: 3}}, 5, []string{"AXFR 192.0.2.2"}},
		{"one is behind what there was", [3]fakeHost{{serial: 6}, {serial: 8}, {serial: 9}}, 9, []string{"AXFR 192.0.2.3"}},
		{"all are equal", [3]fakeHost{{serial: 4}, {serial: 4}, {serial: 4}}, 4, []string{"AXFR 192.0.2.1"}},
		{"across the end of the numbers", [3]fakeHost{{serial: 1<<32 - 2}, {serial: 2}, {serial: 1<<32 - 1}}, 2, []string{"AXFR 192.0.2.2"}},
		{"the newest fails", [3]fakeHost{{serial: 1}, {serial: 5, broken: refused}, {serial: 3}}, 3, []string{"AXFR 192.0.2.2", "AXFR 192.0.2.3"}},
		{"some tell nothing", [3]fakeHost{{serial: 9, mute: refused}, {serial: 9, mute: errDead}, {serial: 3}}, 3, []string{"AXFR 192.0.2.3"}},
		{"who tells its serial fails", [3]fakeHost{{serial: 8, mute: errDead}, {serial: 9, mute: refused}, {serial: 3, broken: refused}}, 8, []string{"AXFR 192.0.2.3", "AXFR 192.0.2.1"}},
		{"none tells its serial", [3]fakeHost{{serial: 8, mute: errDead}, {serial: 9, mute: errDead}, {serial: 7, mute: errDead}}, 8, []string{"AXFR 192.0.2.1"}},
	} {
		asked := append([]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3"}, tc.asked...)
		start := func(w *world, hosts [3]fakeHost) string {
			w.limits.AskAll = true
			return w.addZone("a.test.", w.addPeer(1, hosts[0]), w.addPeer(2, hosts[1]), w.addPeer(3, hosts[2]))
		}
		change := func(w *world) {
			w.peers.take()
			for i, h := range tc.hosts {
				w.peers.set(fmt.Sprintf("192.0.2.%d", i+1), h)
			}
		}
		t.Run(tc.name+" without a copy", func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := start(w, tc.hosts)
				pass(6 * transferIn)
				w.want(id, zonestore.StateServing, tc.serial)
				w.wantAsked(asked...)
			})
		})
		t.Run(tc.name+" with an expired one", func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := start(w, [3]fakeHost{{serial: 7}, {serial: 7}, {serial: 7}})
				pass(4 * transferIn)
				for n := range 3 {
					w.peers.set(fmt.Sprintf("192.0.2.%d", n+1), fakeHost{err: refused})
				}
				pass(soaExpire*time.Second + time.Minute)
				w.want(id, zonestore.StateExpired, 7)
				change(w)
				pass(interval)
				w.want(id, zonestore.StateServing, tc.serial)
				w.peers.asked = w.peers.asked[:min(len(asked), len(w.peers.asked))]
				w.wantAsked(asked...)
			})
		})
		t.Run(tc.name+" by order", func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := start(w, [3]fakeHost{{serial: 7}, {serial: 7}, {serial: 7}})
				pass(4 * transferIn)
				change(w)
				if err := w.ForceTransfer(id); err != nil {
					t.Error(err)
				}
				pass(6 * transferIn)
				w.want(id, zonestore.StateServing, tc.serial)
				w.wantAsked(asked...)
			})
		})
	}
}

// TestEngineAskAllOfOne: where there is no choice the transfer is asked for at once.
func TestEngineAskAllOfOne(t *testing.T) {
	inWorld(t, func(w *world) {
		w.limits.AskAll = true
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(transferIn)
		w.want(id, zonestore.StateServing, 1)
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(transferIn)
		w.wantAsked("AXFR 192.0.2.1", "AXFR 192.0.2.1")
	})
}

// TestEngineDivergence: a primary with our serial and other content is reported,
// be it known by its SOA or by a transfer that was ordered.
func TestEngineDivergence(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}))
		pass(interval + 2*transferIn)
		const line = "peer has our serial, but other content"
		if n := w.logs.FilterMessage(line).Len(); n != 0 {
			t.Errorf("%d lines without a reason", n)
		}
		w.peers.set("192.0.2.1", fakeHost{serial: 1, minimum: 77})
		pass(interval)
		if n := w.logs.FilterMessage(line).Len(); n != 1 {
			t.Errorf("%d lines, want 1", n)
		}
		w.want(id, zonestore.StateServing, 1)
		for i, owners := range []int{0, 1} { // as we have it, and with a record more
			w.peers.set("192.0.2.1", fakeHost{serial: 1, owners: owners})
			if err := w.ForceTransfer(id); err != nil {
				t.Error(err)
			}
			pass(2 * transferIn)
			if n := w.logs.FilterMessage(line).Len(); n != 1+i {
				t.Errorf("%d lines, want %d", n, 1+i)
			}
			w.wantDiffering(id) // what was fetched is what we have now
		}
	})
}

// TestEngineDivergenceIsRemembered: it is said once when it begins, and kept in mind
// until the peer, or the copy, has become another.
func TestEngineDivergenceIsRemembered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.limits.AskAll = true
		odd := fakeHost{serial: 1, minimum: 77}
		p1, p2 := w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, odd)
		id := w.addZone("a.test.", p1, p2)
		lines := 0
		after := func(what string, first, second fakeHost, more int, differing ...string) {
			t.Helper()
			w.peers.set("192.0.2.1", first)
			w.peers.set("192.0.2.2", second)
			pass(interval + 4*transferIn)
			lines += more
			if n := w.logs.FilterMessage("peer has our serial, but other content").Len(); n != lines {
				t.Errorf("%s: %d lines, want %d", what, n, lines)
			}
			w.wantDiffering(id, differing...)
		}
		same := fakeHost{serial: 1}
		after("it begins", same, odd, 1, p2)
		after("it goes on", same, odd, 0, p2)
		after("the peer can't be asked", same, fakeHost{err: errDead}, 0, p2)
		after("it can again", same, odd, 0, p2)
		after("it is mended", same, same, 0)
		after("it begins anew", same, odd, 1, p2)
		after("there is a new version", fakeHost{serial: 2}, odd, 0)
		after("which differs, too", fakeHost{serial: 2}, fakeHost{serial: 2, minimum: 77}, 1, p2)
		// After a rollback the peer has another serial than the copy.
		if _, err := w.Rollback(t.Context(), id, nil, "test"); err != nil {
			t.Error(err)
		}
		w.wantDiffering(id)
	})
}

// wantDiffering compares the peers that have other content with our serial.
func (w *world) wantDiffering(id string, want ...string) {
	w.t.Helper()
	var got []string
	s, _ := w.Status(id)
	for _, try := range s.Tries {
		if try.Differs {
			got = append(got, try.Peer)
		}
	}
	if !slices.Equal(got, want) || s.Differs != (len(want) > 0) {
		w.t.Errorf("peers %q differ (any: %v), want %q", got, s.Differs, want)
	}
}

// TestEngineBackwards: primaries that all have an older version are reported, and
// confirm nothing.
func TestEngineBackwards(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}), w.addPeer(2, fakeHost{serial: 7}))
		pass(transferIn)
		const line = "every primary that answers has an older version than the copy: it is kept, and expires unless one has a newer one"
		w.peers.set("192.0.2.1", fakeHost{serial: 5})
		pass(interval + 3*transferIn)
		if n := w.logs.FilterMessage(line).Len(); n != 0 {
			t.Errorf("%d lines, though one primary has the version", n)
		}
		w.peers.set("192.0.2.2", fakeHost{err: errDead})
		pass(interval + 3*transferIn)
		if n := w.logs.FilterMessage(line).Len(); n == 0 {
			t.Error("nothing is said")
		}
		pass(2 * soaExpire * time.Second)
		w.want(id, zonestore.StateServing, 5) // once expired, any serial is taken
		if n := w.logs.FilterMessage("zone expired").Len(); n != 1 {
			t.Errorf("the zone expired %d times, want once", n)
		}
	})
}

// TestEnginePollsLate: that zones are due faster than they may be polled is said.
func TestEnginePollsLate(t *testing.T) {
	inWorld(t, func(w *world) {
		w.limits.PollsPerSecond = 1
		peer := w.addPeer(1, fakeHost{serial: 1})
		for i := range 1000 {
			w.addZone(fmt.Sprintf("z%03d.test.", i), peer)
		}
		pass(3 * interval)
		n := w.logs.FilterMessageSnippet("more zones are due than may be polled").Len()
		if most := int(3 * interval / pollsLate); n == 0 || n > most {
			t.Errorf("%d lines, want up to %d", n, most)
		}
	})
}

// TestEnginePollRate: a primary sees no burst beyond the rate, be it that all its
// zones are tried again since its configuration has changed.
func TestEnginePollRate(t *testing.T) {
	inWorld(t, func(w *world) {
		const zones, rate = 1000, 100
		w.limits.PollsPerSecond = rate
		peer := w.addPeer(1, fakeHost{serial: 1})
		for i := range zones {
			w.addZone(fmt.Sprintf("z%03d.test.", i), peer)
		}
		pass(time.Minute)
		w.peers.take()
		w.update(func(tx *registry.Tx) error {
			p, _ := tx.Peer(peer)
			p.Name = "renamed"
			return tx.PutPeer(p)
		})
		pass(time.Minute)
		asked := w.peers.take()
		if len(asked) != zones {
			t.Errorf("%d questions, want one of each of %d zones", len(asked), zones)
		}
		for i, a := range asked {
			within := 0
			for _, b := range asked[i:] {
				if b.at.Sub(a.at) >= time.Second {
					break
				}
				within++
			}
			if within > rate*11/10 {
				t.Fatalf("%d questions within a second", within)
			}
		}
	})
}

func TestEngineForce(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 3})
		pass(interval + transferIn)
		w.want(id, zonestore.StateServing, 7)
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 3)
		if err := w.ForceTransfer("no such zone"); !errors.Is(err, ErrUnknownZone) {
			w.t.Errorf("got %v", err)
		}
	})
}

// TestEngineForceOfSeveral: with a choice of peers an order takes what is newer before
// what comes first.
func TestEngineForceOfSeveral(t *testing.T) {
	refused := fail(StepSOA, CauseRefused, "test")
	for _, tc := range []struct {
		name   string
		hosts  [3]fakeHost
		serial uint32
		older  int // peers that are reported as behind
		asked  []string
	}{
		{
			"the second is newer",
			[3]fakeHost{{serial: 7}, {serial: 8}, {serial: 9}},
			8, 0,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "AXFR 192.0.2.2"},
		},
		{
			"the first is behind",
			[3]fakeHost{{serial: 6}, {serial: 7}, {serial: 8}},
			8, 1,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3"},
		},
		{
			"a newer one fails",
			[3]fakeHost{{serial: 7}, {serial: 8, broken: refused}, {serial: 9}},
			9, 0,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "AXFR 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.3"},
		},
		{
			"the newer one fails",
			[3]fakeHost{{serial: 5, broken: refused}, {serial: 8, broken: refused}, {serial: 6}},
			6, 0,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "AXFR 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.1", "AXFR 192.0.2.3"},
		},
		{
			"none is newer",
			[3]fakeHost{{serial: 5}, {serial: 4}, {serial: 7}},
			5, 1,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.1"},
		},
		{
			"all went backwards",
			[3]fakeHost{{serial: 5}, {serial: 5}, {serial: 5}},
			5, 0,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.1"},
		},
		{
			"no answer to the SOA query",
			[3]fakeHost{{mute: errDead, serial: 4}, {mute: refused, serial: 5}, {serial: 7}},
			5, 0,
			[]string{"SOA 192.0.2.1", "SOA 192.0.2.2", "SOA 192.0.2.3", "AXFR 192.0.2.2"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}), w.addPeer(2, fakeHost{serial: 7}), w.addIXFRPeer(3, fakeHost{serial: 7}))
				pass(transferIn)
				w.peers.take()
				for i, h := range tc.hosts {
					w.peers.set(fmt.Sprintf("192.0.2.%d", i+1), h)
				}
				if err := w.ForceTransfer(id); err != nil {
					t.Error(err)
				}
				pass(6 * transferIn)
				w.want(id, zonestore.StateServing, tc.serial)
				w.wantAsked(tc.asked...)
				older := w.logs.FilterMessage("peer failed").FilterField(zap.String("cause", string(CauseOlder))).Len()
				if older != tc.older {
					t.Errorf("%d peers are reported as behind, want %d", older, tc.older)
				}
			})
		})
	}
}

// TestEngineForceAfterNotify: the sender of a NOTIFY that waits is asked first by the
// order that comes on top of it.
func TestEngineForceAfterNotify(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1}))
		pass(transferIn)
		w.peers.take()
		w.notify(id, host2, 2)
		pass(transferIn / 2) // the NOTIFY's own check runs
		w.notify(id, host2, 3)
		w.peers.set("192.0.2.1", fakeHost{serial: 1})
		w.peers.set("192.0.2.2", fakeHost{serial: 3})
		if err := w.ForceTransfer(id); err != nil {
			t.Error(err)
		}
		pass(6 * transferIn)
		w.want(id, zonestore.StateServing, 3)
		w.wantAsked("SOA 192.0.2.2", "SOA 192.0.2.1", "SOA 192.0.2.2", "AXFR 192.0.2.2")
	})
}

func TestEngineReconfigure(t *testing.T) {
	inWorld(t, func(w *world) {
		slow := w.addPeer(1, fakeHost{serial: 1, slow: time.Minute})
		id := w.addZone("a.test.", slow)
		pass(time.Second)
		// The transfer from a slow peer does not hold up the one that takes its place.
		w.addZone("a.test.", w.addPeer(2, fakeHost{serial: 2}))
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 2)
		w.wantAsked("AXFR 192.0.2.1", "AXFR 192.0.2.2")
		// Another name is another zone.
		w.update(func(tx *registry.Tx) error {
			z, _ := tx.Zone(id)
			z.Name = "b.test."
			return tx.PutZone(z)
		})
		w.want(id, zonestore.StateEmpty, 0)
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 2)
		// A deletion ends what runs, and nothing of it is published.
		w.peers.set("192.0.2.2", fakeHost{serial: 3, slow: time.Second})
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		synctest.Wait()
		w.update(func(tx *registry.Tx) error { return tx.DeleteZone(id) })
		pass(time.Minute)
		if s, ok := w.Status(id); ok {
			w.t.Errorf("a deleted zone is known: %+v", s)
		}
		if _, ok := w.store.Get(id); ok {
			w.t.Error("a deleted zone is served")
		}
	})
}

// TestEngineKeepsOrder: an order that runs when the configuration changes is
// carried out with the new one.
func TestEngineKeepsOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 3, slow: time.Second})
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		synctest.Wait()
		w.addZone("a.test.", w.addPeer(2, fakeHost{serial: 4}))
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestEngineKeepsOrderOfSeveral: nor is the order carried out by a peer that has said
// our serial before the configuration changes.
func TestEngineKeepsOrderOfSeveral(t *testing.T) {
	inWorld(t, func(w *world) {
		p1, p2 := w.addPeer(1, fakeHost{serial: 7}), w.addPeer(2, fakeHost{serial: 7})
		id := w.addZone("a.test.", p1, p2)
		pass(transferIn)
		w.peers.set("192.0.2.2", fakeHost{serial: 7, slow: time.Second})
		if err := w.ForceTransfer(id); err != nil {
			w.t.Error(err)
		}
		pass(2 * transferIn)
		w.addZone("a.test.", w.addPeer(3, fakeHost{serial: 4}))
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 4)
	})
}

// TestEngineExpiryDuringCheck: a copy that expires while it is being confirmed
// is fetched again at once, not after the next interval.
func TestEngineExpiryDuringCheck(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 7, slow: 2 * soaExpire * time.Second})
		pass(interval)
		w.peers.set("192.0.2.1", fakeHost{serial: 7})
		begun := w.peers.take()[1].at
		pass(time.Until(begun.Add(2 * soaExpire * time.Second)))
		w.want(id, zonestore.StateExpired, 7)
		pass(2 * firstRetry)
		w.want(id, zonestore.StateServing, 7)
	})
}

// TestEngineCountsTransfers: a poll that fails is no transfer.
func TestEngineCountsTransfers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.addZone("a.test.", w.addPeer(1, fakeHost{serial: 7}))
		pass(transferIn)
		w.peers.set("192.0.2.1", fakeHost{serial: 3})
		pass(interval + transferIn)
		w.wantAsked("AXFR 192.0.2.1", "SOA 192.0.2.1")
		w.wantTransfers(1, 0)
		w.peers.set("192.0.2.1", fakeHost{err: errDead})
		for id := range w.jobs {
			if err := w.ForceTransfer(id); err != nil {
				w.t.Error(err)
			}
		}
		pass(2 * transferIn)
		w.wantTransfers(1, 1)
	})
}

// TestEngineRemovedAtStart: a zone that is removed between the reading of its copy and
// the engine's first look at the configuration is served no longer.
func TestEngineRemovedAtStart(t *testing.T) {
	inWorld(t, func(w *world) {
		peer := w.addPeer(1, fakeHost{serial: 1})
		gone, kept := w.addZone("gone.test.", peer), w.addZone("kept.test.", peer)
		pass(time.Minute)
		remove := func(reg *registry.Registry) {
			if err := reg.Update(t.Context(), func(tx *registry.Tx) error { return tx.DeleteZone(gone) }); err != nil {
				t.Fatal(err)
			}
		}
		w.restartedAfter(remove, func(w *world) {
			if _, ok := w.store.Get(gone); ok {
				t.Error("the zone is served still")
			}
			w.want(kept, zonestore.StateServing, 1)
		})
	})
}

// TestEngineOrderedBeforeOthers: an order does not wait until the zones have had their
// turn that wait for a place with the peer, and takes none from them.
func TestEngineOrderedBeforeOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		const slow, zones = 10 * time.Second, 100
		peer := w.addPeer(1, fakeHost{serial: 1, slow: slow})
		var last string
		for i := range zones {
			last = w.addZone(fmt.Sprintf("z%02d.test.", i), peer)
		}
		pass(slow / 2)
		if err := w.ForceTransfer(last); err != nil {
			t.Error(err)
		}
		pass(slow + 2*transferIn)
		w.want(last, zonestore.StateServing, 1)
		most := w.limits.RunningPerPeer
		if n := len(w.peers.take()); n != 2*most+1 {
			t.Errorf("%d transfers, want two turns of %d and the one that was ordered", n, most)
		}
		pass(slow * zones / time.Duration(most))
		for s := range w.Statuses() {
			w.want(s.ID, zonestore.StateServing, 1)
		}
		if n := w.shares[netip.MustParseAddrPort("192.0.2.1:53")].places.taken + w.all.taken; n != 0 {
			t.Errorf("%d places are taken still", n)
		}
	})
}

// TestEngineStall: a peer that stalls holds up its own zones and no others.
func TestEngineStall(t *testing.T) {
	inWorld(t, func(w *world) {
		stalled := w.addPeer(1, fakeHost{slow: time.Hour})
		for i := range 100 {
			w.addZone(fmt.Sprintf("stalled%02d.test.", i), stalled)
		}
		id := w.addZone("good.test.", w.addPeer(2, fakeHost{serial: 1}))
		pass(2 * transferIn)
		w.want(id, zonestore.StateServing, 1)
		if n := len(w.peers.take()); n != w.limits.RunningPerPeer+1 {
			w.t.Errorf("%d questions, want %d of the stalled peer's zones and one", n, w.limits.RunningPerPeer)
		}
	})
}
