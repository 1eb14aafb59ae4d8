// Package soak runs the built secondaryd, with the race detector in it, under
// everything at once: transfers that go well and wrong, NOTIFY, zones that come
// and go, API, reloads, and queries by UDP and TCP.
//
// It promises that there was no data race and no panic, that every answer was
// legal, that no serial went back, and that the daemon came to an orderly end.
package soak

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

const (
	modestFor       = 10 * time.Second
	leastFor        = 5 * time.Second // of samples to compare
	shutdownTimeout = 5 * time.Second
	writeTimeout    = 2 * time.Second // of the daemon, by TCP
	convergeLimit   = 2 * time.Minute
	reloadPause     = 3 * time.Second
	progressPause   = 10 * time.Second
)

// soak is one run: the daemon, its primaries, and what all who act on it share.
type soak struct {
	scale    scale
	zones    []*zone
	daemon   *harness.Daemon
	primary  *primary.Server
	liar     *primary.Server
	closed   netip.AddrPort // where nobody listens
	plain    harness.Peer   // without a key
	keyed    harness.Peer
	turning  harness.Peer   // as it is when it works
	others   []harness.Peer // which may be bad
	bigQuery []byte
	raceLog  string // start of the path of the race detector's reports
	cookies  string // path of the daemon's cookie secrets

	faults   faults
	counts   counts
	stopping atomic.Bool // from when the daemon is told to stop
}

// TestSoak takes SOAK_FOR, as in SOAK_FOR=10m, at full load; without it, it is
// short and leaves room for other tests.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, s := modestFor, &soak{scale: modest}
	if text := os.Getenv("SOAK_FOR"); text != "" {
		length, s.scale = soakFor(t, text), full
	} else if testing.Short() {
		t.Skip("a soak is not a short test")
	}
	harness.BuildRace(t) // or skip
	s.start(t)

	load, endLoad := context.WithCancel(t.Context())
	churn, endChurn := context.WithCancel(load)
	var loaders, churners sync.WaitGroup
	defer func() {
		endLoad()
		churners.Wait()
		loaders.Wait()
		s.faults.report(t)
	}()
	s.startLoad(load, &loaders)
	s.startChurn(churn, &churners)
	w := s.run(t, length)
	endChurn()
	churners.Wait()
	s.checkZones(t)
	m := w.take(t, s.daemon)
	w.progress(t, s, m)
	if got := total(m, "secondaryd_dns_panics_total"); got != 0 {
		t.Errorf("%v panics", got)
	}
	w.checkGrowth(t)
	s.stop(t) // under load
	endLoad()
	loaders.Wait()
	s.restart(t)
	s.checkEnd(t)
}

func soakFor(t testing.TB, text string) time.Duration {
	t.Helper()
	length, err := time.ParseDuration(text)
	if err != nil || length < leastFor {
		t.Fatalf("SOAK_FOR is %q, want a time of at least %v, as in 10m", text, leastFor)
	}
	return length
}

// loopback is an address of this machine: each kind of client has its own.
func loopback(last byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, last}) }

// startLoad starts those who go on while the daemon stops.
func (s *soak) startLoad(ctx context.Context, all *sync.WaitGroup) {
	for i := range s.scale.clients {
		all.Go(func() { s.askUDP(ctx, loopback(byte(10+i))) })
		all.Go(func() { s.askTCP(ctx, loopback(byte(10+i))) })
	}
	all.Go(func() { s.junk(ctx, loopback(3)) })
	all.Go(func() { s.hoard(ctx, loopback(4), s.scale.hoarded) })
	all.Go(func() { s.notify(ctx, loopback(1)) })
	all.Go(func() { s.notify(ctx, loopback(2)) })
}

// startChurn starts those who change things.
func (s *soak) startChurn(ctx context.Context, all *sync.WaitGroup) {
	for _, act := range []func(context.Context){
		s.change, s.keepZones, s.turnZones, s.turnZones, s.turnZones,
		s.turnObjects, s.turnPeer, s.scrape, s.annoy,
	} {
		all.Go(func() { act(ctx) })
	}
}

// run watches and reloads until the time is over or the daemon has died.
func (s *soak) run(t testing.TB, length time.Duration) *watch {
	t.Helper()
	w := &watch{begin: time.Now(), lastAt: time.Now()}
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for reloads, reloaded := 0, w.begin; time.Since(w.begin) < length; {
		<-ticker.C
		if !s.daemon.Running() {
			s.checkEnd(t)
			t.Fatal("the daemon has ended")
		}
		m := w.take(t, s.daemon)
		if time.Since(reloaded) > reloadPause {
			reloads, reloaded = reloads+1, time.Now()
			s.reload(t, reloads)
		}
		if time.Since(w.lastAt) > progressPause {
			w.progress(t, s, m)
		}
	}
	return w
}

// checkZones waits until the daemon has what the primary has.
func (s *soak) checkZones(t testing.TB) {
	t.Helper()
	s.primary.Script(nil)
	s.settle(t.Context())
	for _, z := range s.zones {
		harness.WaitFor(t, convergeLimit, func() bool {
			got, ok := harness.Serial(s.daemon.DNS, z.name)
			return ok && got == z.latest.Load()
		}, z.name+" to have the primary's serial")
		if got := harness.Ask(t, s.daemon.DNS, "stamp."+z.name, dns.TypeTXT); len(got.Answer) != 1 {
			t.Errorf("stamp of %s: %v", z.name, got)
		}
	}
	if lost := s.lost(); lost > 0.1 {
		t.Errorf("%.0f %% of the queries were not answered", 100*lost)
	}
}

// lost is the share of queries without an answer.
func (s *soak) lost() float64 {
	queries := s.counts.queries.Load()
	if queries == 0 {
		return 1
	}
	return 1 - float64(s.counts.answers.Load())/float64(queries)
}
