package zone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"secondaryd/internal/wire"
)

// A model is a zone as one would write it without a thought for speed: maps of
// strings. A name is its wire form in lower case.
type model struct {
	apex  string
	names map[string]modelNode // every owner, and every name between it and the apex
}

type modelNode map[uint16]*modelSet

type modelSet struct {
	records map[string]uint32 // canonical RDATA and its TTL
	sigs    map[string]uint32 // canonical RDATA of an RRSIG, and its TTL
}

func (s *modelSet) ttl() uint32 {
	ttl := uint32(1 << 31)
	for _, t := range s.records {
		ttl = min(ttl, t)
	}
	return ttl
}

// of returns the records or the signatures.
func (s *modelSet) of(t uint16) map[string]uint32 {
	if t == wire.TypeRRSIG {
		return s.sigs
	}
	return s.records
}

// testRecord is a record as it is given to a Builder.
type testRecord struct {
	owner wire.Name
	t     uint16
	ttl   uint32
	rdata []byte
}

func (r testRecord) String() string {
	return fmt.Sprintf("%s %d TYPE%d %q", r.owner, r.ttl, r.t, r.rdata)
}

func newModel(apex wire.Name, records []testRecord) *model {
	m := &model{apex: string(apex.Fold()), names: map[string]modelNode{}}
	m.node(m.apex)
	for _, r := range records {
		m.add(r)
	}
	return m
}

func (m *model) node(name string) modelNode {
	if m.names[name] == nil {
		m.names[name] = modelNode{}
		if name != m.apex {
			m.node(parentOf(name))
		}
	}
	return m.names[name]
}

func parentOf(name string) string { return name[1+int(name[0]):] }

func groupOf(r testRecord) uint16 {
	if r.t == wire.TypeRRSIG {
		return uint16(r.rdata[0])<<8 | uint16(r.rdata[1])
	}
	return r.t
}

func (m *model) add(r testRecord) {
	n := m.node(string(r.owner.Fold()))
	set := n[groupOf(r)]
	if set == nil {
		set = &modelSet{records: map[string]uint32{}, sigs: map[string]uint32{}}
		n[groupOf(r)] = set
	}
	if r.ttl >= 1<<31 {
		r.ttl = 0
	}
	key := canonical(r.t, r.rdata)
	if old, ok := set.of(r.t)[key]; ok {
		r.ttl = min(r.ttl, old)
	}
	set.of(r.t)[key] = r.ttl
}

// canonical holds for the RDATA that these tests make: those with names have no
// octets that look like capital letters elsewhere.
func canonical(t uint16, rdata []byte) string {
	switch t {
	case wire.TypeNS, wire.TypeCNAME, wire.TypeDNAME, wire.TypeMX, wire.TypeSOA, wire.TypeRRSIG:
		return string(wire.AppendFolded(nil, rdata))
	default:
		return string(rdata)
	}
}

// exists reports whether name is a name of the zone, not only of NSEC3 records.
// These have owners of their own here, one label below the apex (RFC 5155
// section 3); TestHiddenNames has the rest.
func (m *model) exists(name string) bool {
	n, ok := m.names[name]
	if !ok {
		return false
	}
	if name == m.apex {
		return true
	}
	return len(n) == 0 || m.ownsMore(name)
}

// ownsMore reports whether name owns anything but NSEC3 records and their signatures.
func (m *model) ownsMore(name string) bool {
	for t := range m.names[name] {
		if t != wire.TypeNSEC3 {
			return true
		}
	}
	return false
}

func (m *model) owns(name string, t uint16) bool {
	set := m.names[name][t]
	return set != nil && len(set.records) > 0
}

// match is a Match in names.
type match struct {
	Node     string
	Exact    bool
	Depth    int
	Above    string
	Covered  bool
	Wildcard string
}

func (m *model) find(query string) match {
	var above []string // the query and its ancestors, deepest first
	for name := query; ; name = parentOf(name) {
		above = append(above, name)
		if name == m.apex {
			break
		}
	}
	depth := slices.IndexFunc(above, m.exists)
	found := match{Node: above[depth], Exact: depth == 0, Depth: depth}
	for _, name := range slices.Backward(above) {
		cut := name != m.apex && m.owns(name, wire.TypeNS)
		dname := name != query && m.owns(name, wire.TypeDNAME)
		if cut || dname {
			found.Above, found.Covered = name, true
			break
		}
	}
	if wildcard := "\x01*" + found.Node; m.exists(wildcard) {
		found.Wildcard = wildcard
	}
	return found
}

// findIn asks the zone the same.
func findIn(z *Zone, query string) match {
	var s wire.Suffixes
	s.Set(wire.Name(query), testSeed)
	m := z.Find(&s)
	found := match{Node: folded(m.Node), Exact: m.Exact, Depth: m.Depth, Covered: m.Covered}
	if m.Covered {
		found.Above = folded(m.Above)
	}
	if n, ok := z.Wildcard(m, &s); ok {
		found.Wildcard = folded(n)
	}
	return found
}

func folded(n Node) string { return string(n.Name().Fold()) }

// dump lists the contents of the model, one line a record.
func (m *model) dump() []string {
	var lines []string
	for name, n := range m.names {
		lines = append(lines, fmt.Sprintf("%s empty %v cut %v", wire.Name(name), len(n) == 0, name != m.apex && m.owns(name, wire.TypeNS)))
		for t, set := range n {
			for record := range set.records {
				lines = append(lines, fmt.Sprintf("%s %d TYPE%d %q", wire.Name(name), set.ttl(), t, record))
			}
			for sig, ttl := range set.sigs {
				lines = append(lines, fmt.Sprintf("%s %d RRSIG TYPE%d %q", wire.Name(name), ttl, t, sig))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// dumpOf lists the contents of a zone likewise.
func dumpOf(z *Zone) []string {
	var lines []string
	for n := range z.All() {
		name := n.Name().Fold()
		lines = append(lines, fmt.Sprintf("%s empty %v cut %v", name, n.IsEmpty(), n.IsCut()))
		for set := range n.Sets() {
			for rdata := range set.Records() {
				lines = append(lines, fmt.Sprintf("%s %d TYPE%d %q", name, set.TTL, set.Type, canonical(set.Type, rdata)))
			}
			for ttl, rdata := range set.Sigs() {
				lines = append(lines, fmt.Sprintf("%s %d RRSIG TYPE%d %q", name, ttl, set.Type, canonical(wire.TypeRRSIG, rdata)))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

var modelApex = wire.Name("\x07example\x03org\x00")

// Labels of owners: few, so that names meet, and one for NSEC3 owners alone.
var (
	plainLabels = []string{"\x01a", "\x01A", "\x01b", "\x01B", "\x02bb", "\x01*"}
	hashLabels  = []string{"\x04hash", "\x04HASH", "\x05hash2"}
)

var soaRdata = []byte("\x01n\x00\x01m\x00" + strings.Repeat("\x00\x00\x00\x07", 5))

func drawName(t *rapid.T, label string) wire.Name {
	labels := rapid.SliceOfN(rapid.SampledFrom(plainLabels), 0, 4).Draw(t, label)
	apex := rapid.SampledFrom([]string{"\x07example\x03org\x00", "\x07EXAMPLE\x03oRg\x00"}).Draw(t, "apex case")
	return wire.Name(strings.Join(labels, "") + apex)
}

// pool is what records may hold, by type; some are the same but for case.
var pool = map[uint16][]string{
	wire.TypeA:     {"\xC0\x00\x02\x01", "\xC0\x00\x02\x02", "\xC0\x00\x02\x03"},
	wire.TypeNS:    {"\x02ns\x00", "\x02NS\x00", "\x03ns2\x00", "\x01B\x01a\x07example\x03org\x00", "\x01b\x07example\x03org\x00"},
	wire.TypeMX:    {"\x00\x0A\x01m\x00", "\x00\x0A\x01M\x00", "\x00\x0B\x01m\x00"},
	wire.TypeCNAME: {"\x01c\x00", "\x01C\x00"},
	wire.TypeDNAME: {"\x01d\x00", "\x01D\x00"},
	wire.TypeDS:    {"\x00\x01\x0D\x02a"},
	wire.TypeTXT:   {"\x01a", "\x01A", "\x00"},
	65280:          {"", "\x00", "A", "a"},
	wire.TypeRRSIG: {
		signature(wire.TypeA, "a"), signature(wire.TypeA, "A"), signature(wire.TypeA, "b"),
		signature(wire.TypeNS, "a"), signature(wire.TypeSOA, "a"), signature(wire.TypeTXT, "a"),
	},
}

// hidden is what NSEC3 owners hold.
var hidden = map[uint16][]string{
	wire.TypeNSEC3: {"\x01\x00\x00\x00\x00\x01x", "\x01\x00\x00\x00\x00\x01y"},
	wire.TypeRRSIG: {signature(wire.TypeNSEC3, "a"), signature(wire.TypeNSEC3, "b")},
}

func signature(covers uint16, signer string) string {
	return string([]byte{byte(covers >> 8), byte(covers)}) + strings.Repeat("\x01", 16) + "\x01" + signer + "\x00" + "sig"
}

func drawRecord(t *rapid.T) testRecord {
	r := testRecord{owner: drawName(t, "owner"), ttl: rapid.SampledFrom([]uint32{0, 60, 3600, 1<<31 - 1, 1 << 31}).Draw(t, "ttl")}
	from := pool
	if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
		from = hidden
		r.owner = append(wire.Name(rapid.SampledFrom(hashLabels).Draw(t, "hash")), modelApex...)
	}
	r.t = rapid.SampledFrom(slices.Sorted(maps.Keys(from))).Draw(t, "type")
	r.rdata = []byte(rapid.SampledFrom(from[r.t]).Draw(t, "rdata"))
	return r
}

// drawRecords gives a zone's records, the SOA once or more, the first of them or
// all in the order of their owners, the others in any.
func drawRecords(t *rapid.T) []testRecord {
	records := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 40).Draw(t, "records")
	for range rapid.IntRange(1, 3).Draw(t, "SOAs") {
		soa := testRecord{modelApex, wire.TypeSOA, 3600, soaRdata}
		records = slices.Insert(records, rapid.IntRange(0, len(records)).Draw(t, "place"), soa)
	}
	ordered := rapid.OneOf(rapid.Just(0), rapid.Just(len(records)), rapid.IntRange(0, len(records))).Draw(t, "ordered")
	slices.SortStableFunc(records[:ordered], func(a, b testRecord) int { return a.owner.Compare(b.owner) })
	return records
}

func buildFrom(t rapid.TB, records []testRecord) *Zone {
	t.Helper()
	z, err := fill(t, records).Finish()
	if err != nil {
		t.Fatalf("finish: %v", err)
	}
	return z
}

// fill gives a builder the records.
func fill(t rapid.TB, records []testRecord) *Builder {
	t.Helper()
	b, err := NewBuilder(modelApex, testSeed, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		// Add may keep nothing of what it is given.
		owner, rdata := slices.Clone(r.owner), slices.Clone(r.rdata)
		if err := b.Add(owner, r.t, r.ttl, rdata); err != nil {
			t.Fatalf("add %v: %v", r, err)
		}
		clear(owner)
		clear(rdata)
	}
	return b
}

// TestModel builds zones of random records and compares all that can be asked.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		m := newModel(modelApex, records)
		z := buildFrom(t, records)
		checkContents(t, z, m)
		checkOrder(t, z)
		checkDecoded(t, z)
		queries := slices.Collect(maps.Keys(m.names))
		for range 20 {
			queries = append(queries, string(drawName(t, "query").Fold()))
		}
		checkFind(t, z, m, queries)
	})
}

// checkFind compares look-ups of the queries.
func checkFind(t *rapid.T, z *Zone, m *model, queries []string) {
	t.Helper()
	for _, query := range queries {
		if diff := cmp.Diff(m.find(query), findIn(z, query)); diff != "" {
			t.Errorf("find %s (-want +got):\n%s", wire.Name(query), diff)
		}
		if n, ok := z.FindName(wire.Name(query)); ok != m.exists(query) || ok && folded(n) != query {
			t.Errorf("find the name %s: got %v, want %v", wire.Name(query), ok, m.exists(query))
		}
	}
}

func checkContents(t *rapid.T, z *Zone, m *model) {
	t.Helper()
	if diff := cmp.Diff(m.dump(), dumpOf(z)); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	records, plain := 0, 0
	for _, n := range m.names {
		for typ, set := range n {
			records += len(set.records) + len(set.sigs)
			if !isForDNSSEC(typ) {
				plain += len(set.records)
			}
		}
	}
	if z.PlainRecords() != plain {
		t.Errorf("got %d records that are not for DNSSEC, want %d", z.PlainRecords(), plain)
	}
	if z.Records() != records || z.Names() != len(m.names) {
		t.Errorf("got %d records, %d names; want %d, %d", z.Records(), z.Names(), records, len(m.names))
	}
}

// checkOrder wants parents before children, the walk in canonical order to meet
// all of them, types ascending at each name, and the records of a set in
// canonical order.
func checkOrder(t rapid.TB, z *Zone) {
	t.Helper()
	checkOrdered(t, z)
	seen := map[string]bool{}
	for n := range z.All() {
		// What lies between the apex and an NSEC3 record deeper than RFC 5155 section 3
		// has it is no name and holds nothing: the walk leaves it out.
		met := n.IsApex() || seen[parentOf(folded(n))] || n.Parent().data().isDead()
		if !met || !n.IsApex() && folded(n.Parent()) != parentOf(folded(n)) {
			t.Errorf("%s comes before its parent, or has the parent %s", n.Name(), n.Parent().Name())
		}
		seen[folded(n)] = true
		last := -1
		for set := range n.Sets() {
			if int(set.Type) <= last || set.Len()+set.Signatures() == 0 {
				t.Errorf("%s: type %d after %d with %d records", n.Name(), set.Type, last, set.Len())
			}
			last = int(set.Type)
			checkAscending(t, n, set.Type, slices.Collect(set.Records()))
			var sigs [][]byte
			for _, rdata := range set.Sigs() {
				sigs = append(sigs, rdata)
			}
			checkAscending(t, n, wire.TypeRRSIG, sigs)
			if got, ok := n.Set(set.Type); ok != (set.Len() > 0) || ok && got.Len() != set.Len() {
				t.Errorf("%s type %d: Set gives %d records, %v; Sets %d", n.Name(), set.Type, got.Len(), ok, set.Len())
			}
		}
	}
}

func checkAscending(t rapid.TB, n Node, typ uint16, all [][]byte) {
	t.Helper()
	for i := 1; i < len(all); i++ {
		if wire.CompareRdata(typ, all[i-1], all[i]) >= 0 {
			t.Errorf("%s type %d: %q before %q", n.Name(), typ, all[i-1], all[i])
		}
	}
}

// TestModelPermutation: the order in which a primary sends records is of no
// account.
func TestModelPermutation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		other := rapid.Permutation(records).Draw(t, "permutation")
		if diff := cmp.Diff(dumpOf(buildFrom(t, records)), dumpOf(buildFrom(t, other))); diff != "" {
			t.Errorf("contents in another order (-first +second):\n%s", diff)
		}
	})
}
