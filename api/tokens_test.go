package api

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/zonestore/registry"
)

// result takes the result apart.
func (a answer) result(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.env.Result, into); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

func (w *world) mustAs(t testing.TB, token, method, path, body string) answer {
	t.Helper()
	a := w.as(t, token, method, path, body)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, a.body)
	}
	return a
}

// status makes a request whose answer need not be an envelope.
func (w *world) status(r *http.Request) int {
	recorder := httptest.NewRecorder()
	w.http.Handler.ServeHTTP(recorder, r)
	return recorder.Code
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.send(t, "GET", tokensPath, ""); string(got.env.Result) != "[]" {
		t.Error(got.body)
	}
	created := w.send(t, "POST", tokensPath, `{"name":"ci","scope":"account","account_id":"`+accountA+`","access":"edit","expires_on":"2026-01-02T04:04:05+01:00"}`)
	if created.faults() != "2104 /expires_on" {
		t.Error(created.body)
	}
	created = w.send(t, "POST", tokensPath, `{"name":"ci","scope":"account","account_id":"`+accountA+`","access":"edit","expires_on":"2026-01-02T05:04:05+01:00","id":"mine","value":"mine"}`)
	var made madeToken
	created.result(t, &made)
	if !regexp.MustCompile(`^secondaryd_` + made.ID + `_[A-Za-z0-9_-]{43}$`).MatchString(made.Value) {
		t.Errorf("the token is %q", made.Value)
	}
	shown := `{"id":"` + made.ID + `","name":"ci","status":"active","scope":"account","account_id":"` + accountA + `","access":"edit",` +
		`"issued_on":"2026-01-02T03:04:05.678900Z","expires_on":"2026-01-02T04:04:05.000000Z"`
	if diff := cmp.Diff(envelopeOf(shown+`,"value":"`+made.Value+`"}`), created.body); diff != "" {
		t.Error(diff)
	}
	one := tokensPath + "/" + made.ID
	if diff := cmp.Diff(envelopeOf(shown+"}"), w.send(t, "GET", one, "").body); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(envelopeOf("["+shown+"}]"), w.send(t, "GET", tokensPath, "").body); diff != "" {
		t.Error(diff)
	}
	verified := envelopeOf(`{"id":"` + made.ID + `","status":"active","expires_on":"2026-01-02T04:04:05.000000Z"}`)
	for _, path := range []string{userVerifyPath, "/accounts/" + accountA + "/tokens/verify"} {
		if got := w.as(t, made.Value, "GET", path, ""); got.body != verified {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := w.as(t, made.Value, "GET", "/accounts/"+accountB+"/tokens/verify", ""); got.faults() != "2210" {
		t.Error(got.body)
	}
	if got := w.send(t, "DELETE", one, ""); got.body != envelopeOf(`{"id":"`+made.ID+`"}`) {
		t.Error(got.body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if got := w.send(t, method, one, ""); got.status != 404 || got.faults() != "2211" {
			t.Error(got.body)
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]string{
		`{}`:                             "2102 /name, 2102 /scope",
		`{"name":"n","scope":"root"}`:    "2103 /scope",
		`{"name":"n","scope":7}`:         "2101 /scope",
		`{"name":"n","scope":"account"}`: "2102 /account_id, 2102 /access",
		`{"name":"n","scope":"account","account_id":"a b","access":"write"}`:    "2103 /account_id, 2103 /access",
		`{"name":"n","scope":"admin","account_id":"a"}`:                         "2105 /account_id",
		`{"name":"n","scope":"metrics","access":"read"}`:                        "2105 /access",
		`{"name":"n","scope":"admin","expires_on":"tomorrow"}`:                  "2103 /expires_on",
		`{"name":"n","scope":"admin","expires_on":1}`:                           "2101 /expires_on",
		`{"name":"n","scope":"admin","expires_on":"2020-01-01T00:00:00Z"}`:      "2104 /expires_on",
		`{"name":"n","scope":"admin","expires_on":"9999-12-31T23:59:59-01:00"}`: "2104 /expires_on",
		`[]`: "2002",
	} {
		if got := w.send(t, "POST", tokensPath, body); got.status != 400 || got.faults() != want {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	if w.Registry.Revision() != 0 {
		t.Error("a refused token changed something")
	}
}

// What is nearly a token is none.
func TestTokenIsComparedWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	value, id := w.tokenAndID(t, callers["admin"])
	other := w.token(t, callers["admin"])
	for _, text := range []string{
		value[:len(value)-1], value + "A", strings.ToUpper(value), tokenMark + id + "_", tokenMark + id, tokenMark, id,
		strings.Replace(other, other[len(tokenMark):len(tokenMark)+32], id, 1), strings.TrimPrefix(value, tokenMark),
	} {
		if got := w.as(t, text, "GET", peersPath, ""); got.status != 401 || got.faults() != "10000" {
			t.Errorf("%q: %s", text, got.body)
		}
	}
	r := w.request(t, "GET", peersPath, "")
	r.Header.Del("Authorization")
	r.Header.Set("X-Auth-Email", "a@b.example")
	r.Header.Set("X-Auth-Key", value)
	if got := w.do(t, r); got.status != 200 {
		t.Error(got.body)
	}
}

func TestRevocationHoldsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		value, id := w.tokenAndID(t, callers["admin"])
		w.mustAs(t, value, "GET", peersPath, "")
		if got := w.as(t, value, "DELETE", tokensPath+"/"+id, ""); got.status != 200 { // its own
			t.Fatal(got.body)
		}
		if got := w.as(t, value, "GET", peersPath, ""); got.status != 401 {
			t.Fatal(got.body)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	value, id := w.tokenAndID(t, callers["edit"]+`,"expires_on":"2026-01-02T03:04:06Z"`)
	w.mustAs(t, value, "GET", peersPath, "")
	w.now = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	if got := w.as(t, value, "GET", peersPath, ""); got.status != 401 || got.faults() != "10000" {
		t.Error(got.body)
	}
	if got := w.as(t, value, "GET", userVerifyPath, ""); got.faults() != "1000" {
		t.Error(got.body)
	}
	if logs.FilterField(zap.String("expired_token", id)).Len() != 2 {
		t.Errorf("log %v", logs.All())
	}
	var shown madeToken
	w.send(t, "GET", tokensPath+"/"+id, "").result(t, &shown)
	if shown.Status != "expired" {
		t.Errorf("status %q", shown.Status)
	}
}

// Tokens outlive the process, and so does their revocation.
func TestTokensAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func() (*world, func()) {
		reg, err := registry.Open(registry.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, func(o *Options) { o.Registry = reg })
		return w, func() {
			if err := reg.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	w, stop := start()
	kept, revoked := w.token(t, callers["edit"]), w.token(t, callers["admin"])
	w.must(t, "DELETE", tokensPath+"/"+must(idOfToken(revoked)), "")
	stop()
	w, stop = start()
	defer stop()
	w.mustAs(t, kept, "POST", peersPath, `{"name":"n"}`)
	if got := w.as(t, kept, "GET", tokensPath, ""); got.status != 403 || got.faults() != "9109" {
		t.Error(got.body)
	}
	if got := w.as(t, revoked, "GET", peersPath, ""); got.status != 401 {
		t.Error(got.body)
	}
}

// The log says who did what to which object; neither it nor any answer but that
// of the creation holds a token, or what is stored of it.
func TestAuditHoldsNoToken(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	value, id := w.tokenAndID(t, callers["edit"])
	hash := registry.HashToken(value)
	hidden := []string{value, value[len(tokenMark)+33:], testToken}
	for _, h := range [][]byte{hash[:]} {
		hidden = append(hidden, hex.EncodeToString(h[:8]), base64.StdEncoding.EncodeToString(h)[:12], fmt.Sprint(h[:8])[1:])
	}
	var bodies []string
	peer := w.mustAs(t, value, "POST", peersPath, `{"name":"n"}`)
	var made struct{ ID string }
	peer.result(t, &made)
	for _, step := range []struct{ method, path, body string }{
		{"PUT", peersPath + "/" + made.ID, `{"name":"n"}`},
		{"POST", incomingPath(zoneOne), `{"name":"example.org","peers":["` + made.ID + `"]}`},
		{"DELETE", incomingPath(zoneOne), ""},
		{"DELETE", tokensPath + "/" + id, ""},
		{"GET", userVerifyPath, ""},
		{"GET", "/nowhere/" + value, ""},
		{"GET", peersPath + "/" + value, ""},
	} {
		bodies = append(bodies, w.as(t, value, step.method, step.path, step.body).body)
	}
	for _, path := range []string{tokensPath, tokensPath + "/" + id, tokensPath + "/" + value} {
		bodies = append(bodies, w.send(t, "GET", path, "").body)
	}
	w.must(t, "DELETE", tokensPath+"/"+id, "")
	bodies = append(bodies, w.as(t, value, "GET", peersPath, "").body)
	var changes []string
	for _, entry := range logs.All() {
		m := entry.ContextMap()
		bodies = append(bodies, fmt.Sprint(entry.Message, m))
		if entry.Level == zap.InfoLevel {
			changes = append(changes, fmt.Sprint(m["token"], " ", m["token_name"], " ", m["method"], " ", m["route"], " ", m["id"], m["zone_id"]))
		}
	}
	for _, text := range bodies {
		for _, secret := range hidden {
			if strings.Contains(text, secret) {
				t.Errorf("%q in %s", secret, text)
			}
		}
	}
	const none, peers, zone = "<nil>", "/accounts/:account_id/secondary_dns/peers", "/zones/:zone_id/secondary_dns/incoming "
	by := id + " a token "
	if diff := cmp.Diff([]string{
		"bootstrap bootstrap POST " + tokensPath + " " + id + none,
		by + "POST " + peers + " " + made.ID + none,
		by + "PUT " + peers + "/:id " + made.ID + none,
		by + "POST " + zone + none + zoneOne,
		by + "DELETE " + zone + none + zoneOne,
		"bootstrap bootstrap DELETE " + tokenPath + " " + id + none,
	}, changes); diff != "" {
		t.Error(diff)
	}
}

func TestRateOfRequests(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	w := newWorld(t, func(o *Options) { o.TokenRate, o.Log = 1, zap.New(core) })
	made, over := 0, answer{}
	for over.status != 429 && made < 100 {
		if over = w.send(t, "POST", peersPath, `{"name":"n"}`); over.status == 200 {
			made++
		}
	}
	if over.faults() != "2310" || over.header.Get("Retry-After") != "1" || made == 0 || len(w.Registry.Peers(accountA)) != made {
		t.Errorf("%d made, then %s", made, over.body)
	}
	if logs.FilterField(zap.String("token", fixedID)).Len() == 0 {
		t.Errorf("log %v", logs.All())
	}
	if w.status(httptest.NewRequestWithContext(t.Context(), "GET", healthPath, nil)) != 200 {
		t.Error("the health checks are limited")
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	p := newPace(4)
	take := func(id string, at, want time.Duration) {
		t.Helper()
		if got := p.take(id, at); got != want {
			t.Errorf("%s at %v: %v, want %v", id, at, got, want)
		}
	}
	other := "b"
	for n := 0; shareSlot(p, "a", other); n++ {
		other = fmt.Sprint("b", n)
	}
	for range 4 {
		take("a", 0, 0) // the burst
	}
	take("a", 0, 250*time.Millisecond)
	take(other, 0, 0)
	take("a", 249*time.Millisecond, time.Millisecond)
	take("a", 250*time.Millisecond, 0)
	take("a", 250*time.Millisecond, 250*time.Millisecond)
	for range 4 {
		take("a", time.Hour, 0) // no more is saved up than a second's worth
	}
	take("a", time.Hour, 250*time.Millisecond)
	slow := newPace(0)
	for range 100 {
		if slow.take("a", 0) != 0 {
			t.Fatal("a limit where none is set")
		}
	}
}

// shareSlot reports whether two ids have one bucket.
func shareSlot(p *pace, a, b string) bool {
	probe := &pace{interval: time.Hour, seed: p.seed}
	return probe.take(a, 0) != 0 || probe.take(b, 0) != 0
}

func BenchmarkToken(b *testing.B) {
	w := newWorld(b)
	var last string
	for range 100 {
		last = w.token(b, callers["edit"])
	}
	for b.Loop() {
		if _, ok := w.recognise(last); !ok {
			b.Fatal("not found")
		}
	}
}
