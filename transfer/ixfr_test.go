package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// soaOf is a SOA record of the test zone, like soaLine, with that serial.
func soaOf(serial uint32) string {
	return strings.Replace(soaLine, " 7 ", fmt.Sprintf(" %d ", serial), 1)
}

const (
	lineA = "a.example.org. 60 IN A 192.0.2.1\n"
	lineB = "b.example.org. 60 IN A 192.0.2.2\n"
	lineC = "c.example.org. 60 IN A 192.0.2.3\n"
)

// baseZone is the version that differences begin with.
func baseZone(t testing.TB, serial uint32) *zone.Zone {
	t.Helper()
	z, err := feed(t, defaultLimits(), axfrAnswer(t, soaOf(serial)+nsLine+lineA+soaOf(serial)))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// feedIXFR gives the messages of an answer to an IXFR query and returns what
// came of them.
func feedIXFR(t testing.TB, base *zone.Zone, l Limits, differences int, messages ...[]byte) (received, error) {
	t.Helper()
	q := testQuery(t, wire.TypeIXFR)
	accept := func(soa zone.SOA) error {
		if newer(soa.Serial, base.Serial()) {
			return nil
		}
		return fail(StepCheck, CauseOlder, "serial %d", soa.Serial)
	}
	s := &stream{query: q, into: &ixfr{
		base: base, limits: l.builder(), differences: differences,
		whole: axfr{apex: q.apex, seed: testSeed, limits: l.builder(), accept: accept},
	}}
	done := false
	for i, m := range messages {
		var err error
		if done, err = s.message(m); err != nil {
			return received{}, err
		}
		if done && i < len(messages)-1 {
			t.Fatalf("done after message %d of %d", i+1, len(messages))
		}
	}
	if !done {
		return received{}, errUnfinished
	}
	got, err := s.into.version()
	if err != nil || got.zone == nil {
		return got, err
	}
	return got, guard(got.zone)
}

func ixfrAnswer(t testing.TB, text string) []byte {
	return answer(t, dns.TypeIXFR, records(t, text), nil)
}

func TestIXFRTakes(t *testing.T) {
	t.Parallel()
	each := func(text string) (messages [][]byte) {
		for i, rr := range records(t, text) {
			messages = append(messages, answer(t, dns.TypeIXFR, []dns.RR{rr}, func(m *dns.Msg) {
				if i > 0 {
					m.Question = nil
				}
			}))
		}
		return messages
	}
	apex := map[string]int{"example.org. SOA": 1, "example.org. NS": 1}
	with := func(owners ...string) map[string]int {
		all := map[string]int{}
		maps.Copy(all, apex)
		for _, o := range owners {
			all[o+".example.org. A"] = 1
		}
		return all
	}
	one := soaOf(8) + soaOf(7) + lineA + soaOf(8) + lineB + soaOf(8)
	two := soaOf(9) + soaOf(7) + soaOf(8) + lineB + soaOf(8) + lineA + soaOf(9) + lineC + soaOf(9)
	for _, c := range []struct {
		name     string
		base     uint32
		messages [][]byte
		kind     kind
		serial   uint32 // 0: nothing newer
		want     map[string]int
	}{
		{"one difference", 7, [][]byte{ixfrAnswer(t, one)}, kindIXFR, 8, with("b")},
		{"a record a message", 7, each(one), kindIXFR, 8, with("b")},
		{"two differences", 7, [][]byte{ixfrAnswer(t, two)}, kindIXFR, 9, with("b", "c")},
		{"two differences, a record a message", 7, each(two), kindIXFR, 9, with("b", "c")},
		{"nothing but the serial", 7, each(soaOf(8) + soaOf(7) + soaOf(8) + soaOf(8)), kindIXFR, 8, with("a")},
		{
			"a record that comes and goes", 7,
			[][]byte{ixfrAnswer(t, soaOf(9)+soaOf(7)+soaOf(8)+lineB+soaOf(8)+lineB+soaOf(9)+soaOf(9))},
			kindIXFR, 9, with("a"),
		},
		{
			"over the wrap of the serial", 4294967290,
			each(soaOf(5) + soaOf(4294967290) + soaOf(4294967295) + lineB + soaOf(4294967295) + soaOf(5) + lineC + soaOf(5)),
			kindIXFR, 5, with("a", "b", "c"),
		},
		{"the whole zone", 7, [][]byte{ixfrAnswer(t, soaOf(8)+nsLine+lineC+soaOf(8))}, kindAXFR, 8, with("c")},
		{"the whole zone, a record a message", 7, each(soaOf(8) + nsLine + lineC + soaOf(8)), kindAXFR, 8, with("c")},
		{"our serial", 7, [][]byte{ixfrAnswer(t, soaOf(7))}, kindIXFR, 0, nil},
		{"our serial and all the zone", 7, [][]byte{ixfrAnswer(t, soaOf(7)+nsLine+lineA+soaOf(7))}, kindIXFR, 0, nil},
		{"OPT in the answer", 7, [][]byte{answer(t, dns.TypeIXFR, records(t, one), func(m *dns.Msg) { m.SetEdns0(1232, false) })}, kindIXFR, 8, with("b")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			base := baseZone(t, c.base)
			got, err := feedIXFR(t, base, defaultLimits(), 10, c.messages...)
			if err != nil {
				t.Fatal(err)
			}
			if got.kind != c.kind || (got.changes != nil) != (c.kind == kindIXFR && c.serial != 0) {
				t.Errorf("got kind %s with %d octets of changes", got.kind, len(got.changes))
			}
			if diff := cmp.Diff(with("a"), listing(base)); diff != "" || base.Serial() != c.base {
				t.Errorf("the base has changed: serial %d %s", base.Serial(), diff)
			}
			if c.serial == 0 {
				if got.zone != nil {
					t.Errorf("got a version with serial %d, want none", got.zone.Serial())
				}
				return
			}
			if got.zone.Serial() != c.serial {
				t.Errorf("got serial %d, want %d", got.zone.Serial(), c.serial)
			}
			if diff := cmp.Diff(c.want, listing(got.zone)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIXFRRefuses(t *testing.T) {
	t.Parallel()
	one := func(changes string) string { return soaOf(8) + changes + soaOf(8) }
	const otherSOA = "example.org. 3600 IN SOA ns9.example.org. admin.example.org. 7 3600 600 86400 60\n"
	for _, c := range []struct {
		name string
		text string
		step Step
		want Cause
	}{
		{"no SOA first", nsLine + soaOf(8), StepIXFR, CauseStructure},
		{"another zone's SOA first", "example.net. 60 IN SOA a. b. 8 2 3 4 5\n", StepIXFR, CauseWrongZone},
		{"an older serial", soaOf(6), StepCheck, CauseOlder},
		{"half the range away", soaOf(7 + 1<<31), StepCheck, CauseOlder},
		{"begins with another serial", one(soaOf(6) + lineA + soaOf(8) + lineB), StepIXFR, CauseChain},
		{"begins with a later serial", soaOf(9) + soaOf(8) + lineA + soaOf(9) + lineB + soaOf(9), StepIXFR, CauseChain},
		{"goes backwards", soaOf(9) + soaOf(7) + soaOf(8) + soaOf(8) + soaOf(6) + soaOf(6) + soaOf(9) + soaOf(9), StepIXFR, CauseChain},
		{"goes nowhere", one(soaOf(7) + lineA + soaOf(7) + lineB), StepIXFR, CauseChain},
		{"a gap in the chain", soaOf(10) + soaOf(7) + soaOf(8) + soaOf(9) + soaOf(10) + soaOf(10), StepIXFR, CauseChain},
		{"the final SOA has other content", soaOf(8) + soaOf(7) + soaOf(8) + strings.Replace(soaOf(8), "86400", "86401", 1), StepIXFR, CauseStructure},
		{"the SOA added last has other content", one(soaOf(7) + strings.Replace(soaOf(8), "86400", "86401", 1)), StepIXFR, CauseStructure},
		{"data after the end", one(soaOf(7)+soaOf(8)+lineB) + lineC, StepIXFR, CauseStructure},
		{"deletes what is not there", one(soaOf(7) + lineC + soaOf(8)), StepIXFR, CauseMisfit},
		{"deletes an unknown value", one(soaOf(7) + "a.example.org. 60 IN A 192.0.2.99\n" + soaOf(8)), StepIXFR, CauseMisfit},
		{"deletes twice", one(soaOf(7) + lineA + lineA + soaOf(8)), StepIXFR, CauseMisfit},
		{"adds what is there", one(soaOf(7) + soaOf(8) + lineA), StepIXFR, CauseMisfit},
		{"deletes a SOA that is not ours", one(otherSOA + soaOf(8)), StepIXFR, CauseMisfit},
		{"removes the apex NS", one(soaOf(7) + nsLine + soaOf(8)), StepCheck, CauseNoNS},
		{"adds a SOA below the apex", one(soaOf(7) + soaOf(8) + "sub." + soaOf(8)), StepIXFR, CauseForeign},
		{"deletes a SOA below the apex", one(soaOf(7) + "sub." + soaOf(8) + soaOf(8)), StepIXFR, CauseMisfit},
		{"adds out of the zone", one(soaOf(7) + soaOf(8) + "www.example.net. 60 IN A 192.0.2.1\n"), StepIXFR, CauseForeign},
		{"adds out of the zone by half a label", one(soaOf(7) + soaOf(8) + "xexample.org. 60 IN A 192.0.2.1\n"), StepIXFR, CauseForeign},
		{"adds in class CH", one(soaOf(7) + soaOf(8) + "x.example.org. 60 CH A 192.0.2.1\n"), StepIXFR, CauseForeign},
		{"the whole zone with a gap", soaOf(8) + nsLine + soaOf(9), StepAXFR, CauseStructure},
		{"two SOAs and nothing else", soaOf(8) + soaOf(8), StepCheck, CauseNoNS},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := feedIXFR(t, baseZone(t, 7), defaultLimits(), 10, ixfrAnswer(t, c.text))
			if errors.Is(err, errUnfinished) {
				t.Fatal("nothing was refused")
			}
			wantFailure(t, err, c.step, c.want)
		})
	}
}

// A single newer SOA may be all of a first message: it is not the end, and not
// the news that there is nothing.
func TestIXFRWaitsBehindSingleSOA(t *testing.T) {
	t.Parallel()
	if _, err := feedIXFR(t, baseZone(t, 7), defaultLimits(), 10, ixfrAnswer(t, soaOf(8))); !errors.Is(err, errUnfinished) {
		t.Errorf("got %v, want it to wait", err)
	}
}

func TestIXFRLimits(t *testing.T) {
	t.Parallel()
	chain := func(n uint32) string {
		var text strings.Builder
		text.WriteString(soaOf(7 + n))
		for i := range n {
			text.WriteString(soaOf(7+i) + soaOf(8+i))
		}
		return text.String() + soaOf(7+n)
	}
	var wide strings.Builder
	for i := range 50 {
		fmt.Fprintf(&wide, "n%d.example.org. 60 IN A 192.0.2.1\n", i)
	}
	for _, c := range []struct {
		name   string
		text   string
		change func(*Limits)
		over   bool
	}{
		{"as many differences as allowed", chain(10), nil, false},
		{"one more", chain(11), nil, true},
		{"records in the zone", soaOf(8) + soaOf(7) + soaOf(8) + wide.String() + soaOf(8), func(l *Limits) { l.Records = 53 }, false},
		{"one record more", soaOf(8) + soaOf(7) + soaOf(8) + wide.String() + lineB + soaOf(8), func(l *Limits) { l.Records = 53 }, true},
		{"memory", soaOf(8) + soaOf(7) + soaOf(8) + wide.String() + soaOf(8), func(l *Limits) { l.Bytes = 500 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := defaultLimits()
			if c.change != nil {
				c.change(&l)
			}
			_, err := feedIXFR(t, baseZone(t, 7), l, 10, ixfrAnswer(t, c.text))
			if c.over {
				wantFailure(t, err, StepIXFR, CauseLimit)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzIXFR cuts any octets into messages: whatever comes of them, the base is as
// it was, and a version has the serial that the answer announced.
func FuzzIXFR(f *testing.F) {
	body := func(text string) []byte { return ixfrAnswer(f, text)[wire.HeaderSize+len("example.org")+6:] }
	f.Add(byte(1), body(soaOf(8)+soaOf(7)+lineA+soaOf(8)+lineB+soaOf(8)))
	f.Add(byte(3), body(soaOf(9)+soaOf(7)+soaOf(8)+lineB+soaOf(8)+lineA+soaOf(9)+lineC+soaOf(9)))
	f.Add(byte(2), body(soaOf(8)+nsLine+lineC+soaOf(8)))
	base := baseZone(f, 7)
	before := listing(base)
	f.Fuzz(func(t *testing.T, records byte, body []byte) {
		msg := ixfrAnswer(t, "")
		binary.BigEndian.PutUint16(msg[6:], uint16(records))
		got, err := feedIXFR(t, base, defaultLimits(), 10, append(msg, body...))
		if diff := cmp.Diff(before, listing(base)); diff != "" || base.Serial() != 7 {
			t.Fatalf("the base has changed: serial %d %s", base.Serial(), diff)
		}
		if err == nil && got.zone != nil && !newer(got.zone.Serial(), 7) {
			t.Fatalf("serial %d came of 7", got.zone.Serial())
		}
	})
}
