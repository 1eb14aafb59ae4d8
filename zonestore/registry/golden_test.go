package registry

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var updateGolden = flag.Bool("update", false, "write testdata/log-1 anew: only if nothing has been released with it")

// TestLogOfVersion1 rebuilds a configuration from a log and a key that are kept in
// testdata: what has been released once is read for ever.
func TestLogOfVersion1(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("testdata", "log-1")
	now := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	fill := func(dir string) *Registry {
		r := openWith(t, Options{Dir: dir, Now: func() time.Time { return now }})
		for _, put := range []func(tx *Tx) error{
			func(tx *Tx) error { return tx.PutTSIG(key1()) },
			func(tx *Tx) error {
				p := peer("p1")
				p.TSIG = new("k1")
				return tx.PutPeer(p)
			},
			func(tx *Tx) error { return tx.PutZone(zone("z1", "example.org", "p1")) },
			func(tx *Tx) error { return tx.PutToken(token("t1")) },
		} {
			if err := r.Update(WithActor(t.Context(), Actor{Token: "t", Client: "192.0.2.1"}), put); err != nil {
				t.Fatal(err)
			}
		}
		r.backend.(*twin).begin()
		update(t, r, func(tx *Tx) error { return tx.PutZone(zone("z1", "example.net", "p1")) })
		update(t, r, func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.net", "p1")) })
		update(t, r, func(tx *Tx) error { return tx.DeleteToken("t1") })
		return r
	}
	want := fill(t.TempDir())
	if *updateGolden {
		from := snapshot(t, want.options.Dir)
		if err := os.Remove(filepath.Join(from, mainName)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(golden, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	sameObjects(t, want, open(t, snapshot(t, golden)))
	if got, want := told(t, golden), "begun 0; 1; 2; 3; 4; begun 4; 5; 6; 7"; got != want {
		t.Errorf("the log tells %s, want %s", got, want)
	}
}
