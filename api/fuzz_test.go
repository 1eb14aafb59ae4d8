package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// arena is a server that fuzzed requests are made of, by turns with the tokens of
// several callers. What one of them changes, the next finds.
type arena struct {
	fixture
	routes  []route
	callers []string
	changes int // since the arena is new
}

// maxArenaChanges is after how many changes a new arena is taken: what is there
// stays near to what the seeds speak of.
const maxArenaChanges = 32

// foreignSecret and ownSecret are secrets that only those may see whose they are,
// as texts that stand in no request by chance.
const (
	ownSecret     = "b3duIHNlY3JldCBvZiBhY2NvdW50IEE="
	foreignSecret = "Zm9yZWlnbiBzZWNyZXQgb2YgYWNjb3VudCBC"
)

func newArena(t testing.TB) *arena {
	t.Helper()
	a := &arena{fixture: newFixture(t), callers: []string{"admin", "read", "edit", "foreign", "metrics", "none"}}
	a.busy = true // nobody has to wait for a wait
	a.must(t, "PUT", tsigsPath+"/"+a.key, `{"name":"the-key-of-a.","algo":"hmac-sha1","secret":"`+ownSecret+`"}`)
	a.must(t, "PUT", tsigsPath+"/"+a.spareKey, `{"name":"spare.","algo":"hmac-sha1","secret":"`+ownSecret+`"}`)
	a.must(t, "POST", "/accounts/"+accountB+"/secondary_dns/tsigs", `{"name":"foreign.","algo":"hmac-sha1","secret":"`+foreignSecret+`"}`)
	a.must(t, "PUT", "/accounts/"+accountB+"/secondary_dns/peers/"+a.foreign, `{"name":"the peer of B"}`)
	a.must(t, "POST", incomingPath("zone_of_B"), `{"name":"the-zone-of-b.example","peers":["`+a.foreign+`"]}`)
	a.must(t, "PUT", peersPath+"/"+a.bare, a.tlsPeer)
	a.routes = a.resources()
	a.routes = append(a.routes, a.plain()...)
	return a
}

// lifetime is what an arena lasts for, which is longer than one input of the fuzzer.
type lifetime struct {
	testing.TB
	cleanups []func()
}

// Cleanup, TempDir and end do as those of a test.
func (l *lifetime) Cleanup(fn func()) { l.cleanups = append(l.cleanups, fn) }

func (l *lifetime) TempDir() string {
	dir, err := os.MkdirTemp("", "arena")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l *lifetime) end() {
	for _, fn := range slices.Backward(l.cleanups) {
		fn()
	}
}

// names puts the ids of the arena in the place of the names that the inputs have
// for them, or takes them out again.
func (a *arena) names() (in, out *strings.Replacer) {
	pairs := []string{
		"@peer", a.peer, "@bare", a.bare, "@theirs", a.foreign, "@key", a.key, "@spare", a.spareKey, "@acl", a.acl, "@token", a.tokenID,
		"@one", zoneOne, "@two", zoneTwo, "@out", zoneOut, "@A", accountA, "@B", accountB,
	}
	back := slices.Clone(pairs)
	for i := 0; i < len(back); i += 2 {
		back[i], back[i+1] = back[i+1], back[i]
	}
	return strings.NewReplacer(pairs...), strings.NewReplacer(back...)
}

// input is a request as the fuzzer has it.
type input struct {
	method  uint8 // 0: that of the route
	route   uint8
	path    string // empty: that of the route
	caller  uint8
	ifMatch string // If-None-Match behind an exclamation mark
	body    string
}

// inputs are the seeds: what the matrix tries.
func (a *arena) inputs(t testing.TB) (seeds []input) {
	t.Helper()
	_, names := a.names()
	for i, r := range a.routes {
		row, ok := matrix[r.method+" "+r.path]
		if !ok { // it needs no token
			for caller := range a.callers {
				seeds = append(seeds, input{route: uint8(i), caller: uint8(caller), ifMatch: `"7"`})
			}
			seeds = append(seeds, input{route: uint8(i), ifMatch: "!*"})
			continue
		}
		good := input{route: uint8(i), path: names.Replace(a.fixture.path(r, row))}
		if row.body != nil {
			good.body = names.Replace(row.body(a.fixture))
		}
		for caller := range a.callers {
			good.caller = uint8(caller)
			seeds = append(seeds, good)
		}
		if row.id != nil || strings.Contains(r.path, ":id") { // another's object, in the caller's account
			across := good
			across.path, across.caller = strings.Replace(good.path, "@A", "@B", 1), uint8(slices.Index(a.callers, "foreign"))
			seeds = append(seeds, across)
		}
		good.caller = 0
		for _, trial := range row.wrong {
			wrong := good
			if trial.body != nil {
				wrong.body = names.Replace(trial.body(a.fixture))
			}
			if trial.path != nil {
				wrong.path = names.Replace(trial.path(a.fixture))
			}
			wrong.path += trial.query
			seeds = append(seeds, wrong)
		}
		for _, tags := range []string{`"7", W/"8"`, "*", "!*", `!"7"`} {
			good.ifMatch = tags
			seeds = append(seeds, good)
		}
	}
	return seeds
}

// FuzzRequest makes requests of every route by every kind of caller. Whatever
// they are, the server neither panics nor fails, answers as the document says,
// changes nothing if it refuses, keeps what it accepts as it was sent, and leaves
// accounts apart.
func FuzzRequest(f *testing.F) {
	life := &lifetime{TB: f}
	f.Cleanup(func() { life.end() })
	a := newArena(life)
	for _, in := range a.inputs(f) {
		f.Add(in.method, in.route, in.path, in.caller, in.ifMatch, in.body)
	}
	f.Fuzz(func(t *testing.T, method, route uint8, path string, caller uint8, ifMatch, body string) {
		if a.changes > maxArenaChanges {
			life.end()
			life = &lifetime{TB: t}
			a = newArena(life)
		}
		r, who, ok := a.request(input{method, route, path, caller, ifMatch, body})
		if !ok {
			t.Skip() // no server gets that far with it
		}
		a.meet(t, r, who, body)
	})
}

var fuzzedMethods = []string{"", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"}

// request is the request of an input; false if it can't come by HTTP.
func (a *arena) request(in input) (r *http.Request, who string, ok bool) {
	names, _ := a.names()
	chosen := a.routes[int(in.route)%len(a.routes)]
	method := fuzzedMethods[int(in.method)%len(fuzzedMethods)]
	if method == "" {
		method = chosen.method
	}
	target := names.Replace(in.path)
	if target == "" {
		target = names.Replace(filled(chosen.path, "@A", "@one", "@bare"))
	}
	u, err := url.ParseRequestURI(target)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.ContainsFunc(in.ifMatch, func(c rune) bool { return c < ' ' }) {
		return nil, "", false
	}
	body := names.Replace(in.body)
	r = &http.Request{
		Method: method, URL: u, Host: "example.com", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "192.0.2.1:1234",
		Header: http.Header{}, Body: http.NoBody, ContentLength: int64(len(body)), RequestURI: target,
	}
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
	}
	if tags, not := strings.CutPrefix(in.ifMatch, "!"); not {
		r.Header.Set("If-None-Match", tags)
	} else if tags != "" {
		r.Header.Set("If-Match", tags)
		r.Header.Set("Last-Event-ID", tags)
	}
	who = a.callers[int(in.caller)%len(a.callers)]
	if token := a.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, who, true
}

// meet makes a request and looks at everything that has to hold after it.
func (a *arena) meet(t *testing.T, r *http.Request, who, body string) {
	t.Helper()
	names, _ := a.names()
	body = names.Replace(body)
	before, theirs, ours := a.Registry.Revision(), a.holdings(accountB), a.holdings(accountA)
	w := a.answer(r)
	text := w.Body.String()
	said := fmt.Sprintf("%s %s by %s with %q\nis answered %d %.1000s", r.Method, r.RequestURI, who, body, w.Code, text)

	if w.Code >= 500 && !strings.Contains(text, `"code":2411`) || w.Code < 200 {
		t.Fatal(said)
	}
	if contractOf(t).judge(t, r.Method, r.URL.EscapedPath(), w.Code, w.Header(), w.Body.Bytes()); t.Failed() {
		t.Fatal(said)
	}
	plain := slices.ContainsFunc(a.plain(), func(p route) bool { return p.path == r.URL.Path })
	fine := w.Code == http.StatusOK || plain && w.Code == http.StatusNotModified
	if r.Method != http.MethodHead && (!fine || !plain && w.Header().Get("Content-Type") == "application/json") {
		check(t, w.Result())
	}
	changed := a.Registry.Revision() != before
	if changed && (w.Code != http.StatusOK || r.Method == "GET" || who == "none" || who == "read" || who == "metrics") {
		t.Fatalf("%s\nand something changed", said)
	}
	if who != "admin" && who != "foreign" && !cmp.Equal(theirs, a.holdings(accountB)) {
		t.Fatalf("%s\nand something of another account changed", said)
	}
	if who == "foreign" && !cmp.Equal(ours, a.holdings(accountA)) {
		t.Fatalf("%s\nand something of another account changed", said)
	}
	a.hidden(t, who, r.RequestURI+body, text, said)
	if changed {
		a.changes++
		if r.Method == http.MethodDelete {
			a.changes += maxArenaChanges // other inputs speak of what is gone, be it a caller's token
		}
		a.readBack(t, r, body, w, said)
	}
}

// answer makes the request; what would not end, ends when its answer has begun.
func (a *arena) answer(r *http.Request) *httptest.ResponseRecorder {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), then: cancel}
	a.http.Handler.ServeHTTP(w, r.WithContext(ctx))
	return w.ResponseRecorder
}

// holdings is all there is of an account.
func (a *arena) holdings(account string) (all []any) {
	for zone := range a.Registry.ZoneNames() {
		if zone.Account == account {
			listed, _ := a.Registry.ListedZone(zone.ID)
			in, _ := a.Registry.Zone(zone.ID)
			out, _ := a.Registry.Outgoing(zone.ID)
			all = append(all, listed, in, out)
		}
	}
	return append(all, a.Registry.Peers(account), a.Registry.TSIGs(account), a.Registry.ACLs(account))
}

// hidden fails if an answer tells what the caller may not know, and has not said
// himself.
func (a *arena) hidden(t *testing.T, who, asked, text, said string) {
	t.Helper()
	secret := []string{"PRIVATE KEY", testToken}
	for _, token := range a.tokens {
		secret = append(secret, token)
	}
	switch who {
	case "read", "none", "metrics":
		secret = append(secret, ownSecret, foreignSecret)
	case "edit":
		secret = append(secret, foreignSecret)
	case "foreign":
		secret = append(secret, ownSecret, "the-key-of-a", a.peer, a.acl, a.spareKey)
	}
	if who == "read" || who == "edit" || who == "none" || who == "metrics" {
		secret = append(secret, "the peer of B", "the-zone-of-b", a.foreign)
	}
	for _, s := range secret {
		if strings.Contains(text, s) && !strings.Contains(asked, s) {
			t.Fatalf("%s\nand that tells %q", said, s)
		}
	}
}

// readBack compares what was accepted with what was sent, and with what is read
// afterwards.
func (a *arena) readBack(t *testing.T, r *http.Request, body string, w *httptest.ResponseRecorder, said string) {
	t.Helper()
	var answered struct{ Result json.RawMessage }
	if err := json.Unmarshal(w.Body.Bytes(), &answered); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(r.URL.Path, basePath)
	if strings.HasSuffix(path, bulkPath) {
		return // many orders
	}
	template, _ := contractOf(t).template(path)
	operation := contractOf(t).at("paths", template, strings.ToLower(r.Method))
	content, _ := contractOf(t).follow(operation["requestBody"])["content"].(map[string]any)
	if content == nil {
		return // an order, or a deletion
	}
	var sent, given map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatalf("%s\nand the body is no JSON: %v", said, err)
	}
	if err := json.Unmarshal(answered.Result, &given); err != nil {
		t.Fatal(said)
	}
	a.compare(t, contractOf(t).follow(content["application/json"].(map[string]any)["schema"]), sent, given, said)
	if id, ok := given["id"].(string); ok && r.Method == "POST" && !strings.HasPrefix(path, "/zones/") {
		path += "/" + id
	}
	if given["value"] != nil {
		return // a token is shown once
	}
	if again := a.send(t, "GET", path, ""); !bytes.Equal(again.env.Result, answered.Result) {
		t.Fatalf("%s\nand then it is read as %s", said, again.body)
	}
}

// compare fails unless each member that was sent, and that the schema knows, is
// given as it was sent. What is unset may be left out, and a secret always is.
func (a *arena) compare(t *testing.T, schema, sent, given map[string]any, said string) {
	t.Helper()
	for name := range contractOf(t).follow(schema["properties"]) {
		member := contractOf(t).follow(contractOf(t).follow(schema["properties"])[name])
		if several, ok := member["oneOf"].([]any); ok {
			member = contractOf(t).follow(several[0])
		}
		was, is := sent[name], given[name]
		switch inner, _ := was.(map[string]any); {
		case was == nil, was == "", member["writeOnly"] == true, is == nil && reflect.DeepEqual(was, []any{}):
		case inner != nil:
			back, _ := is.(map[string]any)
			a.compare(t, member, inner, back, said)
		case !sameValue(name, was, is):
			t.Fatalf("%s\nand %s, %v, was kept as %v", said, name, was, is)
		}
	}
}

// sameValue compares a member that was sent with how it is given. A zone's name
// has no last dot there, and a time is given in UTC.
func sameValue(name string, was, is any) bool {
	if reflect.DeepEqual(was, is) {
		return true
	}
	sent, ok := was.(string)
	given, also := is.(string)
	switch {
	case !ok || !also:
		return false
	case name == "name":
		return strings.TrimSuffix(sent, ".") == strings.TrimSuffix(given, ".")
	case name == "expires_on":
		then, err := time.Parse(time.RFC3339, sent)
		shown, _ := time.Parse(time.RFC3339, given)
		return err == nil && then.Truncate(time.Microsecond).Equal(shown)
	}
	return false
}
