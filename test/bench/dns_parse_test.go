package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

const dnsperfText = `DNS Performance Testing Tool
Version 2.10.0

[Status] Command line: dnsperf -m udp
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         425598
  Queries completed:    425550 (99.99%)
  Queries lost:         48 (0.01%)

  Response codes:       NOERROR 425000 (99.87%), NXDOMAIN 550 (0.13%)
  Average packet size:  request 46, response 46
  Run time (s):         4.000276
  Queries per second:   106380.159769

  Average Latency (s):  0.000971 (min 0.000017, max 0.018288)
  Latency StdDev (s):   0.001205
`

func TestParseDnsperf(t *testing.T) {
	t.Parallel()
	got, err := parseDnsperf(dnsperfText)
	want := outcome{sent: 425598, answered: 425550, lost: 48, noError: 425000, nxDomain: 550, took: 4000276 * time.Microsecond}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" || err != nil {
		t.Errorf("got another outcome than wanted, error %v:\n%s", err, diff)
	}
	for name, text := range map[string]string{
		"nothing":        "",
		"not a number":   strings.Replace(dnsperfText, "425598", "many", 1),
		"nothing served": strings.NewReplacer("425550", "0", "NOERROR 425000 (99.87%), NXDOMAIN 550 (0.13%)", "").Replace(dnsperfText),
		"SERVFAIL":       strings.Replace(dnsperfText, "NXDOMAIN 550", "SERVFAIL 550", 1),
	} {
		if got, err := parseDnsperf(text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestParseLoader(t *testing.T) {
	t.Parallel()
	text := "sent 9\nanswered 7\nlost 2\ndropped 1\nseconds 0.500000\nnoerror 5\nnxdomain 2\np50 1.5\np99 2.25\np99.9 1000.125\n"
	got, err := parseLoader(text)
	want := outcome{
		sent: 9, answered: 7, lost: 2, dropped: 1, noError: 5, nxDomain: 2,
		took: 500 * time.Millisecond, p50: 1.5, p99: 2.25, p999: 1000.125,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" || err != nil {
		t.Errorf("got another outcome than wanted, error %v:\n%s", err, diff)
	}
	for _, text := range []string{"", "sent\n", "loader: no such file\n", strings.Replace(text, "noerror 5", "noerror 4", 1)} {
		if got, err := parseLoader(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

const masterText = `$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 1 7200 600 86400 300
@ NS ns1
ns1 A 192.0.2.1
cut NS ns1.cut
cut 60 NS ns2.cut
cut DS 1 13 2 00
ns1.cut A 192.0.2.2
plain NS ns.example.net.
*.wild TXT "x"
alias CNAME ns1
u TYPE65280 \# 1 00
`

func TestReadPools(t *testing.T) {
	t.Parallel()
	want := pools{
		hit:              {{"@", dns.TypeSOA}, {"@", dns.TypeNS}, {"ns1", dns.TypeA}, {"alias", dns.TypeA}},
		noData:           {{"@", dns.TypeHTTPS}, {"ns1", dns.TypeHTTPS}, {"u", dns.TypeHTTPS}},
		referral:         {{"cut", 0}, {"plain", 0}},
		delegationSigner: {{"cut", dns.TypeDS}},
		wildcard:         {{"wild", dns.TypeTXT}},
	}
	if diff := cmp.Diff(want, readPools(masterText), cmp.AllowUnexported(question{})); diff != "" {
		t.Errorf("got other pools than wanted:\n%s", diff)
	}
}

// Each set has the same questions each time, of each kind as many as it promises.
func TestSets(t *testing.T) {
	t.Parallel()
	for _, s := range querySets {
		if s == largeSet {
			s = &set{name: s.name, zones: s.zones, text: smallLarge, shares: s.shares, do: s.do}
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p, zones := readPools(s.text(t)), s.zones()
			queries := s.queries(t, p, zones)
			if !bytes.Equal(stream(queries), stream(s.queries(t, p, zones))) {
				t.Error("two times the queries of one set differ")
			}
			got := count(t, queries, p, zones)
			near(t, "queries with DO", got.do, s.do)
			near(t, "NODATA", got.noData, s.shares[noData])
			near(t, "referrals", got.referrals, s.shares[referral])
			near(t, "DS", got.signers, s.shares[delegationSigner])
		})
	}
}

type counted struct{ do, noData, referrals, signers int }

// count tells the kinds of queries apart by what they look like.
func count(t *testing.T, queries [][]byte, p pools, zones []string) (n counted) {
	t.Helper()
	cuts := map[string]bool{}
	for _, q := range p[referral] {
		cuts["www."+q.name+"."+zones[0]] = true
	}
	for _, query := range queries {
		var m dns.Msg
		if err := m.Unpack(query); err != nil {
			t.Fatal(err)
		}
		if opt := m.IsEdns0(); opt != nil && opt.Do() {
			n.do++
		}
		switch q := m.Question[0]; {
		case q.Qtype == dns.TypeHTTPS:
			n.noData++
		case q.Qtype == dns.TypeDS:
			n.signers++
		case cuts[q.Name]:
			n.referrals++
		}
	}
	return n
}

func smallLarge(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := writeLarge(&text, 1000, serial); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// near wants a share of all queries to be within one per cent.
func near(t *testing.T, what string, n, percent int) {
	t.Helper()
	if want := queryCount / 100 * percent; n < want-queryCount/100 || n > want+queryCount/100 {
		t.Errorf("%s: got %d of %d, want about %d", what, n, queryCount, want)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	queries := [][]byte{[]byte("one"), bytes.Repeat([]byte("x"), 300)}
	in := bytes.NewReader(stream(queries))
	for _, want := range queries {
		if got, err := harness.ReadFrame(in); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if in.Len() > 0 {
		t.Errorf("%d octets are left", in.Len())
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	rr := []dns.RR{&dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL, Class: dns.ClassINET}}}
	tests := map[string]struct {
		change func(*dns.Msg)
		want   summary
	}{
		"answer":   {func(m *dns.Msg) { m.Answer = rr }, summary{authoritative: true, answer: 1}},
		"negative": {func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, summary{rcode: 3, authoritative: true, authority: 1}},
		"referral": {func(m *dns.Msg) { m.Authoritative = false }, summary{authority: 1, additional: 1}},
	}
	for name, test := range tests {
		m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Ns: rr, Extra: rr}
		test.change(m)
		msg, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := summarize(msg); err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		}
	}
	if _, err := summarize([]byte("no message")); err == nil {
		t.Error("took octets that are no message for an answer")
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][2]string{"\t0-3,6": {"0", "6"}, "0-1": {"0", "1"}, "2,11": {"2", "11"}, "4": {}, "": {}} {
		first, last, ok := ends(list)
		if first != want[0] || last != want[1] || ok != (want[0] != "") {
			t.Errorf("%q: got %q, %q, %v, want %q", list, first, last, ok, want)
		}
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	cpu := &metric{name: "CPU", unit: "µs", ratio: 0.85, against: []string{"NSD", "Knot"}}
	floor := &metric{name: "CPU to the floor", unit: "µs", ratio: 1.5, against: []string{floorName}}
	rate := &metric{name: "rate", unit: "1/s", more: true}
	lost := &metric{name: "lost", none: true}
	r := results{}
	for name, values := range map[string][2]float64{"NSD": {8, 100}, "Knot": {4, 150}, "BIND": {2, 50}, ours.name: {3, 300}, floorName: {1, 500}} {
		r.add(cpu, name, values[0])
		r.add(floor, name, values[0])
		r.add(rate, name, values[1])
		r.add(lost, name, 0)
		r.add(lost, name, values[0]-1)
		r.add(lost, name, 0)
	}
	var out bytes.Buffer
	r.print(&out, table{
		metrics: []*metric{cpu, floor, rate, lost, {name: "not measured"}},
		columns: []string{"NSD", ours.name, floorName}, ratios: []string{"Knot"},
	})
	want := `| metric           | unit | NSD  | secondaryd | floor | to Knot | ratio | target |        |
|---               |---   |---   |---         |---    |---      |---    |---     |---     |
| CPU              | µs   | 8.00 | 3.00       | 1.00  | 0.75    | 0.75  | 0.85   | met    |
| CPU to the floor | µs   | 8.00 | 3.00       | 1.00  | 0.75    | 3.00  | 1.5    | missed |
| rate             | 1/s  | 100  | 300        | 500   | 2.00    | 2.00  |        |        |
| lost             |      | 7.00 | 2.00       | 0     |         |       | none   | missed |
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("got another table than wanted:\n%s", diff)
	}
}
