package clients

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/dns"
	"github.com/cloudflare/cloudflare-go/v7/zones"

	"secondaryd/test/harness"
)

// go7Zone is what a zone is created with; its name has no last dot.
func go7Zone(name string) zones.ZoneNewParams {
	return zones.ZoneNewParams{
		Account: cloudflare.F(zones.ZoneNewParamsAccount{ID: account}),
		Name:    cloudflare.F(strings.TrimSuffix(name, ".")),
		Type:    cloudflare.F(zones.TypeSecondary),
	}
}

// TestGo7Zones creates a zone by its name, configures it under the id that it is
// given, and deletes it as a whole.
func TestGo7Zones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go7()
	made := must(sdk.Zones.New(t.Context(), go7Zone(zoneName)))(t)
	if made.Name+"." != zoneName || made.Type != zones.TypeSecondary || made.Account.ID != harness.AccountID || made.CreatedOn.IsZero() {
		t.Errorf("made %+v", made)
	}
	if made.Status == zones.ZoneStatusActive || !made.ActivatedOn.IsZero() {
		t.Errorf("a zone without a source is %s since %v", made.Status, made.ActivatedOn)
	}
	zone := cloudflare.F(made.ID)
	peer := w.Peer(t, "primary", w.primary.Addr(), &key)
	must(sdk.DNS.ZoneTransfers.Incoming.New(t.Context(), dns.ZoneTransferIncomingNewParams{
		ZoneID: zone, Name: cloudflare.F(zoneName), Peers: cloudflare.F([]string{peer.ID}), AutoRefreshSeconds: cloudflare.F(3600.0),
	}))(t)
	w.served(t, 1)
	if got := must(sdk.Zones.Get(t.Context(), zones.ZoneGetParams{ZoneID: zone}))(t); got.Status != zones.ZoneStatusActive {
		t.Errorf("the served zone is %s", got.Status)
	}
	paused := must(sdk.Zones.Edit(t.Context(), zones.ZoneEditParams{ZoneID: zone, Paused: cloudflare.F(true)}))(t)
	if !paused.Paused || paused.ID != made.ID {
		t.Errorf("after the edit there is %+v", paused)
	}
	text := must(sdk.DNS.Records.Export(t.Context(), dns.RecordExportParams{ZoneID: zone}))(t)
	if !strings.Contains(*text, "192.0.2.80") {
		t.Errorf("the exported zone is %q", *text)
	}

	_, err := sdk.Zones.New(t.Context(), go7Zone(zoneName))
	go7Refused(t, "zone made again", err, 400, 1061, "/name")
	_, err = sdk.Zones.New(t.Context(), go7Zone("no name"))
	go7Refused(t, "bad name", err, 400, 1002, "/name")
	_, err = sdk.Zones.Get(t.Context(), zones.ZoneGetParams{ZoneID: cloudflare.F(absent)})
	go7Refused(t, "no such zone", err, 404, 1001, "")

	if gone := must(sdk.Zones.Delete(t.Context(), zones.ZoneDeleteParams{ZoneID: zone}))(t); gone.ID != made.ID {
		t.Errorf("the deleted zone is %q, want %q", gone.ID, made.ID)
	}
	w.gone(t)
	_, err = sdk.DNS.ZoneTransfers.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: zone})
	go7Refused(t, "configuration of the deleted zone", err, 404, 2201, "")
}

// TestGo7ZonePages has the SDK's iterator walk over pages until one is empty.
func TestGo7ZonePages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go7().Zones
	const count = 12
	want := map[string]string{}
	for i := range count {
		made := must(sdk.New(t.Context(), go7Zone(fmt.Sprintf("zone%d.test", i))))(t)
		want[made.ID] = made.Name
	}
	listed := 0
	pages := sdk.ListAutoPaging(t.Context(), zones.ZoneListParams{PerPage: cloudflare.F(5.0)})
	for ; pages.Next(); listed++ {
		if zone := pages.Current(); want[zone.ID] != zone.Name {
			t.Errorf("the list has %s, named %s: unknown or repeated", zone.ID, zone.Name)
		}
		delete(want, pages.Current().ID)
	}
	if pages.Err() != nil || listed != count {
		t.Errorf("the iterator gave %d zones and %v, want %d", listed, pages.Err(), count)
	}
	for _, tt := range []struct {
		name   string
		params zones.ZoneListParams
		want   int
	}{
		{"name", zones.ZoneListParams{Name: cloudflare.F("zone7.test")}, 1},
		{"start of a name", zones.ZoneListParams{Name: cloudflare.F("starts_with:zone1")}, 3},
		{"other account", zones.ZoneListParams{Account: cloudflare.F(zones.ZoneListParamsAccount{ID: cloudflare.F(absent)})}, 0},
		{"other type", zones.ZoneListParams{Type: cloudflare.F([]zones.ZoneListParamsType{zones.ZoneListParamsTypeFull})}, 0},
		{"types", zones.ZoneListParams{Type: cloudflare.F([]zones.ZoneListParamsType{zones.ZoneListParamsTypeFull, zones.ZoneListParamsTypeSecondary})}, count},
		{"other status", zones.ZoneListParams{Status: cloudflare.F(zones.ZoneListParamsStatusMoved)}, 0},
	} {
		if page := must(sdk.List(t.Context(), tt.params))(t); len(page.Result) != tt.want {
			t.Errorf("by %s: %d zones, want %d", tt.name, len(page.Result), tt.want)
		}
	}
}
