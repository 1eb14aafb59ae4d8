package transfer

import (
	"net/netip"
	"strings"
	"testing"

	"secondaryd/internal/certtest"
	"secondaryd/zonestore/registry"
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

// What a peer is asked by TLS with is made once for all zones, and anew when
// the peer changes.
func TestResolverTLS(t *testing.T) {
	t.Parallel()
	reg, err := registry.Open(registry.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	r := resolver{registry: reg}
	put := func(conf *registry.PeerTLS) peer {
		t.Helper()
		err := reg.Update(t.Context(), func(tx *registry.Tx) error {
			p := registry.Peer{ID: "p", Account: account, Name: "p", IP: new("192.0.2.1"), TLS: conf}
			z := registry.Zone{ID: "z", Name: testZone, AutoRefresh: 300, Peers: []string{"p"}}
			if err := tx.PutPeer(p); err != nil {
				return err
			}
			return tx.PutZone(z)
		})
		if err != nil {
			t.Fatal(err)
		}
		peers := r.peersOf("z")
		if len(peers) != 1 || peers[0].fact != nil {
			t.Fatalf("got %+v", peers)
		}
		return peers[0]
	}
	ca := certtest.Authority(t)
	first := put(&registry.PeerTLS{Name: "primary.test.", CACertificate: ca.PEM(), ClientCertificate: ca.PEM(), ClientKey: registry.Secret(ca.KeyPEM(t))})
	if first.tls == nil || first.tls.ServerName != "primary.test" || first.label() != "192.0.2.1:853" {
		t.Errorf("got %s with %+v", first.label(), first.tls)
	}
	if again := r.peersOf("z")[0]; again.tls != first.tls {
		t.Error("made anew for a second zone")
	}
	second := put(&registry.PeerTLS{Pins: []string{ca.Pin()}})
	if second.tls == nil || second.tls == first.tls || second.tls.ServerName != "" {
		t.Errorf("after a change: %+v", second.tls)
	}
	r.tls.forget("p")
	if again := r.peersOf("z")[0]; again.tls == second.tls {
		t.Error("not forgotten")
	}
	if r.tls.clear(); len(r.tls.made) != 0 {
		t.Error("not cleared")
	}
	if plain := put(nil); plain.tls != nil || plain.label() != "192.0.2.1:53" {
		t.Errorf("without TLS: %s with %+v", plain.label(), plain.tls)
	}
}
