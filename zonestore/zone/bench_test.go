package zone

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

const benchNames = 100_000

// benchRecords are of the shape of a large zone: delegations of two servers.
func benchRecords(tb testing.TB) []testRecord {
	tb.Helper()
	records := []testRecord{{modelApex, wire.TypeSOA, 3600, soaRdata}}
	for i := range benchNames {
		owner := wiretest.Name(tb, fmt.Sprintf("name-%06d.example.org.", i))
		for server := range byte(2) {
			ns := append([]byte{3, 'n', 's', '0' + server}, owner...)
			records = append(records, testRecord{owner, wire.TypeNS, 3600, ns})
		}
	}
	return records
}

var benchZone = sync.OnceValue(func() *Zone {
	b, err := NewBuilder(modelApex, testSeed, Limits{})
	if err != nil {
		panic(err)
	}
	for i := range benchNames {
		owner := wire.Name(fmt.Sprintf("\x0Bname-%06d\x07example\x03org\x00", i))
		if err := b.Add(owner, wire.TypeA, 3600, binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
			panic(err)
		}
	}
	if err := b.Add(modelApex, wire.TypeSOA, 3600, soaRdata); err != nil {
		panic(err)
	}
	z, err := b.Finish()
	if err != nil {
		panic(err)
	}
	return z
})

func benchFind(b *testing.B, format string, exact bool) {
	z := benchZone()
	queries := make([]wire.Name, 1<<14)
	for i := range queries {
		queries[i] = wiretest.Name(b, fmt.Sprintf(format, i*7919%benchNames))
	}
	var s wire.Suffixes
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Set(queries[i&(len(queries)-1)], testSeed)
		if m := z.Find(&s); m.Exact != exact {
			b.Fatalf("%s: exact %v", queries[i&(len(queries)-1)], m.Exact)
		}
		i++
	}
}

// The time to hash the query is part of it.
func BenchmarkFindHit(b *testing.B)      { benchFind(b, "name-%06d.example.org.", true) }
func BenchmarkFindMiss(b *testing.B)     { benchFind(b, "none-%06d.example.org.", false) }
func BenchmarkFindMissDeep(b *testing.B) { benchFind(b, "a.b.c.d.name-%06d.example.org.", false) }

// BenchmarkBuild tells the time and the memory for each record of a zone.
func BenchmarkBuild(b *testing.B) {
	records := benchRecords(b)
	b.ReportAllocs()
	octets := 0
	for b.Loop() {
		octets = compile(b, records).Octets()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
	b.ReportMetric(float64(octets)/float64(len(records)), "octets/record")
}

func compile(b *testing.B, records []testRecord) *Zone {
	builder, err := NewBuilder(modelApex, testSeed, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range records {
		if err := builder.Add(r.owner, r.t, r.ttl, r.rdata); err != nil {
			b.Fatal(err)
		}
	}
	z, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	return z
}
