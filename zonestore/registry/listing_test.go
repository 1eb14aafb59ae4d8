package registry

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A zone is listed as long as there is anything of it, with the times of all.
func TestListedZone(t *testing.T) {
	t.Parallel()
	dir, start := t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	r := openWith(t, Options{Dir: dir, Now: func() time.Time { now = now.Add(time.Hour); return now }})
	seed(t, r)                                                                                       // at 1 h
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "EXAMPLE.org.", "p2")) }) // 2 h
	update(t, r, func(tx *Tx) error {                                                                // 3 h
		reg := registration("z1", "example.ORG")
		reg.Paused, reg.Vanity = true, []string{"ns.example."}
		return tx.PutRegistration(reg)
	})
	want := ListedZone{
		ID: "z1", Account: account, Name: "example.ORG", Paused: true, Vanity: []string{"ns.example."}, Incoming: true, Outgoing: true,
		Created: start.Add(time.Hour), Modified: start.Add(3 * time.Hour),
		Revisions: [3]uint64{3, 1, 2},
	}
	check := func(r *Registry) {
		t.Helper()
		got, ok := r.ListedZone("z1")
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("listed %t\n%s", ok, diff)
		}
		if diff := cmp.Diff([]ZoneName{{"example.org.", "z1", account}}, slices.Collect(r.ZoneNames())); diff != "" {
			t.Error(diff)
		}
	}
	check(r)
	check(open(t, snapshot(t, dir)))
	if named, ok := r.ZoneName("example.org."); named != (ZoneName{"example.org.", "z1", account}) || !ok {
		t.Errorf("by its name: %+v %t", named, ok)
	}
	if named, ok := r.ZoneName("example."); ok {
		t.Errorf("nobody's name: %+v", named)
	}
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	update(t, r, func(tx *Tx) error { return tx.DeleteOutgoing("z1") })
	want.Incoming, want.Outgoing, want.Created = false, false, start.Add(3*time.Hour)
	want.Revisions = [3]uint64{3, 0, 0}
	check(r)
}

// All of a zone goes in one transaction, and the followers hear of all.
func TestDeleteListedZone(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.org", "p2")) })
	update(t, r, func(tx *Tx) error { return tx.PutRegistration(registration("z1", "example.org")) })
	before := r.Revision()
	update(t, r, func(tx *Tx) error { return tx.DeleteListedZone("z1") })
	for changes, err := range r.Watch(t.Context(), before) {
		want := []Change{{before + 1, KindRegistration, "z1", true}, {before + 1, KindZone, "z1", true}, {before + 1, KindOutgoing, "z1", true}}
		if diff := cmp.Diff(want, changes); diff != "" || err != nil {
			t.Error(err, diff)
		}
		break
	}
	if _, ok := r.ListedZone("z1"); ok || len(slices.Collect(r.ZoneNames())) != 0 || len(r.state.names) != 0 {
		t.Error("something of the zone is left")
	}
	update(t, r, func(tx *Tx) error { return tx.DeletePeer("p2") })
}
