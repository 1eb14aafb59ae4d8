package zone

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secondaryd/internal/wire"
)

// decode turns octets into records as a transfer would pass them on: owners and
// RDATA of any octets, but of the right form. Each record is
//
//	owner: labels, each a length below 8 and its octets, up to a length of 0
//	u16 type, u8 TTL (shifted to the left), u8 size, RDATA
func decode(data []byte) (records []testRecord) {
	for len(data) > 0 {
		var owner wire.Name
		for len(data) > 0 && data[0]&7 != 0 && len(owner) < 200 {
			size := min(int(data[0]&7), len(data)-1)
			if size == 0 {
				return records
			}
			owner = append(append(owner, byte(size)), data[1:1+size]...)
			data = data[1+size:]
		}
		if len(data) < 5 {
			return records
		}
		r := testRecord{owner: append(owner, modelApex...), t: binary.BigEndian.Uint16(data[1:]), ttl: uint32(data[3]) << 24}
		size := min(int(data[4]), len(data)-5)
		rdata, err := wire.AppendRdata(nil, data[5:5+size], 0, size, r.t)
		data = data[5+size:]
		if err != nil || !wire.IsData(r.t) {
			continue
		}
		r.rdata = rdata
		records = append(records, r)
	}
	return records
}

// encodeRecord is the inverse of decode, for seeds.
func encodeRecord(dst []byte, labels string, t uint16, rdata string) []byte {
	dst = append(append(dst, labels...), 0)
	dst = binary.BigEndian.AppendUint16(dst, t)
	return append(append(dst, 1, byte(len(rdata))), rdata...)
}

// buildFuzzed builds a zone of an SOA and the records, under the limits.
func buildFuzzed(t *testing.T, records []testRecord, limits Limits) (*Zone, error) {
	t.Helper()
	b, err := NewBuilder(modelApex, testSeed, limits)
	if err != nil {
		t.Fatal(err)
	}
	records = slices.Insert(slices.Clone(records), 0, testRecord{modelApex, wire.TypeSOA, 1, soaRdata})
	for _, r := range records {
		if err := b.Add(r.owner, r.t, r.ttl, r.rdata); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

func FuzzBuilder(f *testing.F) {
	f.Add([]byte("\x04hash\xd1\xd1\xd1\xd1\xd1\xd1\x00\x002\x01\a\x01\x00\x00\x00\x00"))
	var all []byte
	for t, rdatas := range pool {
		for _, rdata := range rdatas {
			all = encodeRecord(all, "\x01a", t, rdata)
			all = encodeRecord(all, "\x01*\x01B", t, rdata)
		}
	}
	f.Add(all)
	f.Add(encodeRecord(encodeRecord(nil, "\x04hash", wire.TypeNSEC3, hidden[wire.TypeNSEC3][0]), "", wire.TypeSOA, string(soaRdata)))
	limits := Limits{Records: 20, RRsetRecords: 4, Types: 3, Octets: 4096}
	f.Fuzz(func(t *testing.T, data []byte) {
		records := decode(data)
		z, err := buildFuzzed(t, records, Limits{})
		if err == nil {
			checkZone(t, z, records)
		}
		limited, err := buildFuzzed(t, records, limits)
		if err == nil {
			checkZone(t, limited, records)
			checkLimits(t, limited, limits)
			return
		}
		if _, ok := errors.AsType[*LimitError](err); !ok && z != nil {
			t.Fatalf("under limits: %v, without: none", err)
		}
	})
}

// checkZone wants every record where it belongs, and nothing else.
func checkZone(t *testing.T, z *Zone, records []testRecord) {
	t.Helper()
	checkOrder(t, z)
	count := 0
	for n := range z.All() {
		for set := range n.Sets() {
			count += set.Len() + set.Signatures()
		}
		m := findIn(z, folded(n))
		if n.data().flags&flagHidden == 0 && (!m.Exact || m.Node != folded(n)) {
			t.Fatalf("%s is found as %+v", n.Name(), m)
		}
	}
	if count != z.Records() || count > len(records)+1 {
		t.Fatalf("%d records of %d, but Records says %d", count, len(records)+1, z.Records())
	}
	for _, r := range records {
		if !holds(z, r) {
			t.Fatalf("%v is missing", r)
		}
	}
}

// holds reports whether the zone has r, or its like in another case.
func holds(z *Zone, r testRecord) bool {
	i, ok := z.lookup(wire.HashName(r.owner.Fold(), z.seed), r.owner.Fold())
	if !ok {
		return false
	}
	for set := range (Node{z, i}).Sets() {
		if r.t != wire.TypeRRSIG {
			for rdata := range set.Records() {
				if set.Type == r.t && wire.CompareRdata(r.t, rdata, r.rdata) == 0 {
					return true
				}
			}
			continue
		}
		for _, rdata := range set.Sigs() {
			if wire.CompareRdata(r.t, rdata, r.rdata) == 0 {
				return set.Type == binary.BigEndian.Uint16(rdata)
			}
		}
	}
	return false
}

func checkLimits(t *testing.T, z *Zone, limits Limits) {
	t.Helper()
	if z.Records() > limits.Records || z.Octets() > limits.Octets {
		t.Fatalf("%d records, %d octets; the limits are %d, %d", z.Records(), z.Octets(), limits.Records, limits.Octets)
	}
	for n := range z.All() {
		if sets := slices.Collect(n.Sets()); len(sets) > limits.Types {
			t.Fatalf("%s has %d types, the limit is %d", n.Name(), len(sets), limits.Types)
		}
		for set := range n.Sets() {
			if set.Len() > limits.RRsetRecords {
				t.Fatalf("%s type %d has %d records, the limit is %d", n.Name(), set.Type, set.Len(), limits.RRsetRecords)
			}
		}
	}
}

// FuzzDelta replays any octets on a zone: an error, or a version that is what a
// zone built anew of its records is.
func FuzzDelta(f *testing.F) {
	base := buildFrom(f, []testRecord{
		{modelApex, wire.TypeSOA, 60, soaRdata},
		{append(wire.Name("\x01a\x01b"), modelApex...), wire.TypeNS, 60, []byte("\x02ns\x00")},
		{append(wire.Name("\x01*"), modelApex...), wire.TypeMX, 60, []byte("\x00\x0A\x01m\x00")},
	})
	d := NewDelta(base, Limits{})
	for t, rdatas := range pool {
		for i, rdata := range rdatas {
			owner := append(wire.Name([]string{"", "\x01a", "\x01*\x01b", "\x01x\x01a\x01b"}[i%4]), modelApex...)
			if err := d.Add(owner, t, 60, []byte(rdata)); err != nil {
				f.Fatal(err)
			}
		}
	}
	f.Add(d.Changes())
	f.Add(appendChange(nil, deletion, append(wire.Name("\x01*"), modelApex...), wire.TypeMX, 0, []byte("\x00\x0A\x01m\x00")))
	f.Fuzz(func(t *testing.T, changes []byte) {
		d := NewDelta(base, Limits{Octets: 1 << 20})
		if d.Replay(changes) != nil {
			return
		}
		z, err := d.Finish()
		if err != nil {
			return
		}
		checkOrder(t, z)
		checkChains(t, z)
		checkDecoded(t, z)
		checkReplay(t, base, changes, z)
		anew, err := z.rebuilt()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dumpOf(anew), dumpOf(z)); diff != "" {
			t.Fatalf("version (-built +changed):\n%s", diff)
		}
		for n := range z.All() {
			if diff := cmp.Diff(findIn(anew, folded(n)), findIn(z, folded(n))); diff != "" {
				t.Fatalf("find %s (-built +changed):\n%s", n.Name(), diff)
			}
		}
	})
}
