package clients

import (
	"errors"
	"testing"

	v0 "github.com/cloudflare/cloudflare-go"

	"secondaryd/test/harness"
)

// go0 is the client of the SDK's older line, without its waits between tries.
func (w *world) go0(t *testing.T, token string) *v0.API {
	t.Helper()
	return must(v0.NewWithAPIToken(token, v0.BaseURL(w.base()), v0.UsingRetryPolicy(0, 0, 0)))(t)
}

// TestGo0 has the older SDK do what it does on today's paths: keys, and ordering
// a transfer. Its zones and primaries live on paths that are no longer described.
func TestGo0(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go0(t, w.Client.Token)
	if token := must(sdk.VerifyAPIToken(t.Context()))(t); token.Status != "active" {
		t.Errorf("the token is %+v, want active", token)
	}
	want := go0TSIG(t, sdk)
	addr := w.primary.Addr()
	peer := w.Client.CreatePeer(t, harness.Peer{Name: "primary", IP: addr.Addr().String(), Port: int(addr.Port()), TSIGID: want.ID})
	w.Zone(t, zoneName, peer)
	w.served(t, 1)
	serial := w.bump(t)
	if err := sdk.ForceSecondaryDNSZoneAXFR(t.Context(), harness.ZoneID(zoneName)); err != nil {
		t.Fatal(err)
	}
	w.served(t, serial)

	err := sdk.DeleteSecondaryDNSTSIG(t.Context(), harness.AccountID, want.ID)
	go0Refused[*v0.RequestError](t, "key in use", err, 2303)
	w.Client.DeleteIncoming(t, zoneName)
	w.gone(t)
	w.Client.PutPeer(t, harness.Peer{ID: peer.ID, Name: "primary"})
	if err := sdk.DeleteSecondaryDNSTSIG(t.Context(), harness.AccountID, want.ID); err != nil {
		t.Error(err)
	}
}

// go0TSIG makes a key and corrects its secret.
func go0TSIG(t *testing.T, sdk *v0.API) v0.SecondaryDNSTSIG {
	t.Helper()
	made := must(sdk.CreateSecondaryDNSTSIG(t.Context(), harness.AccountID,
		v0.SecondaryDNSTSIG{Name: key.Name, Algo: key.Algorithm, Secret: "d3Jvbmc="}))(t)
	want := v0.SecondaryDNSTSIG{ID: made.ID, Name: key.Name, Algo: key.Algorithm, Secret: key.Secret}
	if got := must(sdk.UpdateSecondaryDNSTSIG(t.Context(), harness.AccountID, want))(t); got != want {
		t.Errorf("updated to %+v, want %+v", got, want)
	}
	if got := must(sdk.GetSecondaryDNSTSIG(t.Context(), harness.AccountID, made.ID))(t); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := must(sdk.ListSecondaryDNSTSIGs(t.Context(), harness.AccountID))(t); len(got) != 1 || got[0] != want {
		t.Errorf("the list is %+v, want %+v alone", got, want)
	}
	return want
}

// TestGo0Refusals checks which error of the SDK's each refusal becomes.
func TestGo0Refusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sdk := w.go0(t, w.Client.Token)
	_, err := sdk.CreateSecondaryDNSTSIG(t.Context(), harness.AccountID,
		v0.SecondaryDNSTSIG{Name: key.Name, Algo: "hmac-crc32.", Secret: key.Secret})
	go0Refused[*v0.RequestError](t, "bad algorithm", err, 2103)
	_, err = sdk.GetSecondaryDNSTSIG(t.Context(), harness.AccountID, absent)
	go0Refused[*v0.NotFoundError](t, "no such key", err, 2203)
	err = sdk.ForceSecondaryDNSZoneAXFR(t.Context(), absent)
	go0Refused[*v0.NotFoundError](t, "no such zone", err, 2201)
	_, err = w.go0(t, "stranger").ListSecondaryDNSTSIGs(t.Context(), harness.AccountID)
	go0Refused[*v0.AuthorizationError](t, "bad token", err, 10000)
}

// go0Refused checks that err is of the SDK's type T and has one code.
func go0Refused[T interface {
	error
	ErrorCodes() []int
}](t *testing.T, name string, err error, code int) {
	t.Helper()
	refusal, ok := errors.AsType[T](err)
	if !ok {
		t.Errorf("%s: got the error %T %v, want a %T", name, err, err, refusal)
		return
	}
	if codes := refusal.ErrorCodes(); len(codes) != 1 || codes[0] != code {
		t.Errorf("%s: the codes are %v, want %d alone", name, codes, code)
	}
}
