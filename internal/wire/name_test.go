package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func mustName(t testing.TB, text string) Name {
	t.Helper()
	n, err := ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// labels63 returns count labels of 63 octets and a last one of rest octets.
func labels63(count, rest int) string {
	return strings.Repeat(strings.Repeat("a", MaxLabel)+".", count) + strings.Repeat("b", rest) + "."
}

func TestParseName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, wire, out string }{
		{".", "\x00", "."},
		{"a", "\x01a\x00", "a."},
		{"a.", "\x01a\x00", "a."},
		{"Example.ORG", "\x07Example\x03ORG\x00", "Example.ORG."},
		{"*.a.", "\x01*\x01a\x00", "*.a."},
		{`\000.`, "\x01\x00\x00", `\000.`},
		{`\255.`, "\x01\xFF\x00", `\255.`},
		{"\xFF.", "\x01\xFF\x00", `\255.`},
		{`a\.b.c.`, "\x03a.b\x01c\x00", `a\.b.c.`},
		{`a\.`, "\x02a.\x00", `a\..`},
		{`\046.`, "\x01.\x00", `\..`},
		{`\\.`, "\x01\\\x00", `\\.`},
		{`\a\b.`, "\x02ab\x00", "ab."},
		{`\".`, "\x01\"\x00", `\".`},
		{"a b.", "\x03a b\x00", `a\032b.`},
		{"a\nb.", "\x03a\nb\x00", `a\010b.`},
		{"_x-1/2.", "\x06_x-1/2\x00", "_x-1/2."},
		{"$;()@.", "\x05$;()@\x00", `\$\;\(\)\@.`},
	} {
		n, err := ParseName(tc.text)
		if err != nil {
			t.Errorf("parse %q: %v", tc.text, err)
			continue
		}
		if string(n) != tc.wire || n.String() != tc.out {
			t.Errorf("parse %q: got %q, text %q; want %q, text %q", tc.text, string(n), n, tc.wire, tc.out)
		}
		again, err := ParseName(n.String())
		if err != nil || !bytes.Equal(again, n) {
			t.Errorf("parse %q again as %q: got %q, %v", tc.text, n, string(again), err)
		}
	}
}

func TestParseNameErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{"", "empty name"},
		{"..", "empty label"},
		{".a", "empty label"},
		{"a..b", "empty label"},
		{"a..", "empty label"},
		{`a\`, "backslash at the end"},
		{`a\1`, "three digits"},
		{`a\12`, "three digits"},
		{`a\12x`, "three digits"},
		{`a\1x2`, "three digits"},
		{`a\256`, "above 255"},
		{`a\999`, "above 255"},
		{strings.Repeat("a", 64), "label longer than 63 octets"},
		{"b." + strings.Repeat("a", 64) + ".c", "label longer than 63 octets"},
		{labels63(3, 62), "longer than 255 octets"},
		{strings.Repeat("a.", 128), "longer than 255 octets"},
		{strings.Repeat("a.", 1<<20), "longer than 255 octets"},
		{strings.Repeat(`\097`, 1<<20), "longer than 255 octets"},
	} {
		n, err := ParseName(tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("parse %.80q: got %q, %v; want an error with %q", tc.text, string(n), err, tc.want)
			continue
		}
		if len(err.Error()) > 2000 {
			t.Errorf("parse %.80q: the error text has %d octets", tc.text, len(err.Error()))
		}
	}
}

func TestNameLimits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text         string
		size, labels int
	}{
		{strings.Repeat("a", 63), 65, 1},
		{labels63(3, 61), MaxName, 4},
		{strings.Repeat("a.", 127), MaxName, MaxLabels},
		{strings.Repeat(`\000.`, 127), MaxName, MaxLabels},
	} {
		n := mustName(t, tc.text)
		if len(n) != tc.size || n.Labels() != tc.labels {
			t.Errorf("%.20q...: got %d octets, %d labels; want %d, %d", tc.text, len(n), n.Labels(), tc.size, tc.labels)
		}
		if again := mustName(t, n.String()); !bytes.Equal(again, n) {
			t.Errorf("%.20q...: does not survive its own text", tc.text)
		}
		if _, next, err := AppendName(nil, n, 0); err != nil || next != len(n) {
			t.Errorf("%.20q...: read from the wire: next %d, %v", tc.text, next, err)
		}
	}
}

// TestNameAsMiekg holds our text and wire forms against the library's, for a
// name of each octet.
func TestNameAsMiekg(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		n := Name{3, 'x', byte(c), 'y', 3, 'o', 'r', 'g', 0}
		packed := make([]byte, MaxName)
		end, err := dns.PackDomainName(n.String(), packed, 0, nil, false)
		if err != nil || !bytes.Equal(packed[:end], n) {
			t.Errorf("octet %d: the library reads %s as %q, %v", c, n, packed[:end], err)
		}
		text, _, err := dns.UnpackDomainName(n, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustName(t, text); !bytes.Equal(got, n) {
			t.Errorf("octet %d: the library's text %s is read as %q", c, text, string(got))
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	// The list of RFC 4034 section 6.1, in canonical order, with a root before it.
	order := []string{
		".", "example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
		"z.example.", `\001.z.example.`, "*.z.example.", `\200.z.example.`,
	}
	for i, a := range order {
		for j, b := range order {
			got := mustName(t, a).Compare(mustName(t, b))
			if sign(got) != sign(i-j) {
				t.Errorf("compare %s with %s: got %d, want sign %d", a, b, got, sign(i-j))
			}
		}
	}
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"a.b.", "A.B.", 0},
		{"ab.", "a.", 1},
		{"a.b.", "b.", 1},
		{"b.a.", "a.b.", -1},
		{`\091.`, "a.", -1}, // '[' lies between the cases
		{`\000.`, ".", 1},
		{"a.", `a\000.`, -1},
	} {
		if got := mustName(t, tc.a).Compare(mustName(t, tc.b)); sign(got) != tc.want {
			t.Errorf("compare %s with %s: got %d, want sign %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestMeet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b   string
		labels int
	}{
		{".", ".", 0},
		{".", "org.", 0},
		{"com.", "org.", 0},
		{"a.org.", "B.ORG.", 1},
		{"a.org.", "ab.org.", 1},
		{"org.", "a.org.", 1},
		{"x.a.org.", "y.A.org.", 2},
		{"a.b.org.", "b.a.org.", 1},
		{"x.a.org.", "X.a.ORG.", 3},
	} {
		a, b := mustName(t, tc.a), mustName(t, tc.b)
		for _, pair := range [][2]Name{{a, b}, {b, a}} {
			order, labels := pair[0].Meet(pair[1])
			if labels != tc.labels || order != pair[0].Compare(pair[1]) {
				t.Errorf("%s and %s meet at %d labels, want %d", pair[0], pair[1], labels, tc.labels)
			}
		}
	}
}

// TestMeetEach compares the quick way with the plain one for all names of up to three
// of some labels.
func TestMeetEach(t *testing.T) {
	t.Parallel()
	names := []Name{Root}
	for from := 0; len(names) < 400; {
		deeper := names[from:]
		from = len(names)
		for _, name := range deeper {
			for _, label := range []string{"\x01a", "\x01A", "\x01b", "\x02ab", "\x01\x00", "\x03a\x01a", "\x01*"} {
				names = append(names, append(Name(label), name...))
			}
		}
	}
	for _, a := range names {
		for _, b := range names {
			order, labels := a.Meet(b)
			if wantOrder, want := a.meet(b); sign(order) != sign(wantOrder) || labels != want {
				t.Fatalf("%s and %s: got %d at %d labels, want %d at %d", a, b, order, labels, wantOrder, want)
			}
		}
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestIn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, apex string
		want       bool
	}{
		{".", ".", true},
		{"a.", ".", true},
		{".", "a.", false},
		{"example.org.", "Example.ORG.", true},
		{"WWW.example.org.", "Example.ORG.", true},
		{"a.b.c.example.org.", "example.org.", true},
		{"xexample.org.", "example.org.", false},
		{"org.", "example.org.", false},
		{"example.com.", "example.org.", false},
		{"www.example.com.", "example.org.", false},
		// The octets of the apex lie at the end of the name, but not as labels.
		{`x\007example\003org.`, "example.org.", false},
		{`\003org.`, "org.", false},
	} {
		if got := mustName(t, tc.name).In(mustName(t, tc.apex)); got != tc.want {
			t.Errorf("%s in %s: got %v, want %v", tc.name, tc.apex, got, tc.want)
		}
	}
}

func TestEqualAndFold(t *testing.T) {
	t.Parallel()
	a, b := mustName(t, "WwW.Example."), mustName(t, "wWw.eXAMPLE.")
	if a.IsFolded() || !a.Fold().IsFolded() {
		t.Errorf("%s is not told from %s", a, a.Fold())
	}
	if !a.Equal(b) || !bytes.Equal(a.Fold(), b.Fold()) {
		t.Errorf("%s and %s differ", a, b)
	}
	if a.String() != "WwW.Example." {
		t.Errorf("folding changed the name to %s", a)
	}
	for _, other := range []string{"ww.example.", "wwww.example.", "www.example.a.", "wwv.example.", "."} {
		if a.Equal(mustName(t, other)) {
			t.Errorf("%s equals %s", a, other)
		}
	}
	// Only ASCII letters have two cases: '@'+32 is '`', and 0xC1 is a letter elsewhere.
	for _, pair := range [][2]string{{`\@.`, "`."}, {"[.", "{."}, {`\193.`, `\225.`}} {
		if mustName(t, pair[0]).Equal(mustName(t, pair[1])) {
			t.Errorf("%s equals %s", pair[0], pair[1])
		}
	}
}

// TestFoldEach folds each octet at each place of slices of many lengths.
func TestFoldEach(t *testing.T) {
	t.Parallel()
	for size := range 30 {
		for at := range size {
			for c := range 256 {
				b := bytes.Repeat([]byte{'Z'}, size)
				b[at] = byte(c)
				got := AppendFolded([]byte("KEPT"), b)
				want := bytes.Repeat([]byte{'z'}, size)
				if want[at] = byte(c); 'A' <= c && c <= 'Z' {
					want[at] += 'a' - 'A'
				}
				if string(got) != "KEPT"+string(want) {
					t.Fatalf("%q became %q", b, got)
				}
			}
		}
	}
}

func TestParent(t *testing.T) {
	t.Parallel()
	var got []string
	for n := mustName(t, `*.b\.c.d.`); ; n = n.Parent() {
		got = append(got, n.String())
		if len(n) == 1 {
			break
		}
	}
	if want := []string{`*.b\.c.d.`, `b\.c.d.`, "d.", "."}; !slices.Equal(got, want) {
		t.Errorf("parents: got %q, want %q", got, want)
	}
	if p := Root.Parent(); !p.Equal(Root) {
		t.Errorf("parent of the root: got %s", p)
	}
	for text, want := range map[string]bool{"*.": true, "*.a.": true, "**.a.": false, "a.*.": false, ".": false, `\*.b.`: true} {
		if got := mustName(t, text).IsWildcard(); got != want {
			t.Errorf("%s is a wildcard: got %v, want %v", text, got, want)
		}
	}
}
