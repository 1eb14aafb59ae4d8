package dnssec

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wiretest"
)

// TestSigned validates zones as BIND and Knot DNS sign them, with every algorithm
// that is known here and every kind of denial.
func TestSigned(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"nsec", "nsec3", "nsec3old", "optout",
		"tiny-RSASHA1", "tiny-NSEC3RSASHA1", "tiny-RSASHA256", "tiny-RSASHA512", "tiny-ECDSAP384SHA384", "tiny-ED25519",
	} {
		z := load(t, name)
		for _, anchors := range [][]string{nil, {z.anchor}} {
			r := validate(t, z.compile(t), now, anchors...)
			if r.State != Secure || r.Signatures == 0 || r.Ended {
				t.Errorf("%s with %d anchors: got %s after %d signatures: %q", name, len(anchors), r.State, r.Signatures, told(r))
			}
			if want := time.Date(2050, time.January, 1, 0, 0, 0, 0, time.UTC); !r.Expires.Equal(want) {
				t.Errorf("%s: expires %s, want %s", name, r.Expires, want)
			}
		}
	}
	if r := validate(t, load(t, "knot").compile(t), now); r.State != Secure {
		t.Errorf("knot: got %s: %q", r.State, told(r))
	}
	if r := validate(t, load(t, "tiny-ED448").compile(t), now); r.State != Unsupported || len(r.Problems) != 0 {
		t.Errorf("ED448: got %s: %q", r.State, told(r))
	}
}

// TestCorrupted spoils signed zones, each in one way.
func TestCorrupted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what, zone string
		before     []edit // and then signed again, if there are any
		after      []edit
		added      []string
		want       []string
	}{
		{what: "nothing", zone: "nsec"},
		{what: "glue", zone: "nsec", after: []edit{{"192.0.2.2", "192.0.2.99"}}},
		{what: "more glue", zone: "nsec3", added: []string{"ns.sub.example.org. 60 IN AAAA 2001:db8::2"}},
		{what: "occluded data", zone: "nsec", after: []edit{without("occluded.sub.")}},
		{what: "data below a DNAME", zone: "nsec", added: []string{"x.dn.example.org. 60 IN TXT x"}},
		{what: "the NS of a delegation", zone: "nsec", after: []edit{{"NS ns.elsewhere.", "NS ns2.elsewhere."}}},
		{what: "case", zone: "nsec", after: []edit{{"ns.example.org. 3600 IN A ", "NS.Example.ORG. 3600 IN A "}, {"MX 10 Mail.", "MX 10 mAIL."}}},
		{what: "TTL", zone: "nsec", after: []edit{{"ns.example.org. 3600 IN A ", "ns.example.org. 60 IN A "}}},

		{what: "address", zone: "nsec", after: []edit{{"192.0.2.1", "192.0.2.99"}}, want: []string{"ns.example.org. A: its signature does not verify"}},
		{what: "RSA", zone: "tiny-RSASHA256", after: []edit{{"192.0.2.1", "192.0.2.99"}}, want: []string{"a.example.org. A: its signature does not verify"}},
		{what: "ED25519", zone: "tiny-ED25519", after: []edit{{"192.0.2.1", "192.0.2.99"}}, want: []string{"a.example.org. A: its signature does not verify"}},
		{what: "text case", zone: "nsec", after: []edit{{`"Text"`, `"text"`}}, want: []string{"Upper.example.org. TXT: its signature does not verify"}},
		{what: "DS", zone: "nsec", after: []edit{{"DS 12345 13", "DS 12346 13"}}, want: []string{"secure.example.org. DS: its signature does not verify"}},
		{what: "no signature", zone: "nsec", after: []edit{without("ns.example.org. 3600 IN RRSIG A ")}, want: []string{"ns.example.org. A: it has no signature"}},
		{what: "no signature of a DS", zone: "nsec", after: []edit{without("secure.example.org. 60 IN RRSIG DS ")}, want: []string{"secure.example.org. DS: it has no signature"}},
		{what: "no signature of an NSEC", zone: "nsec", after: []edit{without("sub.example.org. 60 IN RRSIG NSEC ")}, want: []string{
			"sub.example.org. NSEC: it has no signature",
			"sub.example.org. NSEC: it lists RRSIG, which the name does not own",
		}},
		{what: "signer", zone: "nsec", after: []edit{{"ns.example.org. 3600 IN RRSIG A 13 3 3600 20500101000000 20200101000000 61535 example.org.", "ns.example.org. 3600 IN RRSIG A 13 3 3600 20500101000000 20200101000000 61535 org."}}, want: []string{"ns.example.org. A: its signature is that of another zone"}},
		{what: "labels", zone: "nsec", after: []edit{{"RRSIG A 13 3 ", "RRSIG A 13 2 "}}, want: []string{"ns.example.org. A: its signature is for a name of another number of labels"}},
		{what: "tag", zone: "nsec", after: []edit{{"RRSIG A 13 3 3600 20500101000000 20200101000000 61535", "RRSIG A 13 3 3600 20500101000000 20200101000000 61536"}}, want: []string{"ns.example.org. A: its signature is by a key that the zone does not have"}},
		{what: "algorithm", zone: "nsec", after: []edit{{"RRSIG A 13 3 ", "RRSIG A 99 3 "}}, want: []string{"ns.example.org. A: its signatures are of algorithms that are not known, though the zone has a key of one that is"}},
		{what: "expired", zone: "nsec", after: []edit{{"RRSIG A 13 3 3600 20500101000000", "RRSIG A 13 3 3600 20291231235959"}}, want: []string{"ns.example.org. A: its signature has expired"}},
		{what: "expired across a wrap", zone: "nsec", after: []edit{{"RRSIG A 13 3 3600 20500101000000", "RRSIG A 13 3 3600 19980101000000"}}, want: []string{"ns.example.org. A: its signature has expired"}},
		{what: "not valid yet", zone: "nsec", after: []edit{{"RRSIG A 13 3 3600 20500101000000 20200101000000", "RRSIG A 13 3 3600 20500101000000 20300101000001"}}, want: []string{"ns.example.org. A: its signature is not valid yet"}},
		{what: "wrong beside right", zone: "nsec", added: []string{"ns.example.org. 3600 IN RRSIG A 13 3 3600 20510101000000 20200101000000 61535 example.org. AAAA"}},

		{what: "key", zone: "nsec", after: []edit{without("example.org. 60 IN DNSKEY 257 ")}, want: []string{"example.org. DNSKEY: its signature does not verify"}},
		{what: "keys unsigned", zone: "nsec", after: []edit{without("example.org. 60 IN RRSIG DNSKEY ")}, want: []string{"example.org. DNSKEY: it has no signature"}},

		{what: "NSEC leads nowhere", zone: "nsec", after: []edit{without("unknown.example.org. ")}, want: []string{"svc.example.org. NSEC: it leads to unknown.example.org., not to Upper.example.org."}},
		{what: "NSEC leads past a name", zone: "nsec", after: []edit{without("unknown.example.org. 60 IN NSEC "), without("unknown.example.org. 60 IN RRSIG NSEC ")}, want: []string{"unknown.example.org. NSEC: the name has no NSEC record", "svc.example.org. NSEC: it leads to unknown.example.org., not to Upper.example.org."}},
		{what: "last NSEC", zone: "nsec", before: []edit{{"NSEC example.org. RP", "NSEC alias.example.org. RP"}}, want: []string{`x\255y.example.org. NSEC: it leads to alias.example.org., not to example.org.`}},
		{what: "last name", zone: "nsec", after: []edit{without(`x\255y.`)}, want: []string{`*.wild.example.org. NSEC: it leads to x\255y.example.org., not to example.org.`}},
		{what: "type not listed", zone: "nsec", before: []edit{{"A AAAA RRSIG NSEC", "A RRSIG NSEC"}}, want: []string{"ns.example.org. NSEC: it does not list AAAA, which the name owns"}},
		{what: "type listed", zone: "nsec", before: []edit{{"A AAAA RRSIG NSEC", "A MX AAAA RRSIG NSEC"}}, want: []string{"ns.example.org. NSEC: it lists MX, which the name does not own"}},
		{what: "RRSIG not listed", zone: "nsec", before: []edit{{"A AAAA RRSIG NSEC", "A AAAA NSEC"}}, want: []string{"ns.example.org. NSEC: it does not list RRSIG, which the name owns"}},
		{what: "no DS where one is listed", zone: "nsec", after: []edit{without("secure.example.org. 60 IN DS "), without("secure.example.org. 60 IN RRSIG DS ")}, want: []string{"secure.example.org. NSEC: it lists DS, which the name does not own"}},
		{what: "glue listed", zone: "nsec", before: []edit{{"NS DS RRSIG NSEC", "A NS DS RRSIG NSEC"}}, want: []string{"secure.example.org. NSEC: it lists A, which the name does not own"}},
		{what: "two NSECs", zone: "nsec", added: []string{"sub.example.org. 60 IN NSEC svc.example.org. NS RRSIG"}, want: []string{"sub.example.org. NSEC: its signature does not verify", "sub.example.org. NSEC: the name has 2 NSEC records", "sub.example.org. NSEC: it does not list NSEC, which the name owns"}},
		{what: "NSEC of glue", zone: "nsec", added: []string{"ns.sub.example.org. 60 IN NSEC svc.example.org. A"}, want: []string{"ns.sub.example.org. NSEC: the zone has no authority for the name, so it must not own the record"}},
		{what: "no denial", zone: "tiny-ED25519", after: []edit{without("example.org. 60 IN NSEC "), without("example.org. 60 IN RRSIG NSEC ")}, want: []string{"example.org. NSEC: the zone has neither NSEC nor NSEC3 records of a chain that is complete"}},
	} {
		z := load(t, tc.zone)
		if tc.before != nil {
			z = z.edited(t, tc.before...).resigned(t)
		}
		z = z.edited(t, tc.after...).with(tc.added...)
		checkReport(t, tc.what, validate(t, z.compile(t), now), tc.want)
	}
}

// checkReport wants the problems, in any order, and the state that they make.
func checkReport(t *testing.T, what string, r Report, want []string) {
	t.Helper()
	got := told(r)
	slices.Sort(got)
	want = append([]string{}, want...)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	state := Secure
	if len(want) > 0 {
		state = Bogus
	}
	if r.State != state {
		t.Errorf("%s: got %s, want %s", what, r.State, state)
	}
}

// TestTimes: a zone whose signatures are not valid at a time has a problem with
// each RRset, told up to the limit, and none that expires.
func TestTimes(t *testing.T) {
	t.Parallel()
	z := load(t, "nsec").compile(t)
	for at, want := range map[time.Time]string{
		time.Date(2019, 12, 31, 23, 59, 59, 0, time.UTC): "example.org. DNSKEY: its signature is not valid yet",
		time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC):      "",
		time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC):      "",
		time.Date(2050, 1, 1, 0, 0, 1, 0, time.UTC):      "example.org. DNSKEY: its signature has expired",
	} {
		r := validate(t, z, at)
		if got := strings.Join(told(r), "; "); got != want {
			t.Errorf("%s: got %q, want %q", at, got, want)
		}
		if (want != "") != r.Expires.IsZero() {
			t.Errorf("%s: expires %s", at, r.Expires)
		}
	}
}

// TestExpires: the RRset that goes first counts, each with the signature that
// lasts longest.
func TestExpires(t *testing.T) {
	t.Parallel()
	key, private := newKey(t)
	soa := wiretest.Record(t, "example.org. 60 IN SOA a. b. 1 2 3 4 5")
	nsec := wiretest.Record(t, "example.org. 60 IN NSEC example.org. SOA RRSIG NSEC DNSKEY")
	z := signedZone{lines: []string{
		soa.String(), key.String(), nsec.String(),
		sign(t, key, private, []dns.RR{soa}, 5*time.Hour), sign(t, key, private, []dns.RR{soa}, 9*time.Hour),
		sign(t, key, private, []dns.RR{key}, 7*time.Hour), sign(t, key, private, []dns.RR{nsec}, 8*time.Hour),
	}}
	r := validate(t, z.compile(t), now)
	if want := now.Add(7 * time.Hour); r.State != Secure || !r.Expires.Equal(want) || r.Signatures != 3 {
		t.Errorf("got %s until %s after %d signatures, want %s: %q", r.State, r.Expires, r.Signatures, want, told(r))
	}
}

// TestProblemsHaveAnEnd: a zone that is wrong everywhere is not looked at to its
// end.
func TestProblemsHaveAnEnd(t *testing.T) {
	t.Parallel()
	z := load(t, "nsec")
	for i, line := range z.lines {
		if !strings.Contains(line, " RRSIG DNSKEY ") {
			z.lines[i] = strings.Replace(line, " 61535 example.org. ", " 1 example.org. ", 1)
		}
	}
	r, err := Validate(t.Context(), z.compile(t), Options{Now: now, Problems: 3})
	if err != nil || len(r.Problems) != 3 || !r.Ended || r.State != Bogus {
		t.Errorf("got %s with %d problems, ended %v, error %v", r.State, len(r.Problems), r.Ended, err)
	}
}

// TestTries: however many signatures and keys a zone has, few are tried for each
// RRset (CVE-2023-50387).
func TestTries(t *testing.T) {
	t.Parallel()
	z := load(t, "nsec")
	const sig = "ns.example.org. 3600 IN RRSIG A 13 3 3600 20400101000000 20200101000000 61535 example.org. "
	for i := range 1000 {
		z = z.with(sig + base64.StdEncoding.EncodeToString(append(make([]byte, 62), byte(i>>8), byte(i))))
	}
	// The right one lasts longest and is tried first.
	checkReport(t, "many beside the right one", validate(t, z.compile(t), now), nil)
	z = z.edited(t, edit{"RRSIG A 13 3 3600 20500101000000", "RRSIG A 13 3 3600 20290101000000"})
	checkReport(t, "many", validate(t, z.compile(t), now), []string{"ns.example.org. A: it has too many signatures that do not verify"})

	ring := keyring{}
	for range 100 {
		ring.add(key{rdata: []byte{1, 0, 3, 13}, algorithm: 13})
	}
	if got := len(ring[keyID{0x40D, 13}]); got != maxKeysPerTag {
		t.Errorf("%d keys of one tag, want %d", got, maxKeysPerTag)
	}
}

// TestGivesUp: so does a zone in which all of them together are too many.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	v := &validation{zone: load(t, "nsec").compile(t), limit: 10, end: func() {}}
	for range maxFailures - 1 {
		if !v.fail() {
			t.Fatal("gave up too early")
		}
	}
	for range 2 {
		if v.fail() || !v.ended.Load() {
			t.Error("went on")
		}
	}
	if got := told(v.report(Secure)); len(got) != 1 || !strings.Contains(got[0], "gave up after 4096 signatures") {
		t.Errorf("got %q", got)
	}
}

// TestManyNames: with more names than one goroutine gets at once, none is left
// out, in whatever order they came.
func TestManyNames(t *testing.T) {
	t.Parallel()
	const names, sig = 300, " 13 2 60 20500101000000 20200101000000 1 example.org. AAAA"
	lines := []string{
		"example.org. 60 IN RRSIG SOA" + sig, "example.org. 60 IN RRSIG NSEC" + sig, "example.org. 60 IN RRSIG DNSKEY" + sig,
		"example.org. 60 IN NSEC n000.example.org. SOA RRSIG NSEC DNSKEY",
	}
	for i := range names {
		owner, next := fmt.Sprintf("n%03d.example.org.", i), fmt.Sprintf("n%03d.example.org.", i+1)
		if i == names-1 {
			next = "example.org."
		}
		lines = append(lines, owner+" 60 IN TXT x", owner+" 60 IN RRSIG TXT"+sig, owner+" 60 IN RRSIG NSEC"+sig, owner+" 60 IN NSEC "+next+" TXT RRSIG NSEC")
	}
	rand.New(rand.NewPCG(7, 8)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	z := signedZone{lines: append([]string{"example.org. 60 IN SOA a. b. 1 2 3 4 5"}, lines...)}.resigned(t)
	r := validate(t, z.compile(t), now)
	if checkReport(t, "whole", r, nil); r.Signatures != 3+2*names {
		t.Errorf("%d signatures, want %d", r.Signatures, 3+2*names)
	}
	for i, line := range z.lines {
		if f := strings.Fields(line); f[3] == "TXT" {
			z.lines[i] = strings.Replace(line, `"x"`, `"y"`, 1)
		}
	}
	if r := validate(t, z.compile(t), now); len(r.Problems) != 100 || !r.Ended {
		t.Errorf("got %d problems, want the limit", len(r.Problems))
	}
}

func TestValidateEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Validate(ctx, load(t, "nsec").compile(t), Options{Now: now}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %s, error %v", r.State, err)
	}
}

// TestTypes reads bitmaps.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		bitmap string
		want   []uint16
		ok     bool
	}{
		{"", nil, true},
		{"\x00\x01\x40", []uint16{1}, true},
		{"\x00\x02\x40\x00", []uint16{1}, true}, // a zero octet at the end harms nobody
		{"\x00\x01\x40\xFF\x20" + strings.Repeat("\x00", 31) + "\x01", []uint16{1, 65535}, true},
		{"\x00", nil, false},
		{"\x00\x00", nil, false},
		{"\x00\x02\x40", nil, false},
		{"\x00\x21" + strings.Repeat("\x00", 33), nil, false},
		{"\x01\x01\x40\x00\x01\x40", []uint16{257}, false},
		{"\x00\x01\x40\x00\x01\x40", []uint16{1}, false},
	} {
		if got, ok := appendTypes(nil, []byte(tc.bitmap)); ok != tc.ok || !slices.Equal(got, tc.want) {
			t.Errorf("%q: got %v, %v", tc.bitmap, got, ok)
		}
	}
}

// BenchmarkValidate tells the time for each signature, with all cores.
func BenchmarkValidate(b *testing.B) {
	for _, name := range []string{"nsec3", "tiny-RSASHA256", "tiny-ED25519"} {
		z := load(b, name).compile(b)
		b.Run(name, func(b *testing.B) {
			signatures := 0
			for b.Loop() {
				r, err := Validate(b.Context(), z, Options{Now: now})
				if err != nil || r.State != Secure {
					b.Fatal(r, err)
				}
				signatures = r.Signatures
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*signatures), "ns/signature")
		})
	}
}
