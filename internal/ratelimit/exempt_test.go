package ratelimit

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func TestExempt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		prefixes []string
		inside   []string
		outside  []string
	}{
		{nil, nil, []string{"0.0.0.0", "::", "192.0.2.1"}},
		{[]string{"192.0.2.0/24"}, []string{"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"}, []string{"192.0.1.255", "192.0.3.0", "::192.0.2.1", "c000:200::"}},
		{[]string{"192.0.2.77/24"}, []string{"192.0.2.0", "192.0.2.255"}, []string{"192.0.3.0"}},
		{[]string{"0.0.0.0/0"}, []string{"0.0.0.0", "255.255.255.255"}, []string{"::", "2001:db8::"}},
		{[]string{"::/0"}, []string{"::", "2001:db8::", "fe80::1%eth0"}, []string{"192.0.2.1", "::ffff:192.0.2.1"}},
		{[]string{"::ffff:192.0.2.0/120"}, []string{"192.0.2.1", "::ffff:192.0.2.1"}, []string{"192.0.3.1"}},
		{[]string{"2001:db8::1/128", "2001:db8:0:1::/64"}, []string{"2001:db8::1", "2001:db8:0:1:ffff::"}, []string{"2001:db8::", "2001:db8::2", "2001:db8:0:2::"}},
		{
			[]string{"10.1.0.0/16", "10.0.0.0/8", "10.255.255.255/32", "10.0.0.0/8", "10.0.0.0/32", "127.0.0.1/32", "1.0.0.0/8"},
			[]string{"10.0.0.0", "10.1.2.3", "10.200.0.0", "10.255.255.255", "127.0.0.1", "1.255.255.255"},
			[]string{"9.255.255.255", "11.0.0.0", "127.0.0.0", "127.0.0.2", "2.0.0.0"},
		},
	} {
		var prefixes []netip.Prefix
		for _, p := range tc.prefixes {
			prefixes = append(prefixes, netip.MustParsePrefix(p))
		}
		e := newExemptions(prefixes)
		for want, clients := range map[bool][]string{true: tc.inside, false: tc.outside} {
			for _, c := range clients {
				if got := e.contain(addressOf(netip.MustParseAddr(c))); got != want {
					t.Errorf("%v: got %v for %s, want %v", tc.prefixes, got, c, want)
				}
			}
		}
	}
}

// FuzzExempt compares with asking one prefix after the other. Of the input each
// prefix takes 18 octets, the client the last 16.
func FuzzExempt(f *testing.F) {
	f.Add([]byte("\x01\x08\x0a0123456789abcde\x00\x208123456789abcdef0123456789abcdef"))
	f.Add(make([]byte, 70))
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) < 16 || len(input) > 1000 {
			return
		}
		client := fuzzAddr(input[len(input)-1]%2 == 0, input[len(input)-16:])
		var prefixes []netip.Prefix
		want := false
		for ; len(input) >= 18+16; input = input[18:] {
			addr := fuzzAddr(input[0]%2 == 0, input[2:18])
			p := netip.PrefixFrom(addr, int(input[1])%(addr.BitLen()+1))
			prefixes = append(prefixes, p)
			want = want || p.Contains(client)
		}
		e := newExemptions(prefixes)
		if got := e.contain(addressOf(client)); got != want {
			t.Errorf("%v in %v: got %v, want %v", client, prefixes, got, want)
		}
	})
}

// fuzzAddr makes few different addresses, so that prefixes meet. None is mapped:
// those differ from netip's by intent.
func fuzzAddr(v4 bool, octets []byte) netip.Addr {
	few := binary.BigEndian.Uint64(octets) & 0x8181_0101_0000_0103
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], few)
	binary.BigEndian.PutUint64(b[8:], uint64(octets[15]%4)|uint64(octets[8]&1)<<63)
	if v4 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	if addr := netip.AddrFrom16(b); !addr.Is4In6() {
		return addr
	}
	return netip.IPv6Unspecified()
}
