package transfer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"secondaryd/zonestore/dnssec"
	"secondaryd/zonestore/zone"
)

// zoneWith builds a zone with so many plain records, SOA and NS included, and so
// many signatures.
func zoneWith(t *testing.T, plain, signatures int) *zone.Zone {
	t.Helper()
	var b strings.Builder
	for i := range plain - 2 {
		fmt.Fprintf(&b, "n%d.example.org. 60 IN A 192.0.2.1\n", i)
	}
	for i := range signatures {
		fmt.Fprintf(&b, "n%d.example.org. 60 IN RRSIG A 8 3 60 20300101000000 20200101000000 1 example.org. AAAA\n", i)
	}
	z, err := feed(t, defaultLimits(), axfrAnswer(t, soaLine+nsLine+b.String()+soaLine))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestShrinks(t *testing.T) {
	t.Parallel()
	half := Guard{ShrinkPercent: 50, ShrinkFrom: 50}
	type size struct{ plain, signatures int }
	for _, c := range []struct {
		name     string
		guard    Guard
		old, new size
		deleted  int
		held     bool
	}{
		{"as large", half, size{100, 0}, size{100, 0}, -1, false},
		{"larger", half, size{100, 0}, size{300, 0}, -1, false},
		{"half", half, size{100, 0}, size{50, 0}, -1, false},
		{"less than half", half, size{100, 0}, size{49, 0}, -1, true},
		{"too small to matter", half, size{49, 0}, size{2, 0}, -1, false},
		{"just large enough to matter", half, size{50, 0}, size{24, 0}, -1, true},
		{"no longer signed", half, size{100, 500}, size{100, 0}, -1, false},
		{"signed at last, and empty", half, size{100, 0}, size{40, 400}, -1, true},
		{"nothing may be lost", Guard{ShrinkPercent: 0, ShrinkFrom: 50}, size{100, 0}, size{99, 0}, -1, true},
		{"all may be lost", Guard{ShrinkPercent: 100, ShrinkFrom: 50}, size{100, 0}, size{2, 0}, -1, false},
		{"by few differences", half, size{100, 0}, size{75, 0}, 25, false},
		{"by many differences", half, size{100, 0}, size{40, 0}, 60, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			old, z := zoneWith(t, c.old.plain, c.old.signatures), zoneWith(t, c.new.plain, c.new.signatures)
			got := received{zone: z}
			if c.deleted >= 0 {
				got.changes, got.deleted = []byte{0}, c.deleted
			}
			err := c.guard.shrinks(old, got)
			if held := err != nil; held != c.held {
				t.Fatalf("held: %v (%v), want %v", held, err, c.held)
			}
			if c.held {
				wantFailure(t, err, StepCheck, CauseShrink)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const (
		alias = "a.example.org. 60 IN CNAME b.\n"
		plain = "a.example.org. 60 IN A 192.0.2.1\n"
		other = "c.example.org. 60 IN CNAME b.\nc.example.org. 60 IN A 192.0.2.1\n"
	)
	digest := func(algorithm int) string {
		return fmt.Sprintf("example.org. 60 IN ZONEMD 7 1 %d %s\n", algorithm, strings.Repeat("00", 48))
	}
	build := func(text string) *zone.Zone {
		z, err := feed(t, defaultLimits(), axfrAnswer(t, soaLine+nsLine+text+soaLine))
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	all := Guard{ShrinkPercent: 50, ShrinkFrom: 50, Faults: Hold, ZONEMD: Hold}
	warn := Guard{ShrinkPercent: 50, ShrinkFrom: 50, Faults: Warn, ZONEMD: Warn}
	unsigned := "example.org. 60 IN DNSKEY 257 3 15 " + strings.Repeat("AAAA", 10) + "AAA=\n" // and no signature
	_, anchor, err := dnssec.ParseAnchor("example.org. DS 1 13 2 " + strings.Repeat("00", 32))
	if err != nil {
		t.Fatal(err)
	}
	anchored := Guard{ShrinkPercent: 100, DNSSEC: Hold, Anchors: map[string][]dnssec.Anchor{"\x07example\x03org\x00": {anchor}}}
	for _, c := range []struct {
		name     string
		guard    Guard
		old, new string // "-": none
		hold     Cause
		warnings []Cause
	}{
		{"sound", all, "", plain, "", nil},
		{"fault", all, "", alias + plain, CauseFaults, nil},
		{"old fault", all, alias + plain, alias + plain, "", nil},
		{"old fault and a new one", all, alias + plain, alias + plain + other, CauseFaults, nil},
		{"fault of the first version", all, "-", alias + plain, "", []Cause{CauseFaults}},
		{"fault to warn of", warn, "", alias + plain, "", []Cause{CauseFaults}},
		{"fault to ignore", Guard{ShrinkPercent: 100}, "", alias + plain, "", nil},
		{"wrong digest", all, "", digest(1), CauseZONEMD, nil},
		{"wrong digest of the first version", all, "-", digest(1), CauseZONEMD, nil},
		{"digest of an unknown algorithm", all, "", digest(240), "", nil},
		{"wrong digest to warn of", warn, "", digest(1), "", []Cause{CauseZONEMD}},
		{"wrong digest to ignore", Guard{ShrinkPercent: 100}, "", digest(1), "", nil},
		{"unsigned", Guard{ShrinkPercent: 100, DNSSEC: Hold}, "", plain, "", nil},
		{"badly signed", Guard{ShrinkPercent: 100, DNSSEC: Hold}, "", unsigned, CauseDNSSEC, nil},
		{"badly signed first version", Guard{ShrinkPercent: 100, DNSSEC: Hold}, "-", unsigned, CauseDNSSEC, nil},
		{"badly signed, to warn of", Guard{ShrinkPercent: 100, DNSSEC: Warn}, "", unsigned, "", []Cause{CauseDNSSEC}},
		{"badly signed, to ignore", Guard{ShrinkPercent: 100}, "", unsigned, "", nil},
		{"unsigned with an anchor", anchored, "", plain, CauseDNSSEC, nil},
		{"both", all, "", alias + plain + digest(1), CauseFaults, []Cause{CauseZONEMD}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var old *zone.Zone
			if c.old != "-" {
				old = build(c.old)
			}
			v, err := c.guard.judge(t.Context(), old, received{zone: build(c.new)}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var hold Cause
			if v.hold != nil {
				hold = v.hold.Cause
			}
			var warnings []Cause
			for _, w := range v.warnings {
				warnings = append(warnings, w.Cause)
			}
			if hold != c.hold || !slices.Equal(warnings, c.warnings) {
				t.Errorf("held for %q, warnings %q; want %q, %q", hold, warnings, c.hold, c.warnings)
			}
		})
	}
}

// What a delta brings is judged by the changes alone.
func TestJudgeDifferences(t *testing.T) {
	t.Parallel()
	const fault = "a.example.org. 60 IN CNAME b.\n"
	base := baseZone(t, 7) // with an address at a
	got, err := feedIXFR(t, base, defaultLimits(), 10, ixfrAnswer(t, soaOf(8)+soaOf(7)+soaOf(8)+fault+soaOf(8)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Guard{ShrinkPercent: 50, ShrinkFrom: 50, Faults: Hold}.judge(t.Context(), base, got, time.Now())
	if err != nil || v.hold == nil || v.hold.Cause != CauseFaults {
		t.Errorf("got %+v, error %v", v, err)
	}
}
