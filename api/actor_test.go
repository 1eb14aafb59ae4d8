package api

import (
	"testing"

	"secondaryd/zonestore/registry"
)

// The audit log says whose request made a change; the path of the request, which
// may be anything, is not in it.
func TestActor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reg, err := registry.Open(registry.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	w := newWorld(t, func(o *Options) { o.Registry = reg })
	value, id := w.tokenAndID(t, callers["edit"])
	changed := w.mustAs(t, value, "POST", basePath+peersPath, `{"name":"n"}`)

	var actors []registry.Actor
	for item, err := range registry.History(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Transaction != nil {
			actors = append(actors, item.Transaction.Actor)
		}
	}
	if len(actors) != 2 {
		t.Fatalf("got %+v, want who made the token, and who the peer", actors)
	}
	if a := actors[0]; a.Token != fixedID || a.Method != "POST" || a.Route != tokensPath {
		t.Errorf("got %+v", a)
	}
	token, _ := reg.Token(id)
	want := registry.Actor{
		Token: id, TokenName: token.Name, Client: actors[1].Client, Request: changed.header.Get("X-Request-Id"),
		Method: "POST", Route: basePath + "/accounts/:account_id/secondary_dns/peers",
	}
	if actors[1] != want || want.Client == "" || want.Request == "" {
		t.Errorf("got %+v, want %+v", actors[1], want)
	}
}
