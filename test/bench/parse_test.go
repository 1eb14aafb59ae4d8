package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func TestParseCollections(t *testing.T) {
	t.Parallel()
	log := `{"level":"info","msg":"serving"}
gc 14 @2.847s 4%: 0.066+123+0.010 ms clock, 0.13+0.57/107/66+0.020 ms cpu, 42->42->29 MB, 43 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 15 @3.001s 4%: 0.5+2+0.75 ms clock, 1+0/3/0+1.5 ms cpu, 30->30->29 MB, 43 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
`
	got := parseCollections(t, log)
	want := []cycle{{cpu: 0.13 + 0.57 + 107 + 66 + 0.020, pause: 0.066}, {cpu: 5.5, pause: 0.75}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(cycle{})); diff != "" {
		t.Errorf("got other collections than wanted:\n%s", diff)
	}
}

func TestParseDeltas(t *testing.T) {
	t.Parallel()
	out := `cpu: some
BenchmarkDelta/records=10000-2         	   12345	     97531 ns/op	    4096 B/op	      12 allocs/op
BenchmarkDelta/1000000                 	   10000	    101234.5 ns/op
BenchmarkFind/records=7-2 	   12345	     1 ns/op
`
	got := parseDeltas(t, out)
	want := map[int]float64{10_000: 97531, 1_000_000: 101234.5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got other deltas than wanted:\n%s", diff)
	}
	if smallest, largest := extremes(got); smallest != 10_000 || largest != 1_000_000 {
		t.Errorf("got extremes %d and %d", smallest, largest)
	}
}

func TestKibibytes(t *testing.T) {
	t.Parallel()
	text := []byte("55d0-7fff ---p 00000000 00:00 0 [rollup]\nRss:    2048 kB\nPss:                1024 kB\nPss_Dirty:   5 kB\n")
	for field, want := range map[string]int{"Pss:": mib, "Rss:": 2 * mib, "Swap:": 0} {
		if got := kibibytes(text, field); got != want {
			t.Errorf("%s: got %d octets, want %d", field, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		metric metric
		peer   float64
		mine   []float64
		want   [3]string
	}{
		{metric{unit: "s", ratio: 0.6}, 2, []float64{1.2, 9, 1}, [3]string{"0.60", "0.6", "met"}},
		{metric{unit: "s", ratio: 0.6}, 2, []float64{1.3}, [3]string{"0.65", "0.6", "missed"}},
		{metric{unit: "s", ratio: 0.6}, 0, []float64{1.3}, [3]string{"", "", ""}},
		{metric{unit: "s", ratio: 0.6}, 2, nil, [3]string{"", "", ""}},
		{metric{unit: "s"}, 2, []float64{1, 2}, [3]string{"0.75", "", ""}},
		{metric{unit: "ms", amount: 10}, 0, []float64{10}, [3]string{"", "10.0 ms", "met"}},
		{metric{unit: "ms", amount: 10}, 0, []float64{11}, [3]string{"", "10.0 ms", "missed"}},
	}
	for _, test := range tests {
		m, r := &test.metric, results{}
		if test.peer > 0 {
			r.add(m, products[0].name, test.peer)
		}
		for _, v := range test.mine {
			r.add(m, ours.name, v)
		}
		ratio, target, verdict := r.judge(m)
		if got := [3]string{ratio, target, verdict}; got != test.want {
			t.Errorf("%+v, peer %v, ours %v: got %q, want %q", test.metric, test.peer, test.mine, got, test.want)
		}
	}
}

func TestServedZone(t *testing.T) {
	t.Parallel()
	good := func() *dns.Msg {
		m := new(dns.Msg).SetQuestion("x.example.", dns.TypeSOA)
		m.Id, m.Response, m.Authoritative = 7, true, true
		m.Answer = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "x.example.", Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: ".", Serial: 3}}
		return m
	}
	tests := map[string]struct {
		change func(*dns.Msg)
		serial uint32
		want   bool
	}{
		"served":       {func(*dns.Msg) {}, 3, true},
		"older":        {func(*dns.Msg) {}, 4, false},
		"no authority": {func(m *dns.Msg) { m.Authoritative = false }, 3, false},
		"failed":       {func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }, 3, false},
		"empty":        {func(m *dns.Msg) { m.Answer = nil }, 3, false},
	}
	for name, test := range tests {
		m := good()
		test.change(m)
		msg, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if zone, ok := servedZone(msg, test.serial); ok != test.want || ok && zone != 7 {
			t.Errorf("%s: got zone %d, %v, want %v", name, zone, ok, test.want)
		}
	}
	if _, ok := servedZone([]byte("no message"), 3); ok {
		t.Error("took octets that are no message for an answer")
	}
}

// The large zone is the same each time, and of the size that its description says.
func TestWriteLarge(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	records, err := writeLarge(&first, 1000, serial)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writeLarge(&second, 1000, serial); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("two zones of the same size differ, error %v", err)
	}
	if records < 2500 || records > 2900 {
		t.Errorf("got %d records for 1000 delegations, want about 2700", records)
	}
	parsed := 0
	parser := dns.NewZoneParser(&first, largeName, "")
	for _, ok := parser.Next(); ok; _, ok = parser.Next() {
		parsed++
	}
	if parsed != records || parser.Err() != nil {
		t.Errorf("parsed %d of %d records, error %v", parsed, records, parser.Err())
	}
}

func TestMost(t *testing.T) {
	t.Parallel()
	start := time.Now()
	times := func(milliseconds ...int) (all []time.Time) {
		for _, ms := range milliseconds {
			all = append(all, start.Add(time.Duration(ms)*time.Millisecond))
		}
		return all
	}
	tests := []struct {
		times []time.Time
		want  int
	}{
		{nil, 0},
		{times(5), 1},
		{times(0, 1000, 2000), 1},
		{times(0, 999, 1000), 2},
		{times(0, 500, 900, 1400, 1450, 3000), 4},
	}
	for _, test := range tests {
		if got := most(test.times); got != test.want {
			t.Errorf("%v: got %d, want %d", test.times, got, test.want)
		}
	}
}
