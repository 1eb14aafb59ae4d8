package bench

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"secondaryd/test/harness"
)

// singleWrites is how many changes are made one after the other.
const singleWrites = 2000

// A step is something done with all zones, and what is measured of it.
type step struct{ wall, cpu, rate *metric }

func newStep(name string, most float64) step {
	return step{
		wall: &metric{name: name, unit: "s", amount: most},
		cpu:  &metric{name: name + ": CPU", unit: "s"},
		rate: &metric{name: name + ": requests a second", unit: "1/s", more: true},
	}
}

// bulkLimit is what the zones may take by bulk requests, in seconds.
const bulkLimit = 3

// What is measured of the API, in the order of the table.
var (
	eachCreate   = newStep("one by one: create", 0)
	listShort    = newStep("list, 50 a page", 0)
	listLong     = newStep("list, 1000 a page", 0)
	eachChange   = newStep("one by one: change", 0)
	eachDelete   = newStep("one by one: delete", 0)
	bulkCreate   = newStep("in bulk: create", bulkLimit)
	bulkDelete   = newStep("in bulk: delete", bulkLimit)
	singleMiddle = &metric{name: "one write at a time: p50", unit: "ms"}
	singleSlow   = &metric{name: "one write at a time: p99", unit: "ms"}
	singleBeside = &metric{name: "one write at a time, beside a bulk request: longest", unit: "ms", worst: true}
	bulkPeak     = &metric{name: "in bulk: peak memory above that before", unit: "MiB", worst: true}

	apiMetrics = []*metric{
		eachCreate.wall, eachCreate.rate, eachCreate.cpu, listShort.wall, listShort.rate, listShort.cpu,
		listLong.wall, listLong.rate, listLong.cpu, eachChange.wall, eachChange.rate, eachChange.cpu,
		eachDelete.wall, eachDelete.rate, eachDelete.cpu, singleMiddle, singleSlow,
		bulkCreate.wall, bulkCreate.cpu, bulkDelete.wall, bulkDelete.cpu, singleBeside, bulkPeak,
	}
)

func TestAPI(t *testing.T) {
	if os.Getenv("BENCH_API") != "1" {
		t.Skip("a benchmark of minutes: make bench-api")
	}
	if runtime.GOOS != "linux" {
		t.Skip("memory and CPU of other processes are read from /proc of Linux")
	}
	chosen := wantedProducts(t)
	harness.Build(t) // not while anything is measured
	r := results{}
	defer r.print(os.Stdout, table{metrics: apiMetrics, columns: []string{"NSD", "Knot", ours.name}})
	// Where nothing listens: the zones are never transferred.
	nowhere := &primary{addr: harness.FreeAddr(t)}
	for round := range *rounds {
		say("round %d of %d: %d zones", round+1, *rounds, *smallZones)
		for _, told := range []teller{nsdTeller, knotTeller} {
			if chosen[told.product.name] && harness.Find(told.product.program) != "" {
				told.measure(t, r, nowhere)
			}
		}
		if chosen[ours.name] {
			measureAPI(t, r, nowhere)
		}
	}
}

// manager is our daemon and those who manage it by its API.
type manager struct {
	*secondary
	client *requester
	peer   string
	zones  []harness.Incoming
}

// measureAPI measures our daemon with all zones, told of one by one and in bulk.
func measureAPI(t *testing.T, r results, from *primary) {
	t.Helper()
	m := startManaged(t, from)
	defer m.client.close()
	m.measureEach(t, r)
	m.measureBulk(t, r)
	m.measureBeside(t, r)
	m.end(t)
}

func startManaged(t *testing.T, from *primary) *manager {
	t.Helper()
	s := newSecondary(t, ours, from)
	s.launch(t)
	plain := s.client()
	harness.Wait(t, plain.Ready, s.name+" to be ready")
	peer := plain.CreatePeer(t, harness.Peer{Name: "nowhere", IP: from.addr.Addr().String(), Port: int(from.addr.Port())}).ID
	m := &manager{secondary: s, client: newRequester(plain.Base), peer: peer}
	for _, name := range smallNames(*smallZones) {
		m.zones = append(m.zones, m.zone(name))
	}
	return m
}

func (m *manager) zone(name string) harness.Incoming {
	return harness.Incoming{Name: name, Peers: []string{m.peer}, AutoRefreshSeconds: 86400}
}

// timed measures a step that takes so many requests.
func (m *manager) timed(t *testing.T, r results, of step, requests int, do func() error) {
	t.Helper()
	cpu, start := m.group().cpu(), time.Now()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	wall := time.Since(start)
	r.add(of.wall, m.name, wall.Seconds())
	r.add(of.cpu, m.name, (m.group().cpu() - cpu).Seconds())
	r.add(of.rate, m.name, float64(requests)/wall.Seconds())
	say("%s: %v", of.wall.name, wall.Round(time.Millisecond))
}

// send sends a request about one zone.
func (m *manager) send(ctx context.Context, method string, zone harness.Incoming) error {
	path := "/zones/" + harness.ZoneID(zone.Name) + "/secondary_dns/incoming"
	_, err := m.client.do(ctx, method, path, zone, nil)
	return err
}

// sendEach sends a request about each zone, several on their way at once.
func (m *manager) sendEach(ctx context.Context, method string, refresh int) error {
	var g errgroup.Group
	g.SetLimit(posters)
	for _, zone := range m.zones {
		zone.AutoRefreshSeconds = refresh
		g.Go(func() error { return m.send(ctx, method, zone) })
	}
	return g.Wait()
}

// measureEach creates, lists, changes and deletes all zones, a request each.
func (m *manager) measureEach(t *testing.T, r results) {
	t.Helper()
	ctx, n := t.Context(), len(m.zones)
	m.timed(t, r, eachCreate, n, func() error { return m.sendEach(ctx, http.MethodPost, 86400) })
	m.timed(t, r, listShort, (n+49)/50, func() error { return m.list(ctx, 50) })
	m.timed(t, r, listLong, (n+999)/1000, func() error { return m.list(ctx, 1000) })
	m.timed(t, r, eachChange, n, func() error { return m.sendEach(ctx, http.MethodPut, 3600) })
	m.measureSingle(t, r)
	m.timed(t, r, eachDelete, n, func() error { return m.sendEach(ctx, http.MethodDelete, 0) })
}

// list reads all zones, and fails unless they are all there.
func (m *manager) list(ctx context.Context, perPage int) error {
	for page, seen := 1, 0; ; page++ {
		var zones []struct{}
		info, err := m.client.do(ctx, http.MethodGet, fmt.Sprintf("/zones?page=%d&per_page=%d", page, perPage), nil, &zones)
		if err != nil {
			return err
		}
		if seen += len(zones); page < info.TotalPages {
			continue
		}
		if seen != len(m.zones) {
			return fmt.Errorf("%d zones are listed, want %d", seen, len(m.zones))
		}
		return nil
	}
}

// measureSingle changes zones one after the other.
func (m *manager) measureSingle(t *testing.T, r results) {
	t.Helper()
	var took []time.Duration
	for i := range singleWrites {
		zone := m.zones[i%len(m.zones)]
		zone.AutoRefreshSeconds = 300 + i
		start := time.Now()
		if err := m.send(t.Context(), http.MethodPut, zone); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	r.add(singleMiddle, m.name, milliseconds(took[len(took)/2]))
	r.add(singleSlow, m.name, milliseconds(took[len(took)*99/100]))
}

// measureBulk creates and deletes all zones with as few requests as that takes.
func (m *manager) measureBulk(t *testing.T, r results) {
	t.Helper()
	creations, deletions := m.bulkBodies()
	m.timed(t, r, bulkCreate, len(creations), func() error { return m.bulk(t.Context(), creations) })
	if err := m.list(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	m.timed(t, r, bulkDelete, len(deletions), func() error { return m.bulk(t.Context(), deletions) })
}

// measureBeside changes one zone again and again while all others are created in
// bulk, and watches the memory.
func (m *manager) measureBeside(t *testing.T, r results) {
	t.Helper()
	other := m.zone("other.example.")
	if err := m.send(t.Context(), http.MethodPost, other); err != nil {
		t.Fatal(err)
	}
	settle()
	before, w := m.group().memory(), watch(m.group())
	var over atomic.Bool
	var g errgroup.Group
	var longest time.Duration
	g.Go(func() error {
		for !over.Load() {
			start := time.Now()
			if err := m.send(t.Context(), http.MethodPut, other); err != nil {
				return err
			}
			longest = max(longest, time.Since(start))
		}
		return nil
	})
	creations, _ := m.bulkBodies()
	err := m.bulk(t.Context(), creations)
	over.Store(true)
	if err := cmp.Or(err, g.Wait()); err != nil {
		t.Fatal(err)
	}
	r.add(singleBeside, m.name, milliseconds(longest))
	r.add(bulkPeak, m.name, float64(w.end()-before)/mib)
}

// maxBulk is how many zones a request may have.
const maxBulk = 10_000

// bulkBodies are the requests that create and delete all zones.
func (m *manager) bulkBodies() (creations, deletions []map[string]any) {
	for chunk := range slices.Chunk(m.zones, maxBulk) {
		var names []map[string]string
		for _, zone := range chunk {
			names = append(names, map[string]string{"name": zone.Name})
		}
		creations = append(creations, map[string]any{"create": chunk})
		deletions = append(deletions, map[string]any{"delete": names})
	}
	return creations, deletions
}

// bulk sends bulk requests, of which nothing may be refused.
func (m *manager) bulk(ctx context.Context, bodies []map[string]any) error {
	for _, body := range bodies {
		var result struct{ Refused int }
		_, err := m.client.do(ctx, http.MethodPost, "/accounts/"+harness.AccountID+"/secondaryd/zones/bulk", body, &result)
		if err != nil {
			return err
		}
		if result.Refused > 0 {
			return fmt.Errorf("%d zones were refused", result.Refused)
		}
	}
	return nil
}
