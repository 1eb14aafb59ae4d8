package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each transaction is logged with who made it, also when several share a commit.
func TestActorIsLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	actor := func(i int) Actor {
		return Actor{Token: fmt.Sprint("token", i), TokenName: "alice", Client: "192.0.2.7", Request: "r", Method: "PUT", Route: "/zones/:zone_id"}
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := r.Update(WithActor(t.Context(), actor(i)), func(tx *Tx) error { return tx.PutPeer(peer(fmt.Sprint("p", i))) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	update(t, r, func(tx *Tx) error { return tx.DeletePeer("p0") })
	seen := 0
	for item, err := range History(dir) {
		if err != nil {
			t.Fatal(err)
		}
		tx := item.Transaction
		switch {
		case tx == nil:
			continue
		case tx.Revision == 21:
			if tx.Actor != (Actor{}) || tx.Changes[0].Value != nil || tx.Changes[0].Before == nil {
				t.Errorf("the daemon's own: %+v", tx)
			}
		default:
			var i int
			if _, err := fmt.Sscanf(tx.Changes[0].ID, "p%d", &i); err != nil || tx.Actor != actor(i) || len(tx.Changes) != 1 {
				t.Errorf("%+v", tx)
			}
		}
		if seen++; time.Since(tx.Time) > time.Hour || tx.Revision != uint64(seen) {
			t.Errorf("revision %d, %v", tx.Revision, tx.Time)
		}
	}
	if seen != 21 {
		t.Errorf("%d transactions are told", seen)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	secrets := withSecrets(t, r)
	update(t, r, func(tx *Tx) error {
		k, _ := tx.TSIG("k1")
		p, _ := tx.Peer("p1")
		p.Port, p.IP = new(uint16(54)), nil
		return errors.Join(tx.PutTSIG(k), tx.PutPeer(p)) // the secrets as they were
	})
	update(t, r, func(tx *Tx) error {
		k, _ := tx.TSIG("k1")
		k.Secret = "YW5vdGhlcg=="
		return errors.Join(tx.PutTSIG(k), tx.PutToken(token("t1")))
	})
	update(t, r, func(tx *Tx) error {
		z, _ := tx.Zone("z1")
		z.Name = "Example.org"
		return errors.Join(tx.PutZone(z), tx.DeleteToken("t1"))
	})
	got := map[string][]Member{}
	names := map[string]string{}
	for item, err := range History(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Transaction == nil || item.Transaction.Revision == 1 {
			continue
		}
		for _, c := range item.Transaction.Changes {
			members, err := c.Members()
			if err != nil {
				t.Fatal(err)
			}
			at := fmt.Sprint(item.Transaction.Revision, " ", c.ID)
			got[at], names[at] = members, strings.Join(c.Names(), ",")
		}
	}
	shown := fmt.Sprint(got)
	for _, secret := range append(secrets, []byte("YW5vdGhlcg==")) {
		if strings.Contains(shown, string(secret)) {
			t.Error("a secret is shown")
		}
	}
	want := map[string][]Member{
		"2 k1": nil,
		"2 p1": {{"ip", "192.0.2.53", nil}, {"port", nil, float64(54)}},
		"3 k1": {{"secret", "***", "***"}},
	}
	for at, members := range want {
		if diff := cmp.Diff(members, got[at]); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
	if names["4 z1"] != "example.org,Example.org" || names["4 t1"] != "token t1" {
		t.Errorf("names: %v", names)
	}
	for _, m := range append(got["3 t1"], got["4 t1"]...) {
		if m.Name == "hash" && m.Before != hidden && m.After != hidden {
			t.Errorf("the hash is shown: %v", m)
		}
	}
}

// Every member that is sealed is hidden too.
func TestSealedMembersAreHidden(t *testing.T) {
	t.Parallel()
	k, p := key1(), peer("p1")
	p.TLS = &PeerTLS{ClientKey: "x"}
	seen := 0
	for _, o := range []object{&k, &p, new(Zone), new(ACL), new(Outgoing), new(Token), new(Registration)} {
		_, secrets := storedForm(o)
		for member := range secrets {
			seen++
			if !slices.ContainsFunc(secretMembers[o.key().kind], func(name string) bool { return name == member || strings.HasSuffix(name, "."+member) }) {
				t.Errorf("%s of a %s is shown", member, o.key().kind)
			}
		}
	}
	if seen != 2 {
		t.Errorf("looked at %d members", seen)
	}
}

func TestHistoryOfNothing(t *testing.T) {
	t.Parallel()
	if got := told(t, t.TempDir()); got != "" {
		t.Errorf("got %s", got)
	}
}
