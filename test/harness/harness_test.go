package harness

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

var testKey = Key{Name: "harness.key.", Algorithm: dns.HmacSHA256, Secret: "c2VjcmV0IG9mIHRoZSBoYXJuZXNz"}

// TestPrimaries starts each real primary with both zones, once open and once
// with a key, and finds the same records in all of them.
func TestPrimaries(t *testing.T) {
	t.Parallel()
	for _, p := range Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			s := p.Start(t, ServerOptions{
				Zones: []Zone{
					{Name: "small.test.", Text: ZoneSmall("small.test.", 4294967295)},
					{Name: "large.test.", Text: ZoneLarge("large.test.", 1, 3000), Key: testKey.Name},
				},
				Keys:   []Key{testKey},
				Notify: []netip.AddrPort{FreeAddr(t)},
			})
			if got := len(s.Records(t, "large.test.")); got != 3000 {
				t.Errorf("large zone has %d records, want 3000", got)
			}
			if got, want := len(s.Records(t, "small.test.")), smallRecords(); got != want {
				t.Errorf("small zone has %d records, want %d", got, want)
			}
			s.Reload(t, "small.test.", ZoneSmall("small.test.", 3), 3)
			s.Stop()
			if _, ok := Serial(s.Addr, "small.test."); ok {
				t.Error("answers after Stop")
			}
			s.Start(t)
			WaitSerial(t, s.Addr, "small.test.", 3)
		})
	}
}

// TestSecondaries has each real server transfer both zones from another one.
func TestSecondaries(t *testing.T) {
	t.Parallel()
	primary := Knot(t, ServerOptions{
		Zones: []Zone{
			{Name: "small.test.", Text: ZoneSmall("small.test.", 7)},
			{Name: "large.test.", Text: ZoneLarge("large.test.", 1, 3000), Key: testKey.Name},
		},
		Keys: []Key{testKey},
	})
	for _, p := range Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			s := p.Start(t, ServerOptions{
				Zones:   []Zone{{Name: "small.test."}, {Name: "large.test.", Key: testKey.Name}},
				Keys:    []Key{testKey},
				Primary: primary.Addr,
			})
			WaitSerial(t, s.Addr, "small.test.", 7)
			WaitSerial(t, s.Addr, "large.test.", 1)
			answer, err := Query(s.Addr, "tcp", "hundred.small.test.", dns.TypeA)
			if err != nil || len(answer.Answer) != 100 {
				t.Errorf("the RRset of 100 records: %v, %v", answer, err)
			}
		})
	}
}

// smallRecords counts the lines of the small zone that are records.
func smallRecords() int {
	n := 0
	for line := range strings.Lines(ZoneSmall("small.test.", 1)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "$") {
			n++
		}
	}
	return n
}

func TestParseMetrics(t *testing.T) {
	t.Parallel()
	got, err := ParseMetrics("# HELP a text\n# TYPE a counter\na 1\nb{x=\"1\",y=\"a \\\"b\\\" \\\\ \\n{},=\"} 2.5e3\nc{} +Inf 1700000000\n")
	want := Metrics{
		{"a", map[string]string{}, 1},
		{"b", map[string]string{"x": "1", "y": "a \"b\" \\ \n{},="}, 2500},
		{"c", map[string]string{}, got[2].Value},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || got[2].Value < 1e300 {
		t.Errorf("got %v, error %v, difference:\n%s", got, err, diff)
	}
	if v, ok := got.Value("b", "x", "1"); !ok || v != 2500 {
		t.Errorf("Value: got %v, %v", v, ok)
	}
	if _, ok := got.Value("b", "x", "2"); ok {
		t.Error("Value found a label that is not there")
	}
	for _, bad := range []string{"a", "a{", "a{b=\"} 1", "a{b=\"c\"} x", "a b"} {
		if m, err := ParseMetrics(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, m)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	var l Log
	o := output{onLine: l.add}
	for _, part := range []string{`{"msg":"on`, "e\",\"n\":1}\nplain\n{\"msg\":\"two\"}", "\n"} {
		if _, err := o.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	one := l.Find(0, func(e Entry) bool { return e.Message() == "one" })
	two := l.Find(1, func(Entry) bool { return true })
	if len(one) != 1 || one[0].Text("n") != "1" || len(two) != 1 || two[0].Message() != "two" || !cmp.Equal(l.Plain(), []string{"plain"}) {
		t.Errorf("got %v, %v, %v", one, two, l.Plain())
	}
}

func TestZoneID(t *testing.T) {
	t.Parallel()
	if a, b := ZoneID("Example.test."), ZoneID("example.TEST"); a != b || len(a) != 32 {
		t.Errorf("got %s and %s", a, b)
	}
}
