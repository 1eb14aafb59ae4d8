package archive

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// BenchmarkLoad opens an archive of 10,000 small zones and loads them all, as a
// restart does.
func BenchmarkLoad(b *testing.B) {
	const zones = 10_000
	dir := b.TempDir()
	a, _ := openArchive(b, dir)
	z := benchZone(b)
	for i := range zones {
		save(b, a, fmt.Sprintf("%032x", i), z)
	}
	closeArchive(b, a)
	for b.Loop() {
		a, _ := openArchive(b, dir)
		for i := range zones {
			if _, _, err := a.Load(fmt.Sprintf("%032x", i), seed); err != nil {
				b.Fatal(err)
			}
		}
		closeArchive(b, a)
	}
}

// benchZone has 12 records at 11 names.
func benchZone(b *testing.B) *zone.Zone {
	b.Helper()
	builder, err := zone.NewBuilder(apex, seed, zone.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	add := func(owner []byte, t uint16, rdata []byte) {
		if err := builder.Add(owner, t, 300, rdata); err != nil {
			b.Fatal(err)
		}
	}
	add(apex, 6, soa(1))
	add(apex, 2, append([]byte{2, 'n', '1'}, apex...))
	for i := range 10 {
		add(append([]byte{2, 'n', byte('0' + i)}, apex...), 1, []byte{192, 0, 2, byte(i)})
	}
	z, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	return z
}

// BenchmarkIndex tells what a small zone takes in memory.
func BenchmarkIndex(b *testing.B) {
	const zones = 100_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		x := index{entries: map[key]*entry{}, segments: map[uint32]*segment{}}
		for i := range uint32(zones) {
			x.learn(head{kind: kindCopy, key: keyOf(fmt.Sprint(i)), seq: uint64(i)}, place{segment: 1, offset: i, size: 1})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/zones, "octets/zone")
		runtime.KeepAlive(x)
	}
}

// BenchmarkLoadLarge loads the copy of a zone of a million records, as a restart
// does.
func BenchmarkLoadLarge(b *testing.B) {
	const delegations = 400_000
	a, _ := openArchive(b, b.TempDir())
	defer closeArchive(b, a)
	save(b, a, id, registryZone(b, delegations))
	syncNow(b, a)
	b.ReportAllocs()
	runtime.GC()
	for b.Loop() {
		if _, _, err := a.Load(id, seed); err != nil {
			b.Fatal(err)
		}
	}
}

// registryZone has the look of a registry's: two name servers to each name, a
// third of the names with a DS, some with glue.
func registryZone(b *testing.B, delegations int) *zone.Zone {
	b.Helper()
	builder, err := zone.NewBuilder(apex, seed, zone.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	add := func(owner []byte, t uint16, rdata []byte) {
		if err := builder.Add(owner, t, 86400, rdata); err != nil {
			b.Fatal(err)
		}
	}
	add(apex, wire.TypeSOA, soa(1))
	for i := range delegations {
		label := fmt.Sprintf("name-%x-%d", uint32(i)*2654435761>>8, i)
		owner := slices.Concat([]byte{byte(len(label))}, []byte(label), apex)
		for server := range 2 {
			switch host := fmt.Sprintf("\x03ns%d", server+1); {
			case i%7 == 0:
				glue := append([]byte(host), owner...)
				add(owner, wire.TypeNS, glue)
				add(glue, wire.TypeA, []byte{192, 0, 2, byte(i)})
			default:
				add(owner, wire.TypeNS, fmt.Appendf(nil, "%s\x0Ahoster%04d\x07example\x00", host, i%2000))
			}
		}
		if i%3 == 0 {
			add(owner, wire.TypeDS, make([]byte, 36))
		}
	}
	z, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	return z
}
