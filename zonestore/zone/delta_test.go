package zone

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"secondaryd/internal/wire"
)

// has reports whether the model has r, or its like in another case.
func (m *model) has(r testRecord) bool {
	set := m.names[string(r.owner.Fold())][groupOf(r)]
	if set == nil {
		return false
	}
	_, ok := set.of(r.t)[canonical(r.t, r.rdata)]
	return ok
}

// delete takes r out, and the names that exist no more without it.
func (m *model) delete(r testRecord) {
	name := string(r.owner.Fold())
	set := m.names[name][groupOf(r)]
	delete(set.of(r.t), canonical(r.t, r.rdata))
	if len(set.records)+len(set.sigs) == 0 {
		delete(m.names[name], groupOf(r))
	}
	for name != m.apex && len(m.names[name]) == 0 && !m.hasChild(name) {
		delete(m.names, name)
		name = parentOf(name)
	}
}

func (m *model) hasChild(name string) bool {
	for other := range m.names {
		if other != m.apex && parentOf(other) == name {
			return true
		}
	}
	return false
}

// leastTTLs makes the TTLs of each RRset one, as a zone keeps them.
func (m *model) leastTTLs() {
	for _, n := range m.names {
		for _, set := range n {
			ttl := set.ttl()
			for record := range set.records {
				set.records[record] = ttl
			}
		}
	}
}

// change is a change of the model, drawn so that it fits.
func (m *model) change(r testRecord) (testChange, bool) {
	switch {
	case !m.has(r):
		m.add(r)
		return testChange{addition, r}, true
	case r.t == wire.TypeSOA:
		return testChange{}, false
	}
	m.delete(r)
	return testChange{deletion, r}, true
}

type testChange struct {
	kind   changeKind
	record testRecord
}

func (c testChange) applyTo(d *Delta) error {
	// Neither may keep anything of what it is given.
	owner, rdata := slices.Clone(c.record.owner), slices.Clone(c.record.rdata)
	defer clear(owner)
	defer clear(rdata)
	if c.kind == deletion {
		return d.Delete(owner, c.record.t, rdata)
	}
	return d.Add(owner, c.record.t, c.record.ttl, rdata)
}

func applyAll(d *Delta, changes []testChange) (*Zone, error) {
	for _, c := range changes {
		if err := c.applyTo(d); err != nil {
			return nil, err
		}
	}
	return d.Finish()
}

// TestDeltaModel makes versions one of the other by random changes and wants
// each to be what a zone built anew is, and the versions before it unchanged.
func TestDeltaModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		m := newModel(modelApex, records)
		z := buildFrom(t, records)
		queries := map[string]bool{}
		for range rapid.IntRange(1, 5).Draw(t, "versions") {
			m.leastTTLs()
			var changes []testChange
			for _, r := range rapid.SliceOfN(rapid.Custom(drawRecord), 0, 20).Draw(t, "changes") {
				if c, ok := m.change(r); ok {
					changes = append(changes, c)
				}
			}
			before := dumpOf(z)
			d := NewDelta(z, Limits{})
			next, err := applyAll(d, changes)
			if err != nil {
				t.Fatalf("changes %v: %v", changes, err)
			}
			if diff := cmp.Diff(before, dumpOf(z)); diff != "" {
				t.Fatalf("the version before changed (-was +is):\n%s", diff)
			}
			checkReplay(t, z, d.Changes(), next)
			checkDecoded(t, next)
			checkFaults(t, d, z, next)
			z = next
			checkContents(t, z, m)
			checkOrder(t, z)
			maps.Copy(queries, keysOf(m.names))
			for range 5 {
				queries[string(drawName(t, "query").Fold())] = true
			}
			checkFind(t, z, m, slices.Collect(maps.Keys(queries)))
		}
	})
}

func keysOf[V any](m map[string]V) map[string]bool {
	keys := map[string]bool{}
	for k := range m {
		keys[k] = true
	}
	return keys
}

// checkReplay wants the changes as they are kept on disk to lead to the same.
func checkReplay(t rapid.TB, base *Zone, changes []byte, want *Zone) {
	t.Helper()
	again := NewDelta(base, Limits{})
	if err := again.Replay(changes); err != nil {
		t.Fatalf("replay: %v", err)
	}
	got, err := again.Finish()
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	if diff := cmp.Diff(contents(want), contents(got)); diff != "" {
		t.Fatalf("replayed (-want +got):\n%s", diff)
	}
}

// checkDecoded wants a version to be the same after it was on disk.
func checkDecoded(t rapid.TB, z *Zone) {
	t.Helper()
	var b bytes.Buffer
	if err := z.Encode(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b.Bytes(), testSeed)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if diff := cmp.Diff(contents(z), contents(got)); diff != "" {
		t.Fatalf("decoded (-want +got):\n%s", diff)
	}
	if !got.SameAs(z) || !z.SameAs(got) {
		t.Fatal("decoded: not the same")
	}
	if got.Names() != z.Names() || got.Records() != z.Records() {
		t.Fatalf("decoded: %d names, %d records; want %d, %d", got.Names(), got.Records(), z.Names(), z.Records())
	}
	// What was decoded is counted anew, what came of changes goes on counting.
	if got.PlainRecords() != z.PlainRecords() {
		t.Fatalf("decoded: %d plain records, want %d", got.PlainRecords(), z.PlainRecords())
	}
}

// Labels of NSEC3 owners: as long as hashes.
var chainLabels = []string{"0", "1", "7", "a", "A", "g", "v"}

// drawChained gives a record of a signed zone: of either chain, or the apex's
// that names the chain.
func drawChained(t *rapid.T) testRecord {
	switch rapid.IntRange(0, 12).Draw(t, "kind") {
	case 0:
		salt := rapid.SampledFrom([]string{"\x01\x00\x00\x00\x00", "\x01\x00\x00\x00\x01x"}).Draw(t, "param")
		return testRecord{modelApex, wire.TypeNSEC3PARAM, 0, []byte(salt)}
	case 1:
		return testRecord{modelApex, wire.TypeNSEC, 60, []byte("\x00\x00\x01\x40")}
	case 2, 3, 4, 5, 6:
		return testRecord{drawName(t, "owner"), wire.TypeNSEC, 60, []byte("\x00\x00\x01\x40")}
	}
	label := rapid.SampledFrom(chainLabels).Draw(t, "first") + rapid.SampledFrom(chainLabels).Draw(t, "second") + strings.Repeat("0", 30)
	salt := rapid.SampledFrom([]string{"\x00", "\x01x"}).Draw(t, "salt")
	return testRecord{append(wire.Name("\x20"+label), modelApex...), wire.TypeNSEC3, 60, []byte("\x01\x00\x00\x00" + salt + "\x01h")}
}

// TestDeltaChains wants the orders of a signed zone's chains to be those of a
// zone built anew.
func TestDeltaChains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records := append(rapid.SliceOfN(rapid.Custom(drawChained), 0, 40).Draw(t, "records"), testRecord{modelApex, wire.TypeSOA, 3600, soaRdata})
		m := newModel(modelApex, records)
		z := buildFrom(t, records)
		for range rapid.IntRange(1, 4).Draw(t, "versions") {
			var changes []testChange
			for _, r := range rapid.SliceOfN(rapid.Custom(drawChained), 0, 20).Draw(t, "changes") {
				if c, ok := m.change(r); ok {
					changes = append(changes, c)
				}
			}
			next, err := applyAll(NewDelta(z, Limits{}), changes)
			if err != nil {
				t.Fatal(err)
			}
			z = next
			checkChains(t, z)
		}
	})
}

// checkChains compares the orders with orders made anew.
func checkChains(t rapid.TB, z *Zone) {
	t.Helper()
	anew := z.fork()
	anew.chain()
	if diff := cmp.Diff(z.walk(&anew.nsec), z.walk(&z.nsec)); diff != "" {
		t.Fatalf("NSEC chain (-built +changed):\n%s", diff)
	}
	if diff := cmp.Diff(z.walk(&anew.nsec3), z.walk(&z.nsec3)); diff != "" {
		t.Fatalf("NSEC3 chain (-built +changed):\n%s", diff)
	}
	if anew.hashed != z.hashed || !bytes.Equal(anew.nsec3Param.Salt, z.nsec3Param.Salt) {
		t.Fatalf("NSEC3 parameters: got %v %v, want %v %v", z.hashed, z.nsec3Param, anew.hashed, anew.nsec3Param)
	}
}

func (z *Zone) walk(o *order) []string {
	var names []string
	for i, page := range o.pages {
		for j, n := range page.nodes {
			names = append(names, z.nodeName(n).String())
			if page.keys[j] != sortKey(z.nodeName(n), int(z.labels)) || j == 0 && o.firsts[i] != page.keys[0] {
				names = append(names, "a wrong key")
			}
		}
	}
	if len(names) != o.len() {
		names = append(names, "a wrong count")
	}
	return names
}

// TestDeltaLarge changes a zone of many pages, also of its orders, and wants
// what was not changed to be shared.
func TestDeltaLarge(t *testing.T) {
	t.Parallel()
	const names = 20_000
	text := func(i int) wire.Name { return append(numbered(i), modelApex...) }
	b, err := NewBuilder(modelApex, testSeed, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(owner wire.Name, typ uint16, rdata []byte) {
		t.Helper()
		if err := b.Add(owner, typ, 60, rdata); err != nil {
			t.Fatal(err)
		}
	}
	nsec := []byte("\x00\x00\x01\x40")
	put(modelApex, wire.TypeSOA, soaRdata)
	put(modelApex, wire.TypeNSEC, nsec)
	for i := range names {
		put(text(2*i), wire.TypeA, []byte{192, 0, 2, byte(i)})
		put(text(2*i), wire.TypeNSEC, nsec)
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		d := NewDelta(z, Limits{})
		for i := range 3000 { // one page of the order comes to two or three
			if err := d.Add(text(2*(round*3000+i)+1), wire.TypeNSEC, 60, nsec); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2500 { // and one and more to nothing
			if err := d.Delete(text(2*(names-1-round*2500-i)), wire.TypeNSEC, nsec); err != nil {
				t.Fatal(err)
			}
		}
		next, err := d.Finish()
		if err != nil {
			t.Fatal(err)
		}
		checkChains(t, next)
		if next.nsec.len() != z.nsec.len()+500 || next.Names() != z.Names()+3000 {
			t.Errorf("%d of the chain after %d, %d names after %d", next.nsec.len(), z.nsec.len(), next.Names(), z.Names())
		}
		if &next.slab.chunks[0][0] != &z.slab.chunks[0][0] {
			t.Error("the slab was copied")
		}
		z = next
	}
}

// numbered returns a label whose canonical order is that of the number.
func numbered(i int) wire.Name {
	return wire.Name{6, byte('a' + i/100000), byte('0' + i/10000%10), byte('0' + i/1000%10), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}
}

func TestDeltaRefuses(t *testing.T) {
	t.Parallel()
	a, www := []byte{192, 0, 2, 1}, append(wire.Name("\x03www"), modelApex...)
	z := buildFrom(t, []testRecord{{modelApex, wire.TypeSOA, 60, soaRdata}, {www, wire.TypeA, 60, a}})
	tests := []struct {
		name    string
		changes []testChange
		limits  Limits
		want    error
	}{
		{"deletion of what is not there", []testChange{{deletion, testRecord{www, wire.TypeA, 60, []byte{192, 0, 2, 2}}}}, Limits{}, ErrMissing},
		{"deletion at an unknown name", []testChange{{deletion, testRecord{append(wire.Name("\x01x"), www...), wire.TypeA, 60, a}}}, Limits{}, ErrMissing},
		{"deletion twice", []testChange{{deletion, testRecord{www, wire.TypeA, 60, a}}, {deletion, testRecord{www, wire.TypeA, 60, a}}}, Limits{}, ErrMissing},
		{"addition of what is there", []testChange{{addition, testRecord{www, wire.TypeA, 60, a}}}, Limits{}, ErrPresent},
		{"addition twice", []testChange{{addition, testRecord{www, wire.TypeMX, 60, a}}, {addition, testRecord{www, wire.TypeMX, 60, a}}}, Limits{}, ErrPresent},
		{"no SOA left", []testChange{{deletion, testRecord{modelApex, wire.TypeSOA, 60, soaRdata}}}, Limits{}, ErrNoSOA},
		{"a second SOA", []testChange{{addition, testRecord{modelApex, wire.TypeSOA, 60, []byte("\x01x\x00\x01m\x00" + strings.Repeat("\x00\x00\x00\x07", 5))}}}, Limits{}, ErrManySOA},
		{"an SOA elsewhere", []testChange{{addition, testRecord{www, wire.TypeSOA, 60, soaRdata}}}, Limits{}, ErrForeignSOA},
		{"a name outside", []testChange{{addition, testRecord{wire.Name("\x03www\x00"), wire.TypeA, 60, a}}}, Limits{}, ErrOutOfZone},
		{"no zone data", []testChange{{addition, testRecord{www, wire.TypeOPT, 60, a}}}, Limits{}, ErrMetaType},
		{"a short RRSIG", []testChange{{addition, testRecord{www, wire.TypeRRSIG, 60, a}}}, Limits{}, wire.ErrRdata},
		{"too many records", []testChange{{addition, testRecord{www, wire.TypeMX, 60, a}}}, Limits{Records: 2}, &LimitError{"records", 2}},
		{"too many of an RRset", []testChange{{addition, testRecord{www, wire.TypeA, 60, []byte{192, 0, 2, 2}}}}, Limits{RRsetRecords: 1}, &LimitError{"records in an RRset", 1}},
		{"too many types", []testChange{{addition, testRecord{www, wire.TypeMX, 60, a}}}, Limits{Types: 1}, &LimitError{"types at a name", 1}},
		{"too much memory", []testChange{{addition, testRecord{www, wire.TypeMX, 60, a}}}, Limits{Octets: z.Octets()}, &LimitError{"octets of memory", z.Octets()}},
	}
	before := contents(z)
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := applyAll(NewDelta(z, tc.limits), tc.changes)
			want, limited := errors.AsType[*LimitError](tc.want)
			got, _ := errors.AsType[*LimitError](err)
			if limited && !cmp.Equal(got, want) || !limited && !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
	if diff := cmp.Diff(before, contents(z)); diff != "" {
		t.Errorf("the version before changed (-was +is):\n%s", diff)
	}
}

// TestDeltaForks: two versions made of one do not write into each other.
func TestDeltaForks(t *testing.T) {
	t.Parallel()
	z := buildFrom(t, []testRecord{{modelApex, wire.TypeSOA, 60, soaRdata}})
	var versions [2]*Zone
	deltas := [2]*Delta{NewDelta(z, Limits{}), NewDelta(z, Limits{})}
	for i := range versions {
		next, err := applyAll(deltas[i], []testChange{{addition, testRecord{append(wire.Name{1, byte('a' + i)}, modelApex...), wire.TypeA, 60, []byte{192, 0, 2, byte(i)}}}})
		if err != nil {
			t.Fatal(err)
		}
		versions[i] = next
	}
	for i, v := range versions {
		got := contents(v)
		want := []string{"a.example.org. 60 1 c0000200", "b.example.org. 60 1 c0000201"}[i]
		if len(got) != 2 || !slices.Contains(got, want) {
			t.Errorf("version %d: got %q, want %q beside the SOA", i, got, want)
		}
	}
	if z.Records() != 1 {
		t.Errorf("the version before has %d records", z.Records())
	}
}

// TestDeltaCompacts: however often a zone changes, what is of no more use stays
// within bounds.
func TestDeltaCompacts(t *testing.T) {
	t.Parallel()
	name := func(i int) wire.Name { return append(numbered(i), modelApex...) }
	z := buildFrom(t, []testRecord{{modelApex, wire.TypeSOA, 60, soaRdata}, {name(0), wire.TypeTXT, 60, bytes.Repeat([]byte{0}, 1000)}})
	most := 0
	for i := range 5000 {
		next, err := applyAll(NewDelta(z, Limits{}), []testChange{
			{deletion, testRecord{name(i), wire.TypeTXT, 60, bytes.Repeat([]byte{0}, 1000)}},
			{addition, testRecord{name(i + 1), wire.TypeTXT, 60, bytes.Repeat([]byte{0}, 1000)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		z = next
		most = max(most, z.Octets())
	}
	if most > 512<<10 || z.Names() != 2 || z.Records() != 2 {
		t.Errorf("up to %d octets, at last %d names, %d records", most, z.Names(), z.Records())
	}
}
