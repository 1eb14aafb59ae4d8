package registry

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

func TestOutgoingIsKept(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := openWith(t, Options{Dir: dir, Now: func() time.Time { return now }})
	seed(t, r)
	created := now
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.ORG.", "p2", "p1")) })
	now = now.Add(time.Hour)
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.org", "p2")) })
	want := Outgoing{
		ID: "z1", Account: account, Name: "example.org", Peers: []string{"p2"}, Enabled: true,
		Created: created, Modified: now, Revision: 3,
	}
	for name, got := range map[string]*Registry{"before": r, "after": open(t, snapshot(t, dir))} {
		o, ok := got.Outgoing("z1")
		if diff := cmp.Diff(want, o); diff != "" || !ok {
			t.Errorf("%s a restart: %t\n%s", name, ok, diff)
		}
		if got.ZonesOfPeer("p2") != nil {
			t.Errorf("%s a restart: a zone that is only handed out counts as fetched", name)
		}
	}
}

// The two configurations of a zone come and go one by one, and the name is the
// zone's as long as there is either.
func TestNameOfBothConfigurations(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	taken := func() bool {
		err := r.Update(t.Context(), func(tx *Tx) error { return tx.PutOutgoing(outgoing("other", "Example.org", "p2")) })
		problems := Problems(err)
		return len(problems) == 1 && problems[0].Reason == ReasonTaken
	}
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.org", "p2")) })
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	if _, ok := r.ZoneByName("example.org."); ok || !taken() {
		t.Errorf("without the incoming configuration: found %t", ok)
	}
	update(t, r, func(tx *Tx) error { return tx.PutZone(zone("z1", "example.org", "p1")) })
	update(t, r, func(tx *Tx) error { return tx.DeleteOutgoing("z1") })
	if _, ok := r.ZoneByName("example.org."); !ok || !taken() {
		t.Errorf("without the outgoing configuration: found %t", ok)
	}
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	if taken() {
		t.Error("the name is still taken without either")
	}
}

// forgetKinds takes the buckets of later kinds from a file.
func forgetKinds(t *testing.T, path string) {
	t.Helper()
	file, err := openBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	err = file.db.Update(func(tx *bbolt.Tx) (err error) {
		for _, kind := range kinds {
			if kind > KindACL {
				err = errors.Join(err, tx.DeleteBucket(bucketName(kind)))
			}
		}
		return err
	})
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// A file that has lost a bucket with objects in it is damaged, and the other
// copy is taken.
func TestLostBucket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.org", "p2")) })
	broken := snapshot(t, dir)
	forgetKinds(t, filepath.Join(broken, mainName))
	if c := inspect(filepath.Join(broken, mainName)); !errors.Is(c.err, ErrDamaged) {
		t.Errorf("got %v", c.err)
	}
	got := open(t, broken)
	if _, ok := got.Outgoing("z1"); !ok || got.Revision() != 2 {
		t.Error("the whole copy was not taken")
	}
}
