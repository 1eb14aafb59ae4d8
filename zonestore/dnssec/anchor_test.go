package dnssec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wiretest"
)

// TestTrust tries trust anchors and keys.
func TestTrust(t *testing.T) {
	t.Parallel()
	signed, other := load(t, "nsec"), load(t, "nsec3")
	ksk, zsk := signed.starting(t, "example.org. 60 IN DNSKEY 257 "), signed.starting(t, "example.org. 60 IN DNSKEY 256 ")
	unsigned := signed.edited(t, without("example.org. 60 IN DNSKEY "))
	unknownDigest := strings.Replace(signed.anchor, " 13 2 ", " 13 99 ", 1)
	unknownAlgorithm := strings.Replace(signed.anchor, " 13 2 ", " 99 2 ", 1)
	weak := wiretest.Record(t, ksk).(*dns.DNSKEY).ToDS(dns.SHA1).String()
	const stranger = "example.org. DNSKEY: no key of the zone is one of its trust anchors"
	for _, tc := range []struct {
		what    string
		zone    signedZone
		anchors []string
		state   State
		want    []string
	}{
		{"unsigned", unsigned, nil, Unsigned, nil},
		{"unsigned with an anchor", unsigned, []string{signed.anchor}, Bogus, []string{"example.org. DNSKEY: the zone has a trust anchor but no DNSKEY record"}},
		{"unsigned with an anchor that is not known", unsigned, []string{unknownDigest}, Unsupported, nil},
		{"DS", signed, []string{signed.anchor}, Secure, nil},
		{"DNSKEY", signed, []string{ksk}, Secure, nil},
		{"the other DNSKEY, which signs all too", signed, []string{zsk}, Secure, nil},
		{"SHA-1", signed, []string{weak}, Secure, nil},
		{"SHA-384", signed, []string{wiretest.Record(t, ksk).(*dns.DNSKEY).ToDS(dns.SHA384).String()}, Secure, nil},
		{"SHA-1 beside a better one that is wrong", signed, []string{weak, strings.Replace(signed.anchor, "AC7788", "AC7789", 1)}, Bogus, []string{stranger}},
		{"one of two", signed, []string{other.anchor, signed.anchor}, Secure, nil},
		{"another zone's", signed, []string{other.anchor}, Bogus, []string{stranger}},
		{"digest that is not known", signed, []string{unknownDigest}, Unsupported, nil},
		{"algorithm that is not known", signed, []string{unknownAlgorithm}, Unsupported, nil},
		{"not known beside known", signed, []string{unknownAlgorithm, signed.anchor}, Secure, nil},
		{"anchor for a zone of an algorithm that is not known", load(t, "tiny-ED448"), []string{load(t, "tiny-ED448").anchor}, Unsupported, nil},
		{"revoked", signed.edited(t, edit{"DNSKEY 257 ", "DNSKEY 385 "}), []string{strings.Replace(ksk, "DNSKEY 257 ", "DNSKEY 385 ", 1)}, Bogus, []string{stranger}},
		{"no zone key", signed.edited(t, edit{"DNSKEY 257 ", "DNSKEY 1 "}), []string{strings.Replace(ksk, "DNSKEY 257 ", "DNSKEY 1 ", 1)}, Bogus, []string{stranger}},
		{"protocol", signed.edited(t, edit{"DNSKEY 257 3 ", "DNSKEY 257 2 "}), []string{strings.Replace(ksk, "DNSKEY 257 3 ", "DNSKEY 257 2 ", 1)}, Bogus, []string{stranger}},
		{"key that is no point", signed.edited(t, edit{"DNSKEY 257 3 13 j", "DNSKEY 257 3 13 k"}), []string{signed.anchor}, Bogus, []string{stranger}},
	} {
		r := validate(t, tc.zone.compile(t), now, tc.anchors...)
		if diff := cmp.Diff(append([]string{}, tc.want...), told(r)); diff != "" || r.State != tc.state {
			t.Errorf("%s: got %s, want %s (-want +got):\n%s", tc.what, r.State, tc.state, diff)
		}
	}
}

func TestParseAnchorRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "; nothing", "example.org.", "example.org. 60 IN A 192.0.2.1", "example.org. 60 CH DS 1 13 2 00",
		"example.org. 60 IN DS 1 13 2", "example.org. 60 IN DNSKEY 257 3 13", `example.org. 60 IN DS \# 4 00010D02`,
	} {
		if apex, a, err := ParseAnchor(text); err == nil {
			t.Errorf("%q: got %s type %d", text, apex, a.Type)
		}
	}
}
