package zone

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// told is a fault as tests compare it.
func told(f Fault) string {
	if f.Old {
		return f.String() + " (old)"
	}
	return f.String()
}

func faultsOf(z, base *Zone) []string {
	found := []string{}
	for f := range z.Faults(base) {
		found = append(found, told(f))
	}
	return found
}

const nsText = "example.org. 3600 IN NS ns.elsewhere."

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what    string
		records []string
		want    []string
	}{
		{"nothing", []string{nsText}, nil},
		{"CNAME", []string{nsText, "a.example.org. 60 IN CNAME b."}, nil},
		{
			"CNAME with what may be beside it", []string{
				nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN NSEC b. CNAME", "a.example.org. 60 IN KEY 256 3 8 AAAA",
				"a.example.org. 60 IN RRSIG CNAME 8 2 60 20300101000000 20200101000000 1 example.org. AAAA",
				"a.example.org. 60 IN RRSIG NSEC 8 2 60 20300101000000 20200101000000 1 example.org. AAAA",
			}, nil,
		},
		{"CNAME with a stray signature", []string{nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example.org. AAAA"}, nil},
		{"CNAME beside A", []string{nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN A 192.0.2.1"}, []string{"a.example.org.: CNAME beside other records"}},
		{"CNAME beside TXT at a wildcard", []string{nsText, "*.example.org. 60 IN CNAME b.", "*.example.org. 60 IN TXT x"}, []string{"*.example.org.: CNAME beside other records"}},
		{"CNAME at the apex", []string{nsText, "example.org. 60 IN CNAME b."}, []string{"example.org.: CNAME beside other records"}},
		{"CNAME beside DNAME", []string{nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN DNAME c."}, []string{"a.example.org.: CNAME beside other records"}},
		{"two CNAMEs", []string{nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN CNAME c."}, []string{"a.example.org.: more than one CNAME record"}},
		{"one CNAME in two cases", []string{nsText, "a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN CNAME B."}, nil},
		{"two DNAMEs", []string{nsText, "a.example.org. 60 IN DNAME b.", "a.example.org. 60 IN DNAME c."}, []string{"a.example.org.: more than one DNAME record"}},
		{"DNAME at the apex", []string{nsText, "example.org. 60 IN DNAME b."}, nil},
		{"DNAME at the apex with NSEC3", []string{nsText, "example.org. 60 IN DNAME b.", strings.Repeat("0", 32) + ".example.org. 60 IN NSEC3 1 0 0 - " + strings.Repeat("0", 32) + " A"}, nil},
		{"DNAME with data beside it", []string{nsText, "a.example.org. 60 IN DNAME b.", "a.example.org. 60 IN A 192.0.2.1"}, nil},
		{"DNAME at a delegation", []string{nsText, "a.example.org. 60 IN DNAME b.", "a.example.org. 60 IN NS ns."}, []string{"a.example.org.: DNAME beside the NS records of a delegation"}},
		{"names below a DNAME", []string{nsText, "a.example.org. 60 IN DNAME b.", "x.y.a.example.org. 60 IN A 192.0.2.1"}, []string{"a.example.org.: names below a DNAME"}},
		{"names below a DNAME at the apex", []string{nsText, "example.org. 60 IN DNAME b.", "a.example.org. 60 IN A 192.0.2.1"}, []string{"example.org.: names below a DNAME"}},
		{"DS at the apex", []string{nsText, "example.org. 60 IN DS 1 13 2 00"}, []string{"example.org.: DS record at the apex"}},
		{"DS at a delegation", []string{nsText, "a.example.org. 60 IN NS ns.", "a.example.org. 60 IN DS 1 13 2 00"}, nil},
		{"several", []string{"a.example.org. 60 IN CNAME b.", "a.example.org. 60 IN CNAME c.", "a.example.org. 60 IN A 192.0.2.1"}, []string{
			"a.example.org.: CNAME beside other records", "a.example.org.: more than one CNAME record",
		}},
	} {
		z := build(t, "example.org.", append(tc.records, soaText)...)
		if diff := cmp.Diff(append([]string{}, tc.want...), faultsOf(z, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
}

// TestFaultsOld compares a whole version with the one before it.
func TestFaultsOld(t *testing.T) {
	t.Parallel()
	const cname, beside = "A.example.org. 60 IN CNAME b.", "a.example.org. 60 IN TXT x"
	base := build(t, "example.org.", soaText, nsText, cname, beside, "c.example.org. 60 IN CNAME b.")
	next := build(t, "example.org.", "c.example.org. 60 IN TXT x", "c.example.org. 60 IN CNAME b.", soaText, beside, cname, "a.example.org. 60 IN CNAME c.")
	got, want := faultsOf(next, base), []string{
		"c.example.org.: CNAME beside other records",
		"a.example.org.: CNAME beside other records (old)", "a.example.org.: more than one CNAME record",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range next.Faults(base) {
		break // who wants the first alone gets no more
	}
}

func TestDeltaFaults(t *testing.T) {
	t.Parallel()
	base := []string{
		soaText, "example.org. 60 IN NS ns.example.org.", "ns.example.org. 60 IN A 192.0.2.1",
		"old.example.org. 60 IN CNAME b.", "old.example.org. 60 IN TXT x", "older.example.org. 60 IN DNAME d.", "x.older.example.org. 60 IN TXT x",
		"cname.example.org. 60 IN CNAME b.", "dname.example.org. 60 IN DNAME d.", "deep.sub.example.org. 60 IN TXT x",
		"cut.example.org. 60 IN NS ns.cut.example.org.", "ns.cut.example.org. 60 IN A 192.0.2.2",
	}
	for _, tc := range []struct {
		what           string
		deleted, added []string
		want           []string
	}{
		{what: "nothing"},
		{what: "beside a CNAME", added: []string{"cname.example.org. 60 IN A 192.0.2.3"}, want: []string{"cname.example.org.: CNAME beside other records"}},
		{what: "beside a CNAME that goes", deleted: []string{"cname.example.org. 60 IN CNAME b."}, added: []string{"cname.example.org. 60 IN A 192.0.2.3"}},
		{what: "at an old fault", added: []string{"old.example.org. 60 IN TXT y"}, want: []string{"old.example.org.: CNAME beside other records (old)"}},
		{what: "a fault that goes", deleted: []string{"old.example.org. 60 IN TXT x"}},
		{what: "below a DNAME", added: []string{"a.b.dname.example.org. 60 IN A 192.0.2.3"}, want: []string{"dname.example.org.: names below a DNAME"}},
		{what: "below an old one", added: []string{"y.older.example.org. 60 IN A 192.0.2.3"}, want: []string{"older.example.org.: names below a DNAME (old)"}},
		{what: "a DNAME above names", added: []string{"sub.example.org. 60 IN DNAME d."}, want: []string{"sub.example.org.: names below a DNAME"}},
	} {
		d := NewDelta(build(t, "example.org.", base...), Limits{})
		for _, text := range tc.deleted {
			rr := wiretest.Record(t, text)
			if err := d.Delete(wiretest.Name(t, rr.Header().Name), rr.Header().Rrtype, wiretest.Rdata(t, rr)); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range tc.added {
			rr := wiretest.Record(t, text)
			if err := d.Add(wiretest.Name(t, rr.Header().Name), rr.Header().Rrtype, 60, wiretest.Rdata(t, rr)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Finish(); err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for f := range d.Faults() {
			got = append(got, told(f))
		}
		if diff := cmp.Diff(append([]string{}, tc.want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
}

// checkFaults wants the same new faults of a Delta as a look at the whole of
// both versions finds, and no old one that is not there.
func checkFaults(t rapid.TB, d *Delta, base, next *Zone) {
	t.Helper()
	var whole, fresh, old, got []string
	for f := range next.Faults(base) {
		if whole = append(whole, told(f)); !f.Old {
			fresh = append(fresh, told(f))
		}
	}
	for f := range d.Faults() {
		if f.Old {
			old = append(old, told(f))
		} else {
			got = append(got, told(f))
		}
	}
	slices.Sort(fresh)
	slices.Sort(got)
	if diff := cmp.Diff(fresh, got); diff != "" {
		t.Errorf("new faults (-of the whole zone +of the changes):\n%s", diff)
	}
	for _, f := range old {
		if !slices.Contains(whole, f) {
			t.Errorf("%s: the whole zone does not have it", f)
		}
	}
}

func BenchmarkFaults(b *testing.B) {
	delegations := compile(b, benchRecords(b))
	for _, tc := range []struct {
		name string
		zone *Zone
	}{{"addresses", benchZone()}, {"delegations", delegations}} {
		b.Run(tc.name, func(b *testing.B) {
			for b.Loop() {
				for range tc.zone.Faults(nil) { // the time counts alone
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tc.zone.Names()), "ns/name")
		})
	}
}

// BenchmarkDeltaFaults tells the time for a change of one name. It must not
// depend on the size of the zone.
func BenchmarkDeltaFaults(b *testing.B) {
	for _, records := range []int{10_000, 1_000_000} {
		z := zoneOf(records)
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			d := NewDelta(z, Limits{})
			if err := d.Add(wire.Name("\x0Bname-000007\x07example\x03org\x00"), wire.TypeTXT, 60, []byte{1, 'x'}); err != nil {
				b.Fatal(err)
			}
			if _, err := d.Finish(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for range d.Faults() { // the time counts alone
				}
			}
		})
	}
}
