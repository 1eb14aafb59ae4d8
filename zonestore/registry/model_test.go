package registry

import (
	gocmp "cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"secondaryd/zonestore/auditlog"
)

// model is what the registry has to be: plain maps, and the rules between them
// written as loops.
type model struct {
	zones map[string]Zone
	peers map[string]Peer
	keys  map[string]TSIG
	acls  map[string]ACL
	outs  map[string]Outgoing
	regs  map[string]Registration
}

// owned is what the objects of a zone id have in common.
type owned struct{ id, account, name string }

// owners lists them all but one.
func (m *model) owners(except Kind, id string) (all []owned) {
	for _, z := range m.zones {
		if except != KindZone || z.ID != id {
			all = append(all, owned{z.ID, z.Account, z.Name})
		}
	}
	for _, o := range m.outs {
		if except != KindOutgoing || o.ID != id {
			all = append(all, owned{o.ID, o.Account, o.Name})
		}
	}
	for _, r := range m.regs {
		if except != KindRegistration || r.ID != id {
			all = append(all, owned{r.ID, r.Account, r.Name})
		}
	}
	return all
}

// allows reports whether a zone id may have the name and the account.
func (m *model) allows(kind Kind, id, name, account string) bool {
	for _, o := range m.owners(kind, id) {
		same := strings.EqualFold(strings.TrimSuffix(o.name, "."), strings.TrimSuffix(name, "."))
		if same != (o.id == id) || o.id == id && o.account != account {
			return false
		}
	}
	return true
}

// accountOf is that of all peers.
func (m *model) accountOf(peers []string) (account string, ok bool) {
	for i, id := range peers {
		p, ok := m.peers[id]
		if !ok || slices.Contains(peers[:i], id) || p.Account != m.peers[peers[0]].Account {
			return "", false
		}
		account = p.Account
	}
	return account, len(peers) > 0
}

func (m *model) putZone(z Zone) bool {
	account, ok := m.accountOf(z.Peers)
	if !ok || z.AutoRefresh < 300 || !m.allows(KindZone, z.ID, z.Name, account) {
		return false
	}
	z.Account = account
	m.zones[z.ID] = z
	return true
}

func (m *model) putOutgoing(o Outgoing) bool {
	account, ok := m.accountOf(o.Peers)
	if !ok || !m.allows(KindOutgoing, o.ID, o.Name, account) {
		return false
	}
	o.Account = account
	m.outs[o.ID] = o
	return true
}

func (m *model) putRegistration(r Registration) bool {
	if !m.allows(KindRegistration, r.ID, r.Name, r.Account) {
		return false
	}
	m.regs[r.ID] = r
	return true
}

func (m *model) deleteListed(id string) bool {
	found := []bool{remove(m.zones, id), remove(m.outs, id), remove(m.regs, id)}
	return slices.Contains(found, true)
}

func (m *model) putPeer(p Peer) bool {
	if old, ok := m.peers[p.ID]; ok && old.Account != p.Account {
		return false
	}
	if p.TSIG != nil {
		if k, ok := m.keys[*p.TSIG]; !ok || k.Account != p.Account {
			return false
		}
	}
	m.peers[p.ID] = p
	return true
}

func (m *model) putKey(k TSIG) bool {
	if old, ok := m.keys[k.ID]; ok && old.Account != k.Account {
		return false
	}
	m.keys[k.ID] = k
	return true
}

func (m *model) putACL(a ACL) bool {
	if old, ok := m.acls[a.ID]; ok && old.Account != a.Account {
		return false
	}
	m.acls[a.ID] = a
	return true
}

func (m *model) deletePeer(id string) bool {
	for _, z := range m.zones {
		if slices.Contains(z.Peers, id) {
			return false
		}
	}
	for _, o := range m.outs {
		if slices.Contains(o.Peers, id) {
			return false
		}
	}
	return remove(m.peers, id)
}

func (m *model) deleteKey(id string) bool {
	for _, p := range m.peers {
		if p.TSIG != nil && *p.TSIG == id {
			return false
		}
	}
	return remove(m.keys, id)
}

func remove[T any](from map[string]T, id string) bool {
	_, ok := from[id]
	delete(from, id)
	return ok
}

func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "registry")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		r, err := Open(Options{Dir: dir, auditLeast: 4096})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		m := &model{map[string]Zone{}, map[string]Peer{}, map[string]TSIG{}, map[string]ACL{}, map[string]Outgoing{}, map[string]Registration{}}
		ids := rapid.SampledFrom([]string{"1", "2", "3"})
		accounts := rapid.SampledFrom([]string{account, other})
		names := rapid.SampledFrom([]string{"a.example", "A.example.", "b.example", "c.example."})
		ranges := rapid.SampledFrom([]string{"192.0.2.0/24", "192.0.2.77/28", "192.0.2.1/32", "2001:db8::/64", "2001:db8::1/128"})
		step := func(t *rapid.T, want bool, fn func(tx *Tx) error) {
			if err := r.Update(t.Context(), fn); (err == nil) != want {
				t.Fatalf("model says %t, registry says %v", want, err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"put zone": func(t *rapid.T) {
				z := Zone{
					ID: ids.Draw(t, "id"), Name: names.Draw(t, "name"),
					AutoRefresh: rapid.SampledFrom([]uint32{299, 300, 301, 86400}).Draw(t, "refresh"),
					Peers:       rapid.SliceOfN(ids, 0, 3).Draw(t, "peers"),
				}
				step(t, m.putZone(z), func(tx *Tx) error { return tx.PutZone(z) })
			},
			"put outgoing": func(t *rapid.T) {
				o := Outgoing{
					ID: ids.Draw(t, "id"), Name: names.Draw(t, "name"), Enabled: rapid.Bool().Draw(t, "enabled"),
					Peers: rapid.SliceOfN(ids, 0, 2).Draw(t, "peers"),
				}
				step(t, m.putOutgoing(o), func(tx *Tx) error { return tx.PutOutgoing(o) })
			},
			"delete outgoing": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, remove(m.outs, id), func(tx *Tx) error { return tx.DeleteOutgoing(id) })
			},
			"put registration": func(t *rapid.T) {
				reg := Registration{
					ID: ids.Draw(t, "id"), Account: accounts.Draw(t, "account"), Name: names.Draw(t, "name"),
					Paused: rapid.Bool().Draw(t, "paused"), Vanity: rapid.SliceOfN(names, 0, 2).Draw(t, "vanity"),
				}
				step(t, m.putRegistration(reg), func(tx *Tx) error { return tx.PutRegistration(reg) })
			},
			"delete listed zone": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, m.deleteListed(id), func(tx *Tx) error { return tx.DeleteListedZone(id) })
			},
			"put peer": func(t *rapid.T) {
				p := Peer{ID: ids.Draw(t, "id"), Account: accounts.Draw(t, "account"), Name: "p"}
				p.TSIG = rapid.Ptr(ids, true).Draw(t, "key")
				step(t, m.putPeer(p), func(tx *Tx) error { return tx.PutPeer(p) })
			},
			"put key": func(t *rapid.T) {
				k := key1()
				k.ID, k.Account = ids.Draw(t, "id"), accounts.Draw(t, "account")
				step(t, m.putKey(k), func(tx *Tx) error { return tx.PutTSIG(k) })
			},
			"put acl": func(t *rapid.T) {
				a := ACL{ID: ids.Draw(t, "id"), Account: accounts.Draw(t, "account"), Name: "a", IPRange: ranges.Draw(t, "range")}
				step(t, m.putACL(a), func(tx *Tx) error { return tx.PutACL(a) })
			},
			"delete acl": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, remove(m.acls, id), func(tx *Tx) error { return tx.DeleteACL(id) })
			},
			"delete zone": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, remove(m.zones, id), func(tx *Tx) error { return tx.DeleteZone(id) })
			},
			"delete peer": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, m.deletePeer(id), func(tx *Tx) error { return tx.DeletePeer(id) })
			},
			"delete key": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				step(t, m.deleteKey(id), func(tx *Tx) error { return tx.DeleteTSIG(id) })
			},
			"abandon": func(t *rapid.T) {
				id, stop := ids.Draw(t, "id"), errors.New("stop")
				err := r.Update(t.Context(), func(tx *Tx) error {
					_, _ = tx.DeleteZone(id), tx.DeletePeer(id)
					return stop
				})
				if !errors.Is(err, stop) {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				revision := r.Revision()
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				loseOne(t, dir)
				if r, err = Open(Options{Dir: dir, auditLeast: 4096}); err != nil {
					t.Fatal(err)
				}
				if r.Revision() != revision {
					t.Fatalf("revision %d became %d", revision, r.Revision())
				}
			},
			"": func(t *rapid.T) { m.compare(t, r) },
		})
	})
}

// loseOne takes away or damages one of the copies, or none.
func loseOne(t *rapid.T, dir string) {
	numbers, err := auditlog.Files(filepath.Join(dir, auditName))
	if err != nil {
		t.Fatal(err)
	}
	main, log := filepath.Join(dir, mainName), auditlog.Path(filepath.Join(dir, auditName), numbers[len(numbers)-1])
	switch rapid.SampledFrom([]string{"", "", "main", "log", "main damaged", "log damaged", "all logs"}).Draw(t, "lost") {
	case "main":
		err = os.Remove(main)
	case "log":
		err = os.Remove(log)
	case "main damaged":
		err = os.Truncate(main, 4096*rapid.Int64Range(0, 3).Draw(t, "pages"))
	case "log damaged":
		err = os.Truncate(log, rapid.Int64Range(0, 300).Draw(t, "octets"))
	case "all logs":
		err = os.RemoveAll(filepath.Join(dir, auditName))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// compareSources checks every address against a walk over all ACLs.
func (m *model) compareSources(t *rapid.T, r *Registry) {
	for _, z := range m.zones {
		for _, text := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.65", "192.0.3.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"} {
			addr, want := netip.MustParseAddr(text), SourceStranger
			for _, a := range m.acls {
				if prefix, ok := a.Prefix(); ok && a.Account == z.Account && prefix.Contains(addr) {
					want = SourceACL
				}
			}
			if got := r.Source(z.ID, addr); got != want {
				t.Fatalf("source %s: got %d, want %d with %v", text, got, want, m.acls)
			}
		}
	}
}

func (m *model) compareOutgoing(t *rapid.T, r *Registry) {
	for _, id := range []string{"1", "2", "3"} {
		got, ok := r.Outgoing(id)
		want, there := m.outs[id]
		got.Created, got.Modified, got.Revision = want.Created, want.Modified, 0
		if diff := cmp.Diff(want, got); diff != "" || ok != there {
			t.Fatalf("outgoing %s: %t, want %t\n%s", id, ok, there, diff)
		}
	}
	names := make(map[string]string)
	for _, o := range m.owners(0, "") {
		names[apexOf(o.name)] = o.id
	}
	if diff := cmp.Diff(names, r.state.names); diff != "" {
		t.Fatal(diff)
	}
}

func (m *model) compareListed(t *rapid.T, r *Registry) {
	accounts := make(map[string]string)
	for _, o := range m.owners(0, "") {
		accounts[o.id] = o.account
	}
	for _, id := range []string{"1", "2", "3"} {
		got, ok := r.ListedZone(id)
		reg, in, out := m.regs[id], m.zones[id], m.outs[id]
		want := ListedZone{
			ID: id, Account: accounts[id], Name: gocmp.Or(reg.Name, in.Name, out.Name), Paused: reg.Paused, Vanity: reg.Vanity,
			Incoming: in.ID != "", Outgoing: out.ID != "", Created: got.Created, Modified: got.Modified,
			Revisions: got.Revisions,
		}
		if there := [...]bool{got.Revisions[0] > 0, got.Revisions[1] > 0, got.Revisions[2] > 0}; there != [...]bool{reg.ID != "", want.Incoming, want.Outgoing} {
			t.Fatalf("zone %s: revisions %v", id, got.Revisions)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || ok != (accounts[id] != "") {
			t.Fatalf("zone %s: %t\n%s", id, ok, diff)
		}
	}
	list := slices.Collect(r.ZoneNames())
	for _, z := range list {
		if accounts[z.ID] != z.Account || r.state.names[z.Apex] != z.ID {
			t.Fatalf("listed %+v", z)
		}
	}
	if len(list) != len(accounts) || !slices.IsSortedFunc(list, func(a, b ZoneName) int { return strings.Compare(a.Apex, b.Apex) }) {
		t.Fatalf("listed %v, want %v", list, accounts)
	}
}

// compare checks everything that can be read against the model.
func (m *model) compare(t *rapid.T, r *Registry) {
	m.compareSources(t, r)
	zones := zonesOf(r)
	if len(zones) != len(m.zones) {
		t.Fatalf("%d zones, want %d", len(zones), len(m.zones))
	}
	for _, z := range zones {
		z.Created, z.Modified, z.Revision = m.zones[z.ID].Created, m.zones[z.ID].Modified, 0
		if diff := cmp.Diff(m.zones[z.ID], z); diff != "" {
			t.Fatal(diff)
		}
		if named, ok := r.ZoneByName(z.Apex()); !ok || named.ID != z.ID {
			t.Fatalf("%s by name: %+v", z.Apex(), named)
		}
	}
	m.compareOutgoing(t, r)
	m.compareListed(t, r)
	if got := len(r.Peers(account)) + len(r.Peers(other)); got != len(m.peers) {
		t.Fatalf("%d peers, want %d", got, len(m.peers))
	}
	for id, want := range m.peers {
		got, _ := r.Peer(id)
		got.Revision = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		var users []string
		for _, z := range m.zones {
			if slices.Contains(z.Peers, id) {
				users = append(users, z.ID)
			}
		}
		slices.Sort(users)
		if got := r.ZonesOfPeer(id); !slices.Equal(got, users) {
			t.Fatalf("peer %s is used by %v, want %v", id, got, users)
		}
	}
	if got := fmt.Sprint(len(r.TSIGs(account)) + len(r.TSIGs(other))); got != fmt.Sprint(len(m.keys)) {
		t.Fatalf("%s keys, want %d", got, len(m.keys))
	}
}
