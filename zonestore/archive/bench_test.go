package archive

import (
	"fmt"
	"runtime"
	"testing"

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
