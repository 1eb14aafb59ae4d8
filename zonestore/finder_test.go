package zonestore

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

const testSeed = 7

// deepest is what find must do, said plainly.
func deepest(zones map[string]*Served, name wire.Name, skip int) *Served {
	for ; skip > 0 && len(name) > 1; skip-- {
		name = name.Parent()
	}
	for {
		if s, ok := zones[name.String()]; ok {
			return s
		}
		if len(name) == 1 {
			return nil
		}
		name = name.Parent()
	}
}

// TestFinderModel compares random additions, removals and searches with a map.
func TestFinderModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var f finder
		zones := map[string]*Served{}
		name := rapid.Custom(func(t *rapid.T) string {
			text := "."
			for range rapid.IntRange(0, 3).Draw(t, "labels") {
				label := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "label")
				text = label + "." + text[:len(text)-1] + "."
				if text == label+".." {
					text = label + "."
				}
			}
			return text
		})
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				text := name.Draw(t, "zone")
				if zones[text] != nil {
					return
				}
				n, _ := wire.ParseName(text)
				s := newServed(text, n)
				zones[text] = s
				f.insert(wire.HashName(s.apex, testSeed), s)
			},
			"remove": func(t *rapid.T) {
				text := name.Draw(t, "zone")
				s := zones[text]
				if s == nil {
					return
				}
				delete(zones, text)
				f.remove(wire.HashName(s.apex, testSeed), s)
			},
			"find": func(t *rapid.T) {
				n, _ := wire.ParseName(name.Draw(t, "name"))
				from := rapid.IntRange(0, n.Labels()).Draw(t, "from")
				var s wire.Suffixes
				s.Set(n.Fold(), testSeed)
				got, depth := f.find(&s, from)
				want := deepest(zones, n, from)
				if got != want {
					t.Fatalf("%s from label %d: got %v, want %v", n, from, got, want)
				}
				if got != nil && !s.Name(depth).Equal(got.apex) {
					t.Fatalf("%s: depth %d is %s, the zone is %s", n, depth, s.Name(depth), got.apex)
				}
			},
		})
	})
}

// TestFinderCollisions: zones whose hashes are alike, to the last bit or nearly,
// are told apart by their names.
func TestFinderCollisions(t *testing.T) {
	t.Parallel()
	var f finder
	var all []*Served
	for i := range 12 {
		s := newServed(fmt.Sprint(i), wiretest.Name(t, fmt.Sprintf("z%d.", i)))
		all = append(all, s)
		f.insert(0xABCDEF|uint64(i/6)<<63, s)
	}
	for i, s := range all {
		if got := f.exact(0xABCDEF|uint64(i/6)<<63, s.apex); got != s {
			t.Errorf("zone %d: got %v", i, got)
		}
	}
	for i, s := range all {
		f.remove(0xABCDEF|uint64(i/6)<<63, s)
		for k, other := range all {
			got := f.exact(0xABCDEF|uint64(k/6)<<63, other.apex)
			if want := k > i; (got == other) != want {
				t.Errorf("after removing %d: zone %d found %v, want %v", i, k, got != nil, want)
			}
		}
	}
	if !f.root.empty() {
		t.Error("branches are left behind")
	}
}

// TestFinderRace: a zone that stays is found at every moment while others come
// and go beside it.
func TestFinderRace(t *testing.T) {
	t.Parallel()
	var f finder
	stays := newServed("stays", wiretest.Name(t, "stays.example."))
	f.insert(wire.HashName(stays.apex, testSeed), stays)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			var s wire.Suffixes
			s.Set(wire.Name("\x01x\x05stays\x07example\x00"), testSeed)
			for {
				select {
				case <-done:
					return
				default:
				}
				if got, _ := f.find(&s, 0); got != stays {
					t.Errorf("got %v", got)
					return
				}
			}
		})
	}
	for round := range 20 {
		var some []*Served
		for i := range 200 {
			s := newServed("", wiretest.Name(t, fmt.Sprintf("n%d-%d.example.", round, i)))
			some = append(some, s)
			f.insert(wire.HashName(s.apex, testSeed), s)
		}
		for _, s := range some {
			f.remove(wire.HashName(s.apex, testSeed), s)
		}
	}
	close(done)
	wg.Wait()
}

func TestFindAllocatesNothing(t *testing.T) {
	var f finder
	z := newServed("", wiretest.Name(t, "example.org."))
	f.insert(wire.HashName(z.apex, testSeed), z)
	var s wire.Suffixes
	name := wire.Name("\x03www\x07example\x03org\x00")
	if n := testing.AllocsPerRun(100, func() {
		s.Set(name, testSeed)
		f.find(&s, 0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFinder(b *testing.B) {
	for _, zones := range []int{10, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(zones), func(b *testing.B) {
			var f finder
			for i := range zones {
				s := newServed("", wiretest.Name(b, fmt.Sprintf("zone%d.example.", i)))
				f.insert(wire.HashName(s.apex, testSeed), s)
			}
			names := make([]wire.Name, 1024)
			for i := range names {
				names[i] = wiretest.Name(b, fmt.Sprintf("www.zone%d.example.", i*7919%zones))
			}
			var s wire.Suffixes
			i := 0
			for b.Loop() {
				s.Set(names[i%len(names)], testSeed)
				f.find(&s, 0)
				i++
			}
		})
	}
}
