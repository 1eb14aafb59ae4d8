package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan []Change)
	ended := make(chan error, 1)
	go func() {
		for changes, err := range r.Watch(ctx, 0) {
			if err != nil {
				ended <- err
				return
			}
			got <- changes
		}
	}()
	first := <-got
	if len(first) != 6 || first[0] != (Change{1, KindTSIG, "k1", false}) {
		t.Errorf("%+v", first)
	}
	update(t, r, func(tx *Tx) error {
		return errors.Join(tx.DeleteZone("z1"), tx.PutPeer(peer("p1")), tx.PutPeer(peer("p1")))
	})
	want := []Change{{2, KindZone, "z1", true}, {2, KindPeer, "p1", false}}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Error(diff)
	}
	update(t, r, func(*Tx) error { return nil }) // does nothing and is not told
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWatchTellsWhoFellBehind(t *testing.T) {
	t.Parallel()
	r := openWith(t, Options{Dir: t.TempDir(), Recent: 8})
	for i := range 30 {
		update(t, r, func(tx *Tx) error { return tx.PutPeer(peer(fmt.Sprint("p", i))) })
	}
	if n := len(r.feed.changes); n > 10 {
		t.Errorf("%d changes are held", n)
	}
	for from, want := range map[uint64]error{0: ErrTooOld, r.feed.floor - 1: ErrTooOld, r.feed.floor: nil, 29: nil, 31: ErrTooOld} {
		for changes, err := range r.Watch(t.Context(), from) {
			if !errors.Is(err, want) || want == nil && uint64(len(changes)) != 30-from {
				t.Errorf("from %d: %d changes, %v", from, len(changes), err)
			}
			break
		}
	}
}

func TestWatchNeverSplitsATransaction(t *testing.T) {
	t.Parallel()
	r := openWith(t, Options{Dir: t.TempDir(), Recent: 4})
	for round := range 5 {
		update(t, r, func(tx *Tx) error {
			for i := range 3 {
				if err := tx.PutPeer(peer(fmt.Sprintf("p%d-%d", round, i))); err != nil {
					return err
				}
			}
			return nil
		})
		perRevision := make(map[uint64]int)
		for _, c := range r.feed.changes {
			perRevision[c.Revision]++
		}
		for revision, n := range perRevision {
			if n != 3 {
				t.Errorf("%d changes of revision %d", n, revision)
			}
		}
	}
}

func TestWatchEndsWithTheRegistry(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	ended := make(chan error)
	go func() {
		for _, err := range r.Watch(t.Context(), 0) {
			ended <- err
		}
	}()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// A listing after Revision, followed by Watch from it, ends up with everything,
// however writers run beside it.
func TestFollowerMissesNothing(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range 40 {
			_ = r.Update(context.Background(), func(tx *Tx) error {
				return tx.PutZone(zone(fmt.Sprint("n", i), fmt.Sprintf("n%d.example", i), "p1"))
			})
		}
	}()
	revision := r.Revision()
	known := make(map[string]bool)
	for _, z := range zonesOf(r) {
		known[z.ID] = true
	}
	for changes, err := range r.Watch(t.Context(), revision) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Kind == KindZone {
				known[c.ID] = true
			}
		}
		if len(known) == 41 {
			break
		}
	}
	<-written
}
