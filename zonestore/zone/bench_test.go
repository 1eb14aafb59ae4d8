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

var benchZone = sync.OnceValue(func() *Zone { return zoneOf(benchNames) })

// zoneOf returns a zone of that many names with an address each.
func zoneOf(names int) *Zone {
	b, err := NewBuilder(modelApex, testSeed, Limits{})
	if err != nil {
		panic(err)
	}
	for i := range names {
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
}

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

// BenchmarkDelta makes version after version with one record more, or with
// another record, and a new SOA. What it takes must not depend on the size.
func BenchmarkDelta(b *testing.B) {
	for _, records := range []int{10_000, 100_000, 1_000_000} {
		z := zoneOf(records)
		b.Run(fmt.Sprintf("add/records=%d", records), func(b *testing.B) {
			benchDelta(b, z, func(d *Delta, i int) error {
				return d.Add(wire.Name(fmt.Sprintf("\x0Anew-%06d\x07example\x03org\x00", i)), wire.TypeA, 3600, []byte{192, 0, 2, 1})
			})
		})
		b.Run(fmt.Sprintf("change/records=%d", records), func(b *testing.B) {
			benchDelta(b, z, func(d *Delta, i int) error {
				i = i * 7919 % records
				owner := wire.Name(fmt.Sprintf("\x0Bname-%06d\x07example\x03org\x00", i))
				if err := d.Delete(owner, wire.TypeA, binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
					return err
				}
				return d.Add(owner, wire.TypeAAAA, 3600, make([]byte, 16))
			})
		})
	}
}

func benchDelta(b *testing.B, z *Zone, change func(d *Delta, i int) error) {
	base, i := z, 0
	for b.Loop() {
		if i == 5000 {
			z, i = base, 0
		}
		d := NewDelta(z, Limits{})
		serial := func(i int) []byte {
			return binary.BigEndian.AppendUint32([]byte("\x01n\x00\x01m\x00"), uint32(i+7))
		}
		rest := soaRdata[10:]
		if err := d.Delete(modelApex, wire.TypeSOA, append(serial(i), rest...)); err != nil {
			b.Fatal(err)
		}
		if err := d.Add(modelApex, wire.TypeSOA, 3600, append(serial(i+1), rest...)); err != nil {
			b.Fatal(err)
		}
		if err := change(d, i); err != nil {
			b.Fatal(err)
		}
		next, err := d.Finish()
		if err != nil {
			b.Fatal(err)
		}
		z = next
		i++
	}
}
