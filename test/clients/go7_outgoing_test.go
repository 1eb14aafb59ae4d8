package clients

import (
	"slices"
	"testing"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/dns"

	"secondaryd/test/harness"
)

// TestGo7Outgoing stores whom a zone is handed out to, before the zone is
// configured itself.
func TestGo7Outgoing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go7().DNS.ZoneTransfers
	zone := cloudflare.F(harness.ZoneID(zoneName))
	peers := []string{w.Client.CreatePeer(t, harness.Peer{Name: "one"}).ID, w.Client.CreatePeer(t, harness.Peer{Name: "two"}).ID}
	params := dns.ZoneTransferOutgoingNewParams{ZoneID: zone, Name: cloudflare.F(zoneName), Peers: cloudflare.F(peers)}
	made := must(sdk.Outgoing.New(t.Context(), params))(t)
	if made.ID != zone.Value || made.Name != zoneName || !slices.Equal(made.Peers, peers) || made.SOASerial != 0 {
		t.Errorf("made %+v", made)
	}
	if made.CheckedTime != made.CreatedTime || made.LastTransferredTime != made.CreatedTime {
		t.Errorf("before anything happened the times are %+v", made)
	}
	go7Switch(t, sdk.Outgoing, zone.Value)

	params.Peers = cloudflare.F(peers[:1])
	must(sdk.Outgoing.Update(t.Context(), dns.ZoneTransferOutgoingUpdateParams(params)))(t)
	got := must(sdk.Outgoing.Get(t.Context(), dns.ZoneTransferOutgoingGetParams{ZoneID: zone}))(t)
	if !slices.Equal(got.Peers, peers[:1]) || got.CreatedTime != made.CreatedTime {
		t.Errorf("after the update there is %+v", got)
	}

	_, err := sdk.Outgoing.New(t.Context(), params)
	go7Refused(t, "outgoing made again", err, 400, 2306, "")
	params.Peers = cloudflare.F([]string{absent})
	_, err = sdk.Outgoing.Update(t.Context(), dns.ZoneTransferOutgoingUpdateParams(params))
	go7Refused(t, "unknown peer", err, 400, 2106, "/peers/0")
	_, err = sdk.Peers.Delete(t.Context(), peers[0], dns.ZoneTransferPeerDeleteParams{AccountID: account})
	go7Refused(t, "peer in use", err, 400, 2302, "")

	if gone := must(sdk.Outgoing.Delete(t.Context(), dns.ZoneTransferOutgoingDeleteParams{ZoneID: zone}))(t); gone.ID != zone.Value {
		t.Errorf("the deleted configuration is %q, want %q", gone.ID, zone.Value)
	}
	_, err = sdk.Outgoing.Get(t.Context(), dns.ZoneTransferOutgoingGetParams{ZoneID: zone})
	go7Refused(t, "deleted outgoing", err, 404, 2205, "")
	_, err = sdk.Outgoing.Status.Get(t.Context(), dns.ZoneTransferOutgoingStatusGetParams{ZoneID: zone})
	go7Refused(t, "status of the deleted", err, 404, 2205, "")
	_, err = sdk.Outgoing.Enable(t.Context(), dns.ZoneTransferOutgoingEnableParams{ZoneID: zone})
	go7Refused(t, "enabling the deleted", err, 404, 2205, "")
	for _, peer := range peers {
		must(sdk.Peers.Delete(t.Context(), peer, dns.ZoneTransferPeerDeleteParams{AccountID: account}))(t)
	}
}

// go7Switch enables and disables, and asks which it is.
func go7Switch(t *testing.T, sdk *dns.ZoneTransferOutgoingService, id string) {
	t.Helper()
	zone := cloudflare.F(id)
	status := func(want string) {
		t.Helper()
		if got := must(sdk.Status.Get(t.Context(), dns.ZoneTransferOutgoingStatusGetParams{ZoneID: zone}))(t); *got != want {
			t.Errorf("the status is %q, want %q", *got, want)
		}
	}
	status("Disabled")
	if got := must(sdk.Enable(t.Context(), dns.ZoneTransferOutgoingEnableParams{ZoneID: zone}))(t); *got != "Enabled" {
		t.Errorf("enabling is answered with %q", *got)
	}
	status("Enabled")
	if got := must(sdk.ForceNotify(t.Context(), dns.ZoneTransferOutgoingForceNotifyParams{ZoneID: zone, Body: map[string]any{}}))(t); *got != "OK" {
		t.Errorf("force_notify is answered with %q", *got)
	}
	if got := must(sdk.Disable(t.Context(), dns.ZoneTransferOutgoingDisableParams{ZoneID: zone}))(t); *got != "Disabled" {
		t.Errorf("disabling is answered with %q", *got)
	}
	status("Disabled")
}
