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
	var made struct{ ID string }
	changed.result(t, &made)
	inBulk := w.mustAs(t, value, "POST", basePath+bulkOfA, bulkBody(nil, []string{`{"name":"a.example","peers":["` + made.ID + `"]}`}))

	var actors []registry.Actor
	for item, err := range registry.History(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Transaction != nil {
			actors = append(actors, item.Transaction.Actor)
		}
	}
	if len(actors) != 3 {
		t.Fatalf("got %+v, want who made the token, the peer, and the zone", actors)
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
	want.Request, want.Route = inBulk.header.Get("X-Request-Id"), basePath+"/accounts/:account_id"+bulkPath
	if actors[2] != want || want.Request == "" {
		t.Errorf("got %+v, want %+v", actors[2], want)
	}
}
