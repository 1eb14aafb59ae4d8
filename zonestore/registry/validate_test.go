package registry

import (
	"net/netip"
	"strings"
	"testing"

	"secondaryd/internal/wire"
)

func TestDomainNames(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	name255 := strings.Join([]string{label63, label63, label63, strings.Repeat("a", 61)}, ".")
	for name, good := range map[string]bool{
		"example.org": true, "example.org.": true, "EXAMPLE.org": true, ".": true, "org": true,
		"_dmarc.a-b.example": true, "0/25.2.0.192.in-addr.arpa.": true, "*.example.org": true,
		`a\.b.example`: true, `a\032b.example`: true, `\255.example`: true, `a\ `: false,
		label63 + ".example": true, label63 + "a.example": false, name255: true, name255 + ".": true, name255 + "a": false,
		strings.Repeat(`\097`, 63) + ".": true,
		"":                               false, "..": false, "a..b": false, ".a": false, "a b.example": false, "a\tb": false, "a\x00b": false,
		"bücher.example": false, "xn--bcher-kva.example": true, "a\xff.example": false, "\ufffd.example": false,
		`a\`: false, `a\25`: false, `a\256.b`: false, `\é`: false, "a,b": false, "a@b": false, "a\nb": false,
	} {
		err := validateDomainName("/name", name)
		if (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
		if p := Problems(err); err != nil && (len(p) != 1 || p[0].Pointer != "/name") {
			t.Errorf("%q: %v", name, p)
		}
	}
}

func TestApexKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Example.ORG": "example.org.", "example.org.": "example.org.", ".": ".",
		"a_b-1.example": "a_b-1.example.", "_.0.": "_.0.",
		`\065.example`: "a.example.", `a\.b.example`: `a\.b.example.`, `\046.example`: `\..example.`,
	} {
		if got := (Zone{Name: name}).Apex(); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// What need not be parsed is what would come out as it is, and no more.
func TestIsPlain(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", wire.MaxLabel)
	longest := strings.Join([]string{label, label, label, label[:61]}, ".")
	for name, want := range map[string]bool{
		"": false, ".": false, "a": true, "a.": true, "a..": false, "a..b": false, ".a": false, "A.b": false, "a b": false,
		`a\.b`: false, "*.a": false, label: true, label + "a": false, longest: true, longest + ".": true, longest + "a": false,
	} {
		if got := isPlain(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
		parsed, err := wire.ParseName(name)
		if want && (err != nil || parsed.Fold().String() != strings.TrimSuffix(name, ".")+".") {
			t.Errorf("%q: parsed %v, %v", name, parsed, err)
		}
	}
}

func TestPeerAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ip            string
		good, private bool
	}{
		{"192.0.2.1", true, false},
		{"2001:db8::1", true, false},
		{"127.0.0.1", true, true},
		{"::1", true, true},
		{"10.1.2.3", true, true},
		{"172.16.0.1", true, true},
		{"192.168.0.1", true, true},
		{"fd00::1", true, true},
		{"::ffff:10.0.0.1", true, true},
		{"100.64.0.1", true, true},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"::ffff:0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"255.255.255.255", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"169.254.1.1", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"ns.example", false, false},
		{"192.0.2.0/24", false, false},
		{"192.0.2.053", false, false},
		{" 192.0.2.1", false, false},
		{"192.0.2.1:53", false, false},
		{"1", false, false},
	} {
		if err := validateIP(test.ip, false); (err == nil) != test.good {
			t.Errorf("%q: %v", test.ip, err)
		}
		if err := validateIP(test.ip, true); (err == nil) != (test.good && !test.private) {
			t.Errorf("%q, private forbidden: %v", test.ip, err)
		}
	}
	if CheckPeerAddr(netip.Addr{}, false) == nil {
		t.Error("no address is fine")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, algo, secret, pointers string }{
		{"k.example", "hmac-sha512.", "caf79a7804b04337c9c66ccd7bef9190a1e1679b5dd03d8aa10f7ad45e1a9dab92b417896c15d4d007c7c14194538d2a5d0feffdecc5a7f0e1c570cfa700837c", ""},
		{"k", "HMAC-sha1", "c2VjcmV0", ""},
		{"k", "hmac-sha224", "c2VjcmV0", ""},
		{"k", "hmac-md5.sig-alg.reg.int.", "c2VjcmV0", "/algo"},
		{"k", "hmac-sha512..", "c2VjcmV0", "/algo"},
		{"k", "hmac-sha512.", "c2VjcmV", "/secret"},
		{"k", "hmac-sha512.", "c2Vj\ncmV0", "/secret"},
		{"k", "hmac-sha512.", "not base64!", "/secret"},
		{"k k", "", "", "/name /algo /secret"},
	} {
		err := validateTSIG(&TSIG{Name: test.name, Algorithm: test.algo, Secret: Secret(test.secret)})
		var pointers []string
		for _, p := range Problems(err) {
			pointers = append(pointers, p.Pointer)
			if test.secret != "" && strings.Contains(p.Message, test.secret) {
				t.Errorf("the secret is in %q", p.Message)
			}
		}
		if got := strings.Join(pointers, " "); got != test.pointers {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"192.0.2.53/28": true, "192.0.2.0/24": true, "192.0.2.1/32": true, "2001:db8::/64": true, "2001:db8::1/128": true,
		"192.0.2.0/23": false, "2001:db8::/63": false, "0.0.0.0/0": false, "192.0.2.1": false, "192.0.2.0/33": false,
		"192.0.2.0/24/24": false, "::ffff:0.0.0.0/96": false, "": false, "x/24": false, "fe80::1%a/64": false, "192.0.2.0/024": false,
	} {
		if err := validateRange(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"my peer": true, "größe": true, strings.Repeat("ü", 255): true, strings.Repeat("ü", 256): false,
		"": false, "a\nb": false, "\xff": false, "a\u0085b": false,
	} {
		if err := validateText("/name", text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Names that pass have a wire form within the limits, and a key that is its own
// key.
func FuzzDomainName(f *testing.F) {
	for _, name := range []string{"example.org", `a\.b\032.example.`, ".", "xn--a", `\000`, "*._tcp/25"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if validateDomainName("/name", name) != nil {
			return
		}
		parsed, err := wire.ParseName(name)
		if err != nil || len(parsed) > wire.MaxName {
			t.Fatalf("%q: %v, %d octets", name, err, len(parsed))
		}
		apex, err := ApexKey(name)
		if err != nil {
			t.Fatal(err)
		}
		if slow := parsed.Fold().String(); apex != slow {
			t.Fatalf("%q: key %q, parsed %q", name, apex, slow)
		}
		if again, err := ApexKey(apex); err != nil || again != apex {
			t.Fatalf("%q: key %q, its key %q, %v", name, apex, again, err)
		}
	})
}
