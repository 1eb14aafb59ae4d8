package ratelimit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// spend takes the whole credit of a bucket at time 0 and one more.
func spend(t testing.TB, table *Table, client string, class Class, hash uint64, rate int) {
	t.Helper()
	for range rate {
		table.Decide(0, netip.MustParseAddr(client), class, hash)
	}
	if d := table.Decide(0, netip.MustParseAddr(client), class, hash); !d.Limited {
		t.Fatalf("%s: got %+v after %d answers, want it limited", client, d, rate)
	}
}

func TestWhoSharesABucket(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		options       Options
		first, second string
		class         Class
		hash          uint64
		shared        bool
		block         string
	}{
		{"the same", Options{}, "192.0.2.1", "192.0.2.1", Positive, 7, true, "192.0.2.0/24"},
		{"same /24", Options{}, "192.0.2.1", "192.0.2.255", Positive, 7, true, "192.0.2.0/24"},
		{"next /24", Options{}, "192.0.2.255", "192.0.3.0", Positive, 7, false, "192.0.3.0/24"},
		{"mapped", Options{}, "192.0.2.1", "::ffff:192.0.2.9", Positive, 7, true, "192.0.2.0/24"},
		{"not mapped", Options{}, "192.0.2.1", "::192.0.2.1", Positive, 7, false, "::/56"},
		{"same /56", Options{}, "2001:db8:0:100::1", "2001:db8:0:1ff:ffff::", Positive, 7, true, "2001:db8:0:100::/56"},
		{"next /56", Options{}, "2001:db8:0:1ff::", "2001:db8:0:200::", Positive, 7, false, "2001:db8:0:200::/56"},
		{"a zone", Options{}, "fe80::1", "fe80::2%eth0", Positive, 7, true, "fe80::/56"},
		{"another answer", Options{}, "192.0.2.1", "192.0.2.1", Positive, 8, false, "192.0.2.0/24"},
		{"another class", Options{}, "192.0.2.1", "192.0.2.1", NXDomain, 7, false, "192.0.2.0/24"},
		{"/32", Options{IPv4Prefix: 32}, "192.0.2.1", "192.0.2.2", Positive, 7, false, "192.0.2.2/32"},
		{"/1", Options{IPv4Prefix: 1}, "0.0.0.1", "127.0.2.2", Positive, 7, true, "0.0.0.0/1"},
		{"/1, other half", Options{IPv4Prefix: 1}, "0.0.0.1", "128.0.2.2", Positive, 7, false, "128.0.0.0/1"},
		{"/128", Options{IPv6Prefix: 128}, "2001:db8::1", "2001:db8::2", Positive, 7, false, "2001:db8::2/128"},
		{"/65", Options{IPv6Prefix: 65}, "2001:db8::1", "2001:db8::8000:0:0:2", Positive, 7, false, "2001:db8:0:0:8000::/65"},
		{"/64", Options{IPv6Prefix: 64}, "2001:db8::1", "2001:db8::8000:0:0:2", Positive, 7, true, "2001:db8::/64"},
	} {
		tc.options.Rate = 3
		table := tableOf(t, tc.options)
		spend(t, table, tc.first, Positive, 7, 3)
		second := netip.MustParseAddr(tc.second)
		if d := table.Decide(0, second, tc.class, tc.hash); d.Limited != tc.shared {
			t.Errorf("%s: got %+v, want shared %v", tc.name, d, tc.shared)
		}
		if got := table.Block(second); got.String() != tc.block {
			t.Errorf("%s: got block %v, want %s", tc.name, got, tc.block)
		}
	}
}

func TestRatesOfClasses(t *testing.T) {
	t.Parallel()
	const endless = 50
	for _, tc := range []struct {
		options Options
		want    [classes]int // answers sent of endless
	}{
		{Options{}, [classes]int{endless, endless, endless, endless, endless}},
		{Options{Rate: 4}, [classes]int{4, 4, 4, 4, 4}},
		{Options{Rate: 4, NoDataRate: 5, ReferralRate: 6, NXDomainRate: 2, ErrorRate: 1}, [classes]int{4, 5, 6, 2, 1}},
		{Options{Rate: 4, NXDomainRate: Unlimited}, [classes]int{4, 4, 4, endless, 4}},
		{Options{ErrorRate: 3}, [classes]int{endless, endless, endless, endless, 3}},
		{Options{Rate: 4, LogOnly: true}, [classes]int{endless, endless, endless, endless, endless}},
		{Options{Rate: 4, Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}}, [classes]int{endless, endless, endless, endless, endless}},
	} {
		table := tableOf(t, tc.options)
		var got [classes]int
		for class := range classes {
			for range endless {
				if table.Decide(0, netip.MustParseAddr("192.0.2.7"), class, 7).Action == Send {
					got[class]++
				}
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.options, diff)
		}
	}
}

func TestLogOnlyTells(t *testing.T) {
	t.Parallel()
	table := tableOf(t, Options{Rate: 1, LogOnly: true})
	table.Decide(0, ip(1), Error, 0)
	want := Decision{Action: Send, Limited: true, Started: true}
	if got := table.Decide(0, ip(1), Error, 0); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// naive is a bucket as one would tell of it: answers of credit, more as time passes.
type naive struct {
	credit float64
	at     time.Duration
}

func (n *naive) send(now time.Duration, rate int, window time.Duration) bool {
	n.credit = min(n.credit+float64(rate)*(now-n.at).Seconds(), float64(rate))
	n.credit = math.Round(n.credit*1e6) / 1e6
	n.at = now
	if n.credit >= 1 {
		n.credit--
		return true
	}
	lowest := 1 - float64(rate)*window.Seconds()
	n.credit = min(n.credit, max(n.credit-1, lowest))
	return false
}

// Random answers to random clients get what a map of naive buckets gives them.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(3, seed))
		o := Options{
			Rate: []int{1, 5, 50}[rng.IntN(3)], NXDomainRate: 10, ErrorRate: 2,
			Window: []time.Duration{0, time.Second, 15 * time.Second}[rng.IntN(3)],
		}
		table, rates := tableOf(t, o), [classes]int{o.Rate, o.Rate, o.Rate, o.NXDomainRate, o.ErrorRate}
		model := map[string]*naive{}
		now, pause := time.Duration(0), 1+rng.IntN(100)
		for i := range 8000 {
			if now += time.Duration(rng.IntN(pause)) * time.Millisecond; rng.IntN(2000) == 0 {
				now += time.Duration(rng.IntN(40)) * time.Second
			}
			// The square makes some clients much busier than others.
			client, class, hash := ip(uint32(rng.IntN(8)*rng.IntN(8))<<8), Class(rng.IntN(int(classes))), uint64(rng.IntN(2))
			name := fmt.Sprint(client, class, hash)
			if model[name] == nil {
				model[name] = &naive{credit: float64(rates[class]), at: now}
			}
			got, want := table.Decide(now, client, class, hash), model[name].send(now, rates[class], o.Window)
			if got.Limited == want {
				t.Fatalf("seed %d, %+v, answer %d at %v to %s: got %+v, want sent %v", seed, o, i, now, name, got, want)
			}
		}
	}
}

// A flood of forged sources, many more than there are buckets, limits none of
// them, and frees none of those that are limited.
func TestForgedSources(t *testing.T) {
	t.Parallel()
	table := tableOf(t, Options{Rate: 5, Size: 3000, IPv4Prefix: 32, Window: 15 * time.Second})
	rng := rand.New(rand.NewPCG(4, 4))
	const flooders = 30
	for client := range uint32(flooders) {
		spend(t, table, ip(client).String(), Positive, 7, 5)
	}
	for i := range uint32(300_000) {
		now := time.Duration(i) * 5 * time.Microsecond
		if d := table.Decide(now, ip(1<<31|i), Positive, rng.Uint64()); d.Limited {
			t.Fatalf("forged source %d: got %+v to its first answer", i, d)
		}
		if i%50 > 0 {
			continue // each flooder asks 133 times a second
		}
		if d := table.Decide(now, ip(i/50%flooders), Positive, 7); !d.Limited {
			t.Fatalf("after forged source %d: got %+v to a flooder", i, d)
		}
	}
}

// Where buckets are short the one with most credit goes.
func TestEviction(t *testing.T) {
	t.Parallel()
	table := tableOf(t, Options{Rate: 5, Size: ways})
	for i, answers := range []int{6, 2, 9, 4} {
		for range answers {
			table.Decide(0, ip(uint32(i)<<8), Positive, 7)
		}
	}
	table.Decide(0, ip(4<<8), Positive, 7) // takes the place of the one with 2
	table.Decide(0, ip(5<<8), Positive, 7) // and takes its
	for client, limited := range map[uint32]bool{0: true, 2: true} {
		if d := table.Decide(0, ip(client<<8), Positive, 7); d.Limited != limited {
			t.Errorf("client %d: got %+v, want limited %v", client, d, limited)
		}
	}
	if d := table.Decide(0, ip(3<<8), Positive, 7); d.Limited {
		t.Errorf("client 3: got %+v to answer 5 of 5", d)
	}
	if d := table.Decide(0, ip(3<<8), Positive, 7); !d.Limited {
		t.Errorf("client 3: got %+v to answer 6 of 5", d)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	const line = 64
	if got := unsafe.Sizeof(set{}); got != line || EntrySize != line/ways {
		t.Errorf("a set has %d octets, an entry %d, want %d and %d", got, EntrySize, line, line/ways)
	}
	for size, sets := range map[int]int{1: 1, 4: 1, 5: 2, 100_000: 25_000} {
		if got := len(tableOf(t, Options{Rate: 1, Size: size}).sets); got != sets {
			t.Errorf("size %d: got %d sets, want %d", size, got, sets)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	table := tableOf(t, Options{Rate: 5, Slip: 2, Size: 100, Exempt: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}})
	n := uint32(0)
	for name, check := range map[string]func(){
		"one client":  func() { table.Decide(0, ip(1), Positive, 7) },
		"new clients": func() { n += 1 << 8; table.Decide(0, ip(n), Positive, 7) },
		"IPv6":        func() { table.Decide(0, netip.IPv6LinkLocalAllNodes(), Error, 0) },
		"a block":     func() { table.Block(ip(n)) },
	} {
		if got := testing.AllocsPerRun(1000, check); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

// Workers that serve one block at once share its credit and its slips exactly.
func TestWorkersOnOneBlock(t *testing.T) {
	t.Parallel()
	const rate, workers, each = 1000, 4, 50_000
	table := tableOf(t, Options{Rate: rate, Slip: 3, Window: time.Second})
	table.Decide(0, ip(1), Positive, 7)
	var mu sync.Mutex
	got, started := map[Action]int{Send: 1}, 0
	var group sync.WaitGroup
	begin := make(chan struct{})
	for w := range uint32(workers) {
		group.Go(func() {
			<-begin
			mine, starts := map[Action]int{}, 0
			for range each {
				d := table.Decide(0, ip(w), Positive, 7)
				mine[d.Action]++
				if d.Started {
					starts++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for action, n := range mine {
				got[action] += n
			}
			started += starts
		})
	}
	close(begin)
	group.Wait()
	limited := workers*each + 1 - rate
	slipped := (limited + 2) / 3
	want := map[Action]int{Send: rate, Slip: slipped, Drop: limited - slipped}
	if diff := cmp.Diff(want, got); diff != "" || started != 1 {
		t.Errorf("%d starts, want 1 (-want +got):\n%s", started, diff)
	}
}

// Workers that take each other's buckets all the time limit nobody who asked
// less than the rate, and each block that floods.
func TestWorkersEvict(t *testing.T) {
	t.Parallel()
	const workers, each = 4, 20_000
	table := tableOf(t, Options{Rate: 100, Size: 64})
	for range 1000 {
		table.Decide(0, ip(1), Positive, 7)
	}
	var group sync.WaitGroup
	for w := range uint32(workers) {
		group.Go(func() {
			for i := range uint32(each) {
				if d := table.Decide(0, ip((w+1)<<24|i<<8), Positive, 7); d.Limited {
					t.Errorf("worker %d, client %d: got %+v to its first answer", w, i, d)
				}
				if d := table.Decide(0, ip(1), Positive, 7); !d.Limited {
					t.Errorf("worker %d, after client %d: got %+v to the flood", w, i, d)
				}
			}
		})
	}
	group.Wait()
}
