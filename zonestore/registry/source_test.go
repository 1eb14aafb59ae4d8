package registry

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestSource(t *testing.T) {
	t.Parallel()
	r := seeded(t) // the zone z1 of p1, which has a key, and the ACL a1
	update(t, r, func(tx *Tx) error { return tx.DeleteACL("a1") })
	put := func(id, of, text string) {
		t.Helper()
		update(t, r, func(tx *Tx) error { return tx.PutACL(ACL{ID: id, Account: of, Name: id, IPRange: text}) })
	}
	want := func(addr string, want Source) {
		t.Helper()
		if got := r.Source("z1", netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %d, want %d", addr, got, want)
		}
	}
	want("192.0.2.53", SourceKeyedPeer)
	want("::ffff:192.0.2.53", SourceKeyedPeer)
	want("192.0.2.54", SourceStranger)
	put("a1", account, "192.0.2.77/28") // the host bits say nothing
	put("a2", account, "2001:db8:0:1::/64")
	put("a3", account, "2001:db8:0:1::5/128")
	put("a4", other, "198.51.100.0/24")
	want("192.0.2.63", SourceStranger)
	want("192.0.2.64", SourceACL)
	want("::ffff:192.0.2.79", SourceACL)
	want("192.0.2.80", SourceStranger)
	want("2001:db8:0:1:ffff::", SourceACL)
	want("2001:db8::1", SourceStranger)
	want("198.51.100.1", SourceStranger) // of another account
	put("a1", account, "203.0.113.0/24")
	want("192.0.2.64", SourceStranger)
	want("203.0.113.255", SourceACL)
	// A range that two ACLs have is there until both are gone.
	put("a5", account, "203.0.113.9/24")
	update(t, r, func(tx *Tx) error { return tx.DeleteACL("a1") })
	want("203.0.113.255", SourceACL)
	update(t, r, func(tx *Tx) error { return tx.DeleteACL("a5") })
	want("203.0.113.255", SourceStranger)
	// A peer without a key at the same address need not sign.
	update(t, r, func(tx *Tx) error {
		return tx.PutZone(zone("z1", "example.org", "p1", "p2"))
	})
	want("192.0.2.53", SourcePeer)
	put("a6", account, "192.0.2.0/24")
	want("192.0.2.53", SourcePeer)
	want("192.0.2.54", SourceACL)
	if got := r.Source("no such zone", netip.MustParseAddr("192.0.2.53")); got != SourceStranger {
		t.Errorf("no zone: got %d", got)
	}
}

// BenchmarkSource looks addresses up for a zone with as many peers as it can
// have, in an account with 10,000 ACLs.
func BenchmarkSource(b *testing.B) {
	r, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	put := func(fn func(tx *Tx) error) {
		if err := r.Update(b.Context(), fn); err != nil {
			b.Fatal(err)
		}
	}
	put(func(tx *Tx) error {
		var ids []string
		for i := range maxPeers {
			p := peer(fmt.Sprintf("%032x", i))
			p.IP = new(fmt.Sprintf("192.0.2.%d", i))
			ids = append(ids, p.ID)
			if err := tx.PutPeer(p); err != nil {
				return err
			}
		}
		return tx.PutZone(zone("z1", "example.org", ids...))
	})
	for i := 0; i < 10_000; i += maxOperations {
		put(func(tx *Tx) error {
			for n := i; n < i+maxOperations; n++ {
				text := fmt.Sprintf("10.%d.%d.0/24", n>>8, n&0xFF)
				if n%2 == 0 {
					text = fmt.Sprintf("2001:db8:%x::/64", n)
				}
				if err := tx.PutACL(ACL{ID: fmt.Sprintf("%032x", n), Account: account, Name: "acl", IPRange: text}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, text := range []string{"192.0.2.0", "192.0.2.29", "10.0.1.5", "11.0.0.1", "2001:db8:2::1", "2001:db9::1"} {
		b.Run(text, func(b *testing.B) {
			addr := netip.MustParseAddr(text)
			b.ReportAllocs()
			for b.Loop() {
				r.Source("z1", addr)
			}
		})
	}
}
