package clients

import (
	"fmt"
	"testing"

	v0 "github.com/cloudflare/cloudflare-go"

	"secondaryd/test/harness"
)

// TestGo0Zones lists zones over more than one page of 50, which the SDK checks
// to the last number, and finds, reads and deletes one. It can't create secondary
// zones.
func TestGo0Zones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go0(t, w.Client.Token)
	const count = 51
	peer := w.Client.CreatePeer(t, harness.Peer{Name: "primary"})
	for i := range count {
		w.Zone(t, fmt.Sprintf("zone%d.test.", i), peer)
	}
	if listed := must(sdk.ListZonesContext(t.Context()))(t); len(listed.Result) != count || listed.Total != count {
		t.Errorf("the list has %d zones and says %d, want %d", len(listed.Result), listed.Total, count)
	}
	id := must(sdk.ZoneIDByName("zone50.test"))(t)
	if id != harness.ZoneID("zone50.test") {
		t.Errorf("the id by name is %s", id)
	}
	if zone := must(sdk.ZoneDetails(t.Context(), id))(t); zone.Name != "zone50.test" || zone.Type != "secondary" || zone.CreatedOn.IsZero() {
		t.Errorf("the zone is %+v", zone)
	}
	if gone := must(sdk.DeleteZone(t.Context(), id))(t); gone.ID != id {
		t.Errorf("the deleted zone is %q, want %q", gone.ID, id)
	}
	_, err := sdk.ZoneDetails(t.Context(), id)
	go0Refused[*v0.NotFoundError](t, "deleted zone", err, 1001)
}
