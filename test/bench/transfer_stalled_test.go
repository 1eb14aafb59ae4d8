package bench

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	scripted "secondaryd/internal/primary"
	"secondaryd/test/harness"
)

const (
	zonesPerStalled = 5
	stalledChanges  = 3
	maxStalled      = 254 // addresses below 127.0.1.0/24
	goodName        = "good."
)

// measureStalled changes a zone of a primary that answers, while our daemon tries
// to transfer zones from many addresses that do not.
func measureStalled(t *testing.T, r results) {
	t.Helper()
	if *stalledPeer > maxStalled {
		t.Fatalf("at most %d addresses", maxStalled)
	}
	from := startPrimary(t, []string{goodName}, func(f *os.File) error {
		_, err := f.WriteString(small)
		return err
	})
	s := newSecondary(t, ours, from)
	s.fetchFirst(t, false)
	reached := stall(t, s.client(), *stalledPeer)
	harness.WaitFor(t, fetchLimit, func() bool { return int(reached.Load()) == *stalledPeer }, "all stalled addresses to be asked")
	say("%d addresses with %d zones each do not answer", *stalledPeer, zonesPerStalled)
	for range stalledChanges {
		took := s.fetchNext(t, false).wall
		say("the zone of the other primary is served after %v", took.Round(time.Millisecond))
		r.add(stalledWall, s.name, milliseconds(took))
	}
	s.end(t)
}

// stall configures zones of n addresses that take connections and queries and
// say nothing. It returns how many of them were asked something so far.
func stall(t *testing.T, c *harness.Client, n int) (reached *atomic.Int32) {
	t.Helper()
	reached = new(atomic.Int32)
	var ids []string
	for i := range n {
		addr := netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
		silent, err := scripted.New(scripted.Options{Listen: netip.AddrPortFrom(addr, 0).String()})
		if err != nil {
			t.Fatal(err)
		}
		first := new(sync.Once)
		silent.Script(func(e *scripted.Exchange) error {
			first.Do(func() { reached.Add(1) })
			return e.Stall()
		})
		runServer(t, silent)
		peer := harness.Peer{Name: fmt.Sprintf("stalled-%d", i), IP: addr.String(), Port: int(silent.Addr().Port())}
		ids = append(ids, c.CreatePeer(t, peer).ID)
	}
	var g errgroup.Group
	g.SetLimit(posters)
	for i := range n * zonesPerStalled {
		zone := harness.Incoming{Name: fmt.Sprintf("stalled-%d.example.", i), Peers: []string{ids[i%n]}, AutoRefreshSeconds: 86400}
		g.Go(func() error { return post(c, zone) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return reached
}
