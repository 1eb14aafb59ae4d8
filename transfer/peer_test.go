package transfer

import (
	"net/netip"
	"strings"
	"testing"
)

func TestFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, want string }{
		{"192.0.2.1", "abcde"},
		{"192.0.2.2", "beacd"},
		{"192.0.2.4", "dabce"},
		{"192.0.2.9", "abcde"},
	} {
		var peers []peer
		for i, id := range []string{"a", "b", "c", "d"} {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)})
			peers = append(peers, peer{id: id, addr: netip.AddrPortFrom(addr, 53)})
		}
		peers = append(peers, peer{id: "e", addr: netip.MustParseAddrPort("192.0.2.2:5353")})
		first(peers, netip.MustParseAddr(c.from))
		var got strings.Builder
		for _, p := range peers {
			got.WriteString(p.id)
		}
		if got.String() != c.want {
			t.Errorf("from %s: got %s, want %s", c.from, got.String(), c.want)
		}
	}
	first(nil, netip.MustParseAddr("192.0.2.1"))
}

func TestLabel(t *testing.T) {
	t.Parallel()
	p := peer{id: "0123", addr: netip.MustParseAddrPort("[2001:db8::1]:53")}
	if got := p.label(); got != "[2001:db8::1]:53" {
		t.Errorf("got %s, want the address", got)
	}
	if got := (peer{id: "0123"}).label(); got != "0123" {
		t.Errorf("got %s, want the id of a peer without an address", got)
	}
}
