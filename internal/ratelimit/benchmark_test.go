package ratelimit

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func tableOf(t testing.TB, o Options) *Table {
	t.Helper()
	table, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func ip(n uint32) netip.Addr {
	var octets [4]byte
	binary.BigEndian.PutUint32(octets[:], n)
	return netip.AddrFrom4(octets)
}

func BenchmarkDecide(b *testing.B) {
	var exempt []netip.Prefix
	for i := range 8 {
		exempt = append(exempt, netip.PrefixFrom(ip(uint32(i+10)<<24), 8))
	}
	v6 := netip.MustParseAddr("2001:db8::1")
	for _, tc := range []struct {
		name    string
		options Options
		client  netip.Addr
		step    time.Duration
	}{
		{"send", Options{Rate: 1000}, ip(1), time.Millisecond},
		{"send/IPv6", Options{Rate: 1000}, v6, time.Millisecond},
		{"send/8 exempt", Options{Rate: 1000, Exempt: exempt}, ip(1), time.Millisecond},
		{"limited", Options{Rate: 5, Slip: 2}, ip(1), time.Microsecond},
		{"limited/window", Options{Rate: 5, Slip: 2, Window: 15 * time.Second}, ip(1), time.Microsecond},
		{"exempt", Options{Rate: 1000, Exempt: exempt}, ip(12 << 24), time.Millisecond},
		{"off", Options{}, ip(1), time.Millisecond},
	} {
		b.Run(tc.name, func(b *testing.B) {
			table := tableOf(b, tc.options)
			b.ReportAllocs()
			for now := time.Duration(0); b.Loop(); now += tc.step {
				table.Decide(now, tc.client, Positive, 7)
			}
		})
	}
}

// Every source is another, so every check is a miss of the cache and evicts.
func BenchmarkSpoofedSources(b *testing.B) {
	for _, tc := range []struct {
		name string
		size int
	}{{"default size", 0}, {"beyond the cache", MaxSize}} {
		b.Run(tc.name, func(b *testing.B) {
			table := tableOf(b, Options{Rate: 5, Size: tc.size, IPv4Prefix: 32})
			b.ReportAllocs()
			n := uint32(0)
			for now := time.Duration(0); b.Loop(); now += time.Microsecond {
				n++
				table.Decide(now, ip(n*0x9e3779b1), Positive, 7)
			}
		})
	}
}

// Two workers get a flood in the name of one block, or of a block each.
func BenchmarkTwoWorkers(b *testing.B) {
	shared := tableOf(b, Options{Rate: 1000, Slip: 2, Window: 15 * time.Second})
	for _, tc := range []struct {
		name    string
		tables  [2]*Table
		clients [2]netip.Addr
	}{
		{"one table, one block", [2]*Table{shared, shared}, [2]netip.Addr{ip(1), ip(2)}},
		{"one table, two blocks", [2]*Table{shared, shared}, [2]netip.Addr{ip(1 << 8), ip(2 << 8)}},
		{"a table each", [2]*Table{shared, tableOf(b, Options{Rate: 1000, Slip: 2, Window: 15 * time.Second})}, [2]netip.Addr{ip(1), ip(2)}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			var workers sync.WaitGroup
			for w := range 2 {
				workers.Go(func() {
					for i := range b.N {
						tc.tables[w].Decide(time.Duration(i)*time.Microsecond, tc.clients[w], Positive, 7)
					}
				})
			}
			workers.Wait()
		})
	}
}
