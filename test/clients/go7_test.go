package clients

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/dns"
	"github.com/cloudflare/cloudflare-go/v7/option"

	"secondaryd/test/harness"
)

// account is the account of all objects, in the form of the SDK's parameters.
var account = cloudflare.F(harness.AccountID)

// go7 is the SDK's client, as its manual has it made.
func (w *world) go7(options ...option.RequestOption) *cloudflare.Client {
	options = append([]option.RequestOption{option.WithBaseURL(w.base()), option.WithAPIToken(w.Client.Token)}, options...)
	return cloudflare.NewClient(options...)
}

// TestGo7 is the whole life of a zone, from the key to the last deletion.
func TestGo7(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go7().DNS.ZoneTransfers
	tsig := go7TSIG(t, sdk)
	acl := go7ACL(t, sdk)
	peer := go7Peer(t, w, sdk, tsig.ID)
	go7Incoming(t, w, sdk, peer.ID)
	go7Transfer(t, w, sdk)
	go7Refusals(t, sdk, tsig.ID, peer.ID)
	go7Deletes(t, w, sdk, tsig.ID, acl.ID, peer.ID)
}

// go7TSIG stores a key under a wrong secret and corrects it.
func go7TSIG(t *testing.T, sdk *dns.ZoneTransferService) *dns.TSIG {
	t.Helper()
	params := dns.TSIGParam{Name: cloudflare.F(key.Name), Algo: cloudflare.F(key.Algorithm), Secret: cloudflare.F("d3Jvbmc=")}
	if page := must(sdk.TSIGs.List(t.Context(), dns.ZoneTransferTSIGListParams{AccountID: account}))(t); len(page.Result) != 0 {
		t.Errorf("a new account has the keys %+v", page.Result)
	}
	made := must(sdk.TSIGs.New(t.Context(), dns.ZoneTransferTSIGNewParams{AccountID: account, TSIG: params}))(t)
	params.Secret = cloudflare.F(key.Secret)
	updated := must(sdk.TSIGs.Update(t.Context(), made.ID, dns.ZoneTransferTSIGUpdateParams{AccountID: account, TSIG: params}))(t)
	got := must(sdk.TSIGs.Get(t.Context(), made.ID, dns.ZoneTransferTSIGGetParams{AccountID: account}))(t)
	for _, tsig := range []*dns.TSIG{updated, got} {
		if tsig.ID != made.ID || tsig.Name != key.Name || tsig.Algo != key.Algorithm || tsig.Secret != key.Secret {
			t.Errorf("the key is %+v, want %+v with the id %s", tsig, key, made.ID)
		}
	}
	listed := 0
	for pages := sdk.TSIGs.ListAutoPaging(t.Context(), dns.ZoneTransferTSIGListParams{AccountID: account}); pages.Next(); listed++ {
		if pages.Current().ID != made.ID {
			t.Errorf("the list has %+v", pages.Current())
		}
	}
	if listed != 1 {
		t.Errorf("the iterator gave %d keys, want 1", listed)
	}
	return got
}

// go7ACL checks that ranges come back as they were sent, host bits included.
func go7ACL(t *testing.T, sdk *dns.ZoneTransferService) *dns.ACL {
	t.Helper()
	made := must(sdk.ACLs.New(t.Context(), dns.ZoneTransferACLNewParams{
		AccountID: account, Name: cloudflare.F("notifiers"), IPRange: cloudflare.F("192.0.2.53/28"),
	}))(t)
	if made.Name != "notifiers" || made.IPRange != "192.0.2.53/28" {
		t.Errorf("made %+v", made)
	}
	must(sdk.ACLs.Update(t.Context(), made.ID, dns.ZoneTransferACLUpdateParams{
		AccountID: account,
		ACL:       dns.ACLParam{Name: cloudflare.F("more"), IPRange: cloudflare.F("2001:db8::1/64")},
	}))(t)
	got := must(sdk.ACLs.Get(t.Context(), made.ID, dns.ZoneTransferACLGetParams{AccountID: account}))(t)
	if got.ID != made.ID || got.Name != "more" || got.IPRange != "2001:db8::1/64" {
		t.Errorf("after the update there is %+v", got)
	}
	page := must(sdk.ACLs.List(t.Context(), dns.ZoneTransferACLListParams{AccountID: account}))(t)
	if len(page.Result) != 1 || page.Result[0].ID != made.ID {
		t.Errorf("the list is %+v", page.Result)
	}
	return got
}

// go7Peer makes a peer by its name, which is all that the SDK's call can take,
// and gives it the rest by an update.
func go7Peer(t *testing.T, w *world, sdk *dns.ZoneTransferService, tsig string) *dns.Peer {
	t.Helper()
	made := must(sdk.Peers.New(t.Context(), dns.ZoneTransferPeerNewParams{AccountID: account, Name: cloudflare.F("primary")}))(t)
	if made.Name != "primary" || made.IP != "" || made.Port != 0 || made.TSIGID != "" {
		t.Errorf("made %+v", made)
	}
	addr := w.primary.Addr()
	must(sdk.Peers.Update(t.Context(), made.ID, dns.ZoneTransferPeerUpdateParams{
		AccountID: account,
		Peer: dns.PeerParam{
			Name: cloudflare.F("primary"), IP: cloudflare.F(addr.Addr().String()), Port: cloudflare.F(float64(addr.Port())),
			IxfrEnable: cloudflare.F(true), TSIGID: cloudflare.F(tsig),
		},
	}))(t)
	got := must(sdk.Peers.Get(t.Context(), made.ID, dns.ZoneTransferPeerGetParams{AccountID: account}))(t)
	if got.IP != addr.Addr().String() || got.Port != float64(addr.Port()) || !got.IxfrEnable || got.TSIGID != tsig {
		t.Errorf("after the update there is %+v", got)
	}
	page := must(sdk.Peers.List(t.Context(), dns.ZoneTransferPeerListParams{AccountID: account}))(t)
	if len(page.Result) != 1 || page.Result[0].ID != made.ID {
		t.Errorf("the list is %+v", page.Result)
	}
	return got
}

// go7Incoming configures the zone, and changes how often it is checked.
func go7Incoming(t *testing.T, w *world, sdk *dns.ZoneTransferService, peer string) {
	t.Helper()
	zone, peers := cloudflare.F(harness.ZoneID(zoneName)), []string{peer}
	made := must(sdk.Incoming.New(t.Context(), dns.ZoneTransferIncomingNewParams{
		ZoneID: zone, Name: cloudflare.F(zoneName), Peers: cloudflare.F(peers), AutoRefreshSeconds: cloudflare.F(3600.0),
	}))(t)
	if made.ID != zone.Value || made.Name != zoneName || made.AutoRefreshSeconds != 3600 || len(made.Peers) != 1 || made.Peers[0] != peer {
		t.Errorf("made %+v", made)
	}
	if made.SOASerial != 0 || made.CheckedTime != made.CreatedTime {
		t.Errorf("before the first transfer there is %+v", made)
	}
	w.served(t, 1)
	must(sdk.Incoming.Update(t.Context(), dns.ZoneTransferIncomingUpdateParams{
		ZoneID: zone, Name: cloudflare.F(zoneName), Peers: cloudflare.F(peers), AutoRefreshSeconds: cloudflare.F(7200.0),
	}))(t)
	got := must(sdk.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: zone}))(t)
	if got.SOASerial != 1 || got.AutoRefreshSeconds != 7200 || got.CreatedTime != made.CreatedTime {
		t.Errorf("after the update there is %+v", got)
	}
	if !moment(t, got.ModifiedTime).After(moment(t, got.CreatedTime)) || moment(t, got.CheckedTime).Before(moment(t, made.CheckedTime)) {
		t.Errorf("the times are odd: %+v", got)
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	return must(time.Parse(time.RFC3339Nano, text))(t)
}

// go7Transfer orders transfers with the bodies that the SDK can send: none, which
// goes out chunked and empty, an object, and null.
func go7Transfer(t *testing.T, w *world, sdk *dns.ZoneTransferService) {
	t.Helper()
	zone := cloudflare.F(harness.ZoneID(zoneName))
	for _, params := range []dns.ZoneTransferForceAXFRNewParams{
		{ZoneID: zone},
		{ZoneID: zone, Body: map[string]any{}},
		{ZoneID: zone, Body: cloudflare.Null[any]()},
	} {
		serial := w.bump(t)
		if answer := must(sdk.ForceAXFR.New(t.Context(), params))(t); *answer != "OK" {
			t.Errorf("the answer is %q", *answer)
		}
		w.served(t, serial)
	}
}

// go7Refusals checks that the SDK shows what is wrong, and asks only once.
func go7Refusals(t *testing.T, sdk *dns.ZoneTransferService, tsig, peer string) {
	t.Helper()
	zone := dns.ZoneTransferIncomingUpdateParams{
		ZoneID: cloudflare.F(harness.ZoneID(zoneName)), Name: cloudflare.F(zoneName),
		Peers: cloudflare.F([]string{peer}), AutoRefreshSeconds: cloudflare.F(3600.0),
	}
	again := dns.ZoneTransferIncomingNewParams(zone)
	often, stranger := zone, zone
	often.AutoRefreshSeconds = cloudflare.F(299.0)
	stranger.Peers = cloudflare.F([]string{peer, absent})
	nowhere := cloudflare.F(absent)
	for _, tt := range []struct {
		name    string
		call    func(option.RequestOption) error
		status  int
		code    int64
		pointer string
	}{
		{"too often", func(o option.RequestOption) error {
			_, err := sdk.Incoming.Update(t.Context(), often, o)
			return err
		}, 400, 2104, "/auto_refresh_seconds"},
		{"unknown peer", func(o option.RequestOption) error {
			_, err := sdk.Incoming.Update(t.Context(), stranger, o)
			return err
		}, 400, 2106, "/peers/1"},
		{"zone made again", func(o option.RequestOption) error {
			_, err := sdk.Incoming.New(t.Context(), again, o)
			return err
		}, 400, 2301, ""},
		{"peer in use", func(o option.RequestOption) error {
			_, err := sdk.Peers.Delete(t.Context(), peer, dns.ZoneTransferPeerDeleteParams{AccountID: account}, o)
			return err
		}, 400, 2302, ""},
		{"key in use", func(o option.RequestOption) error {
			_, err := sdk.TSIGs.Delete(t.Context(), tsig, dns.ZoneTransferTSIGDeleteParams{AccountID: account}, o)
			return err
		}, 400, 2303, ""},
		{"no such key", func(o option.RequestOption) error {
			_, err := sdk.TSIGs.Get(t.Context(), absent, dns.ZoneTransferTSIGGetParams{AccountID: account}, o)
			return err
		}, 404, 2203, ""},
		{"no such zone", func(o option.RequestOption) error {
			_, err := sdk.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: nowhere}, o)
			return err
		}, 404, 2201, ""},
		{"no such zone to transfer", func(o option.RequestOption) error {
			_, err := sdk.ForceAXFR.New(t.Context(), dns.ZoneTransferForceAXFRNewParams{ZoneID: nowhere}, o)
			return err
		}, 404, 2201, ""},
		{"bad token", func(o option.RequestOption) error {
			_, err := sdk.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: zone.ZoneID}, o, option.WithAPIToken("stranger"))
			return err
		}, 401, 10000, ""},
	} {
		requests := 0
		count := option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			requests++
			return next(r)
		})
		go7Refused(t, tt.name, tt.call(count), tt.status, tt.code, tt.pointer)
		if requests != 1 {
			t.Errorf("%s: the SDK asked %d times, want once", tt.name, requests)
		}
	}
	got := must(sdk.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: zone.ZoneID}))(t)
	if got.AutoRefreshSeconds != 7200 || len(got.Peers) != 1 {
		t.Errorf("refused updates left %+v", got)
	}
}

// go7Refused checks an error as the SDK hands it to its user.
func go7Refused(t *testing.T, name string, err error, status int, code int64, pointer string) {
	t.Helper()
	refusal, ok := errors.AsType[*cloudflare.Error](err)
	if !ok || len(refusal.Errors) == 0 {
		t.Errorf("%s: got the error %v, want one of the SDK's with a list", name, err)
		return
	}
	first := refusal.Errors[0]
	if refusal.StatusCode != status || first.Code != code || first.Source.Pointer != pointer {
		t.Errorf("%s: status %d, code %d, pointer %q, want %d, %d, %q",
			name, refusal.StatusCode, first.Code, first.Source.Pointer, status, code, pointer)
	}
	if first.Message == "" || first.DocumentationURL == "" {
		t.Errorf("%s: the error has no words or no page: %+v", name, first)
	}
}

// go7Deletes removes everything, users first.
func go7Deletes(t *testing.T, w *world, sdk *dns.ZoneTransferService, tsig, acl, peer string) {
	t.Helper()
	zone := cloudflare.F(harness.ZoneID(zoneName))
	if gone := must(sdk.Incoming.Delete(t.Context(), dns.ZoneTransferIncomingDeleteParams{ZoneID: zone}))(t); gone.ID != zone.Value {
		t.Errorf("the deleted zone is %q, want %q", gone.ID, zone.Value)
	}
	w.gone(t)
	if gone := must(sdk.Peers.Delete(t.Context(), peer, dns.ZoneTransferPeerDeleteParams{AccountID: account}))(t); gone.ID != peer {
		t.Errorf("the deleted peer is %q, want %q", gone.ID, peer)
	}
	if gone := must(sdk.TSIGs.Delete(t.Context(), tsig, dns.ZoneTransferTSIGDeleteParams{AccountID: account}))(t); gone.ID != tsig {
		t.Errorf("the deleted key is %q, want %q", gone.ID, tsig)
	}
	if gone := must(sdk.ACLs.Delete(t.Context(), acl, dns.ZoneTransferACLDeleteParams{AccountID: account}))(t); gone.ID != acl {
		t.Errorf("the deleted ACL is %q, want %q", gone.ID, acl)
	}
	_, err := sdk.Incoming.Get(t.Context(), dns.ZoneTransferIncomingGetParams{ZoneID: zone})
	go7Refused(t, "deleted zone", err, 404, 2201, "")
	_, err = sdk.Peers.Get(t.Context(), peer, dns.ZoneTransferPeerGetParams{AccountID: account})
	go7Refused(t, "deleted peer", err, 404, 2202, "")
	_, err = sdk.TSIGs.Get(t.Context(), tsig, dns.ZoneTransferTSIGGetParams{AccountID: account})
	go7Refused(t, "deleted key", err, 404, 2203, "")
	_, err = sdk.ACLs.Get(t.Context(), acl, dns.ZoneTransferACLGetParams{AccountID: account})
	go7Refused(t, "deleted ACL", err, 404, 2204, "")
}

// TestGo7Token verifies tokens, as a user of the SDK does first.
func TestGo7Token(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, sdk := range []*cloudflare.Client{
		w.go7(),
		w.go7(option.WithHeaderDel("Authorization"), option.WithAPIEmail("admin@example.test"), option.WithAPIKey(w.Client.Token)),
	} {
		if token := must(sdk.User.Tokens.Verify(t.Context()))(t); token.ID == "" || token.Status != "active" {
			t.Errorf("the token is %+v, want an id and active", token)
		}
	}
	_, err := w.go7(option.WithAPIToken("stranger")).User.Tokens.Verify(t.Context())
	go7Refused(t, "bad token", err, 401, 1000, "")
}
