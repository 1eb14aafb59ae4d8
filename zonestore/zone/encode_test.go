package zone

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"testing"

	"secondaryd/internal/hugepage"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// contents lists a zone's records in a form that can be compared.
func contents(z *Zone) []string {
	var all []string
	for n := range z.All() {
		for set := range n.Sets() {
			for rdata := range set.Records() {
				all = append(all, fmt.Sprintf("%s %d %d %x", n.Name(), set.TTL, set.Type, rdata))
			}
			for ttl, rdata := range set.Sigs() {
				all = append(all, fmt.Sprintf("%s %d RRSIG %x", n.Name(), ttl, rdata))
			}
		}
	}
	slices.Sort(all)
	return all
}

func encoded(t testing.TB, z *Zone) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := z.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sample(t testing.TB, names int) *Zone {
	t.Helper()
	b := newBuilder(t, "Example.org.", Limits{})
	if err := add(t, b, soaText); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 50000)
	for i := range names {
		for _, text := range []string{
			fmt.Sprintf("n%d.example.org. 60 IN A 192.0.2.1", i),
			fmt.Sprintf("n%d.example.org. 60 IN MX 10 n%d.example.org.", i, i+1),
		} {
			if err := add(t, b, text); err != nil {
				t.Fatal(err)
			}
		}
		if i%1000 != 0 {
			continue
		}
		for j := range 50 {
			big[0], big[1] = byte(i/1000), byte(j)
			if err := b.Add(wiretest.Name(t, "big.example.org."), 65280, 60, big); err != nil {
				t.Fatal(err)
			}
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// decoders are the ways to a zone from its compiled form.
var decoders = map[string]func(data []byte, seed uint64) (*Zone, error){
	"Decode": Decode,
	"Read": func(data []byte, seed uint64) (*Zone, error) {
		return Read(bytes.NewReader(data), int64(len(data)), seed)
	},
}

func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	for _, names := range []int{0, 1, 3000} {
		z := sample(t, names)
		data := encoded(t, z)
		for how, decode := range decoders {
			for _, seed := range []uint64{testSeed, testSeed + 1} {
				got, err := decode(slices.Clone(data), seed)
				if err != nil {
					t.Fatalf("%s, %d names: %v", how, names, err)
				}
				checkSample(t, got, z, names, seed)
			}
		}
	}
}

// checkSample wants a decoded zone to be the sample of that many names.
func checkSample(t *testing.T, got, z *Zone, names int, seed uint64) {
	t.Helper()
	if !slices.Equal(contents(got), contents(z)) {
		t.Errorf("%d names: the decoded zone has other records", names)
	}
	if got.Serial() != z.Serial() || got.Records() != z.Records() || got.Apex().String() != "Example.org." {
		t.Errorf("%d names: got %s serial %d, %d records", names, got.Apex(), got.Serial(), got.Records())
	}
	var s wire.Suffixes
	for i := range names {
		s.Set(wiretest.Name(t, fmt.Sprintf("n%d.example.org.", i)), seed)
		if m := got.Find(&s); !m.Exact {
			t.Fatalf("n%d is missing after decoding with seed %d", i, seed)
		}
	}
}

func TestDecodeDamaged(t *testing.T) {
	t.Parallel()
	data := encoded(t, build(t, "example.org.", soaText, "a.b.example.org. 1 IN MX 5 c.example.org.", "*.example.org. 1 IN TXT x"))
	for how, decode := range decoders {
		for i := range data {
			bad := slices.Clone(data)
			bad[i] ^= 0x10
			if _, err := decode(bad, testSeed); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
				t.Fatalf("%s: octet %d changed: got %v", how, i, err)
			}
		}
		for size := range data {
			if _, err := decode(slices.Clone(data[:size]), testSeed); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: cut to %d octets: got %v", how, size, err)
			}
		}
		if _, err := decode(append(slices.Clone(data), 0), testSeed); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: an octet more: got %v", how, err)
		}
		other := slices.Clone(data)
		other[4] = 9
		if _, err := decode(other, testSeed); !errors.Is(err, ErrVersion) {
			t.Errorf("%s: another version: got %v", how, err)
		}
	}
}

// TestReadDamaged changes octets here and there of a zone that is read in many
// pieces at the same time.
func TestReadDamaged(t *testing.T) {
	t.Parallel()
	data := encoded(t, sample(t, 3000))
	if len(data) < 3*lotSize {
		t.Fatalf("%d octets are read in one piece", len(data))
	}
	for i := 0; i < len(data); i += len(data)/23 + 1 {
		bad := slices.Clone(data)
		bad[i] ^= 0x10
		if _, err := Read(bytes.NewReader(bad), int64(len(bad)), testSeed); !errors.Is(err, ErrDamaged) {
			t.Errorf("octet %d changed: got %v", i, err)
		}
		// The file has become shorter since its size was asked for.
		if _, err := Read(bytes.NewReader(data[:i]), int64(len(data)), testSeed); !errors.Is(err, ErrDamaged) {
			t.Errorf("only %d octets there: got %v", i, err)
		}
	}
}

// failing gives an error of the system from an offset on.
type failing struct {
	io.ReaderAt
	from int64
}

func (f failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.from {
		return 0, fs.ErrPermission
	}
	return f.ReaderAt.ReadAt(b, off)
}

// TestReadFails: what the system can't read is no damage.
func TestReadFails(t *testing.T) {
	t.Parallel()
	data := encoded(t, sample(t, 1))
	for from := 0; from < len(data); from += len(data)/97 + 1 {
		_, err := Read(failing{bytes.NewReader(data), int64(from)}, int64(len(data)), testSeed)
		if !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrDamaged) {
			t.Errorf("from octet %d on: got %v", from, err)
		}
	}
}

// TestDecodeIndex: a slot in use refers to a node.
func TestDecodeIndex(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]uint64{"no node": 1 << 32, "node behind the last": 1<<32 | 5, "node in the upper half": 1<<32 | 1<<31} {
		z := build(t, "example.org.", soaText, "a.b.example.org. 1 IN MX 5 c.example.org.", "*.example.org. 1 IN TXT x")
		if z.nodes.len() != 4 {
			t.Fatalf("%d nodes", z.nodes.len())
		}
		slot := slices.IndexFunc(z.index.all[0], func(entry uint64) bool { return entry != 0 })
		z.index.all[0][slot] = entry
		for how, decode := range decoders {
			if _, err := decode(encoded(t, z), testSeed); !errors.Is(err, errIndex) || !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, %s: got %v", how, name, err)
			}
		}
	}
}

// FuzzVerify feeds sections with right checksums, so that what is behind them
// is reached: whatever verify lets through must be safe to look up.
func FuzzVerify(f *testing.F) {
	z := build(f, "example.org.", soaText, "a.b.example.org. 1 IN MX 5 c.example.org.", "*.example.org. 1 IN TXT x")
	f.Add(z.slab.chunks[0], encodedNodes(f, z))
	f.Fuzz(func(t *testing.T, slabData, nodeData []byte) {
		if len(nodeData) < nodeSize || len(slabData) == 0 {
			return
		}
		x := &Zone{apex: z.apex, labels: z.labels, seed: testSeed}
		x.slab.chunks = [][]byte{slabData}
		x.nodes = nodesOf(t, nodeData[:len(nodeData)/nodeSize*nodeSize])
		x.index = makeIndex(x.nodes.len())
		for i := range uint32(x.nodes.len()) {
			x.index.insert(uint64(i)<<32, i, 1)
		}
		if x.verify(formVersion) != nil {
			return
		}
		x.reseed(testSeed)
		contents(x)
		for _, name := range []string{"example.org.", "a.b.example.org.", "z.z.example.org."} {
			var s wire.Suffixes
			s.Set(wiretest.Name(t, name), testSeed)
			m := x.Find(&s)
			x.Wildcard(m, &s)
		}
	})
}

// nodesOf reads nodes, to which it adds the checksum.
func nodesOf(t testing.TB, data []byte) nodes {
	t.Helper()
	whole := binary.LittleEndian.AppendUint32(slices.Clone(data), crc32.Checksum(data, castagnoli))
	n, err := readNodes(&part{r: bytes.NewReader(whole), size: len(data)}, &hugepage.Block{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func encodedNodes(t testing.TB, z *Zone) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := z.nodes.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDecodeOldVersion reads what the first release wrote, whose flags were
// others.
func TestDecodeOldVersion(t *testing.T) {
	t.Parallel()
	z := build(t, "example.org.", soaText, "a.b.example.org. 1 IN MX 5 c.example.org.", "*.example.org. 1 IN TXT x",
		"cut.example.org. 1 IN NS ns.cut.example.org.", "ns.cut.example.org. 1 IN A 192.0.2.1")
	var want []uint32
	for i := range uint32(z.nodes.len()) {
		want = append(want, z.nodes.at(i).flags)
		z.nodes.at(i).flags = 0xFF &^ flagHidden
	}
	data := encoded(t, z)
	binary.LittleEndian.PutUint32(data[4:], oldVersion)
	size := headerSize + int(data[headerSize-1])
	binary.LittleEndian.PutUint32(data[size:], crc32.Checksum(data[:size], castagnoli))
	got, err := Decode(data, testSeed)
	if err != nil {
		t.Fatal(err)
	}
	for i, flags := range want {
		if got.nodes.at(uint32(i)).flags != flags {
			t.Errorf("%s: flags %x, want %x", got.nodeName(uint32(i)), got.nodes.at(uint32(i)).flags, flags)
		}
	}
}
