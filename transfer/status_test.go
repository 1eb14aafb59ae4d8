package transfer

import (
	"fmt"
	"testing"
	"time"

	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// TestStatuses: the engine can be used while the status of each zone is told, and zones
// that are removed meanwhile are left out.
func TestStatuses(t *testing.T) {
	inWorld(t, func(w *world) {
		peer := w.addPeer(1, fakeHost{serial: 1})
		const zones = 2 * statusesAtOnce
		ids := map[string]bool{}
		for i := range zones {
			ids[w.addZone(fmt.Sprintf("z%03d.test.", i), peer)] = true
		}
		pass(time.Minute)
		seen := map[string]bool{}
		for s := range w.Statuses() {
			if own, ok := w.Status(s.ID); !ok || own.State != zonestore.StateServing || own.Zone != s.Zone || seen[s.ID] {
				w.t.Fatalf("%s: %+v, twice: %v", s.ID, s, seen[s.ID])
			}
			seen[s.ID] = true
			if len(seen) != statusesAtOnce {
				continue
			}
			w.update(func(tx *registry.Tx) error { // all that have not had their turn
				for id := range ids {
					if !seen[id] {
						if err := tx.DeleteZone(id); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		if len(seen) != statusesAtOnce {
			w.t.Errorf("%d zones, want %d", len(seen), statusesAtOnce)
		}
		for range w.Statuses() {
			break
		}
	})
}
