package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// callers are the kinds of tokens there are, by what they are called here.
var callers = map[string]string{
	"admin":   `"scope":"admin"`,
	"metrics": `"scope":"metrics"`,
	"read":    `"scope":"account","account_id":"` + accountA + `","access":"read"`,
	"edit":    `"scope":"account","account_id":"` + accountA + `","access":"edit"`,
	"foreign": `"scope":"account","account_id":"` + accountB + `","access":"edit"`,
}

// token makes a token and gives its value.
func (w *world) token(t testing.TB, members string) string {
	t.Helper()
	value, _ := w.tokenAndID(t, members)
	return value
}

// madeToken is what the tests read of an answer about a token.
type madeToken struct{ ID, Status, Value string }

func (w *world) tokenAndID(t testing.TB, members string) (value, id string) {
	t.Helper()
	a := w.send(t, "POST", tokensPath, `{"name":"a token",`+members+`}`)
	var made madeToken
	if a.result(t, &made); made.Value == "" {
		t.Fatalf("%s: %s", members, a.body)
	}
	return made.Value, made.ID
}

// as makes a request with a token.
func (w *world) as(t testing.TB, token, method, path, body string) answer {
	t.Helper()
	r := w.request(t, method, path, body)
	r.Header.Set("Authorization", "Bearer "+token)
	return w.do(t, r)
}

// decisions is what each kind of route answers to each kind of caller, for a
// path in account A: 0 for whatever the handler says.
var decisions = map[access]map[string]int{
	holders: {"none": 401, "admin": 0, "metrics": 0, "read": 0, "edit": 0, "foreign": 0},
	readers: {"none": 401, "admin": 0, "metrics": 403, "read": 0, "edit": 0, "foreign": 404},
	editors: {"none": 401, "admin": 0, "metrics": 403, "read": 403, "edit": 0, "foreign": 404},
	admins:  {"none": 401, "admin": 0, "metrics": 403, "read": 403, "edit": 403, "foreign": 403},

	ownReaders: {"none": 401, "admin": 0, "metrics": 403, "read": 0, "edit": 0, "foreign": 0},
	ownEditors: {"none": 401, "admin": 0, "metrics": 403, "read": 403, "edit": 0, "foreign": 0},
}

// Every route of the table keeps to its decision for every kind of token, and
// each has one. Bodies are missing: a change that is permitted is refused by the
// handler, which no other answer looks like.
func TestEveryRouteWithEveryScope(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	s.copies[zoneOne] = copyOf(t)
	s.earlier[zoneOne] = []*zone.Zone{copyOf(t)}
	tokens := map[string]string{"none": "", "admin": testToken}
	for name, members := range callers {
		tokens[name+"'"] = s.token(t, members)
	}
	for _, r := range s.resources() {
		wants, ok := decisions[r.who]
		if !ok {
			t.Errorf("%s %s: no decision of a resource is %d", r.method, r.path, r.who)
			continue
		}
		path := s.fill(r.path)
		for name, token := range tokens {
			want := wants[strings.TrimSuffix(name, "'")]
			if strings.HasPrefix(name, "foreign") && r.who == holders && strings.Contains(path, accountA) {
				want = 404
			}
			if r.method == http.MethodDelete && want == 0 || r.path == "/zones/:zone_id/secondary_dns/force_axfr" && want == 0 {
				continue // it would be carried out
			}
			if r.path == "/secondaryd/events" && want == 0 {
				continue // it would not end
			}
			for _, base := range []string{"", basePath} {
				request := s.request(t, r.method, base+path, "")
				request.Header.Set("Authorization", "Bearer "+token)
				got := s.status(request)
				if denied := got == 401 || got == 403 || got == 404; denied != (want != 0) || denied && got != want {
					t.Errorf("%s %s by %s: %d, want %d", r.method, path, name, got, want)
				}
			}
		}
	}
	for _, r := range s.plain() {
		if r.who != everybody && r.path != metricsPath {
			t.Errorf("%s needs a token", r.path)
		}
	}
}

// What is read in an account is for its readers, what is changed for its
// editors, and tokens are for administrators.
func TestDecisions(t *testing.T) {
	t.Parallel()
	for _, r := range newWorld(t).resources() {
		want := holders
		switch {
		case strings.HasPrefix(r.path, tokensPath), r.path == "/secondaryd/events":
			want = admins
		case strings.HasSuffix(r.path, "/tokens/verify"):
		case r.path == "/zones" && r.method == http.MethodGet:
			want = ownReaders
		case r.path == "/zones":
			want = ownEditors
		case r.method == http.MethodGet:
			want = readers
		default:
			want = editors
		}
		if r.who != want {
			t.Errorf("%s %s: %d, want %d", r.method, r.path, r.who, want)
		}
	}
}

// fill puts ids of account A, of objects that are there, into a path.
func (s seeded) fill(path string) string {
	id := s.peer
	switch {
	case strings.Contains(path, "/tsigs"):
		id = s.key
	case strings.Contains(path, "/acls"):
		id = s.acl
	case strings.HasPrefix(path, tokensPath):
		id = s.Registry.Tokens()[0].ID
	}
	return strings.NewReplacer(":account_id", accountA, ":zone_id", zoneOne, ":soa_serial", "7", ":id", id).Replace(path)
}

func TestMetricsNeedTheirScope(t *testing.T) {
	t.Parallel()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x 1\n") })
	w := newWorld(t, func(o *Options) { o.Metrics, o.MetricsNeedToken = metrics, true })
	for name, want := range map[string]int{"admin": 200, "metrics": 200, "read": 403, "edit": 403} {
		r := w.request(t, "GET", metricsPath, "")
		r.Header.Set("Authorization", "Bearer "+w.token(t, callers[name]))
		if got := w.status(r); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// The decisions that no route makes yet, or that a path does not fit.
func TestPermit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := map[string]registry.Token{
		"nobody":  {},
		"admin":   {Scope: registry.ScopeAdmin},
		"metrics": {Scope: registry.ScopeMetrics},
		"read":    {Scope: registry.ScopeAccount, Account: accountA, Access: registry.AccessRead},
		"edit":    {Scope: registry.ScopeAccount, Account: accountA, Access: registry.AccessEdit},
		"odd":     {Scope: "odd", Account: accountA, Access: registry.AccessEdit},
	}
	for who, want := range map[access]string{
		undecided:  "",
		everybody:  "admin edit metrics nobody odd read",
		holders:    "admin edit metrics read",
		scrapers:   "admin metrics",
		readers:    "admin", // the path names no account
		editors:    "admin",
		ownReaders: "admin edit read",
		ownEditors: "admin edit",
		admins:     "admin",
		admins + 1: "admin",
	} {
		var permitted []string
		for name, token := range tokens {
			c := echo.New().NewContext(w.request(t, "GET", "/", ""), nil)
			c.Set(callerKey, token)
			if w.permit(who, c) == nil {
				permitted = append(permitted, name)
			}
		}
		slices.Sort(permitted)
		if got := strings.Join(permitted, " "); got != want {
			t.Errorf("%d: %s, want %s", who, got, want)
		}
	}
}

// An account's token is told the same of what is another's and of what is not
// there at all, by every method, and changes nothing of it.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	s.copies[zoneOne] = copyOf(t)
	tenant := s.token(t, callers["foreign"])
	const nothing, nowhere = "00000000000000000000000000000000", "cccccccccccccccccccccccccccccccc"
	bodies := map[string]string{
		"/incoming": s.zoneBody("example.org"), "/outgoing": s.outgoingBody("example.org"), "/zones/:zone_id": `{"paused":true}`,
		"/peers": `{"name":"n"}`, "/acls": `{"name":"n","ip_range":"192.0.2.0/24"}`,
		"/tsigs": `{"name":"k","algo":"hmac-sha1","secret":"YQ=="}`, "/settings": `{}`, "/release": `{"soa_serial":1}`, "/discard": `{"soa_serial":1}`,
	}
	before := s.Registry.Revision()
	tried := 0
	for _, r := range s.resources() {
		if r.who != readers && r.who != editors || r.method == http.MethodPost && (strings.HasSuffix(r.path, "/incoming") || strings.HasSuffix(r.path, "/outgoing")) {
			continue
		}
		body := ""
		for end, text := range bodies {
			if strings.HasSuffix(strings.TrimSuffix(r.path, "/:id"), end) {
				body = text
			}
		}
		fill := func(account, zone, id string) string {
			return strings.NewReplacer(":account_id", account, ":zone_id", zone, ":soa_serial", "7", ":id", id).Replace(r.path)
		}
		foreign := s.as(t, tenant, r.method, s.fill(r.path), body)
		others := []string{fill(nowhere, nothing, nothing)}
		if strings.Contains(r.path, ":id") { // its own account, another's object
			own := s.as(t, tenant, r.method, strings.Replace(s.fill(r.path), accountA, accountB, 1), body)
			absent := s.as(t, tenant, r.method, fill(accountB, nothing, nothing), body)
			if own.status != 404 || own.body != absent.body {
				t.Errorf("%s %s: another's object gives %s, none %s", r.method, r.path, own.body, absent.body)
			}
			others = append(others, fill(accountA, nothing, nothing))
		}
		for _, path := range others {
			absent := s.as(t, tenant, r.method, path, body)
			if foreign.status != 404 || foreign.body != absent.body {
				t.Errorf("%s %s: another's gives %s, %s gives %s", r.method, r.path, foreign.body, path, absent.body)
			}
		}
		tried++
	}
	if tried < 20 || s.Registry.Revision() != before || len(s.forced) != 0 {
		t.Errorf("%d routes were tried, revision %d became %d, orders %v", tried, before, s.Registry.Revision(), s.forced)
	}
	// A zone id that another account uses can't be taken either.
	registered := s.must(t, "POST", "/zones", `{"name":"new.example","account":{"id":"`+accountA+`"}}`)
	for _, zone := range []string{zoneOne, registered} {
		for path, want := range map[string]string{incomingPath(zone): "2201", outgoingPath(zone): "2205"} {
			got := s.as(t, tenant, "POST", path, `{"name":"new.example","peers":["`+s.foreign+`"]}`)
			if got.status != 404 || got.faults() != want {
				t.Error(got.body)
			}
		}
	}
}

// A token that may only read learns from no refusal what there is.
func TestReadersLearnNothingByEdits(t *testing.T) {
	t.Parallel()
	s := seed(t)
	reader := s.token(t, `"scope":"account","account_id":"`+accountB+`","access":"read"`)
	for _, path := range []string{"/zones/" + zoneOne, "/zones/" + zoneTwo} {
		if got := s.as(t, reader, "DELETE", path, ""); got.status != 403 {
			t.Error(got.body)
		}
	}
}

// The list has the zones of the token's account, however it is filtered, and a
// token creates zones in its own account.
func TestZonesOfTheAccount(t *testing.T) {
	t.Parallel()
	s := seed(t)
	create := func(name, account string) string {
		return `{"name":"` + name + `","account":{"id":"` + account + `"}}`
	}
	s.must(t, "POST", "/zones", create("registered.example", accountA))
	s.must(t, "POST", outgoingPath(zoneTwo), s.outgoingBody("out.example"))
	tenant := s.token(t, callers["foreign"])
	list := func(query string) (names string) {
		t.Helper()
		var p page
		if err := json.Unmarshal([]byte(s.as(t, tenant, "GET", "/zones"+query, "").body), &p); err != nil {
			t.Fatal(err)
		}
		for _, zone := range p.Result {
			names += zone.Name + " "
		}
		if p.Info.Count != len(p.Result) || p.Info.TotalCount != len(p.Result) {
			t.Errorf("%q: %+v with %d zones", query, p.Info, len(p.Result))
		}
		return names
	}
	if got := list(""); got != "" {
		t.Errorf("%s: nothing is of the account", got)
	}
	s.mustAs(t, tenant, "POST", "/zones", create("own.example", accountB))
	for query, want := range map[string]string{
		"": "own.example ", "?account.id=" + accountB: "own.example ", "?account.id=" + accountA: "", "?name=example.org": "",
		"?match=any&name=example.org&account.id=" + accountA: "", "?name=contains:e&order=status&direction=desc": "own.example ",
	} {
		if got := list(query); got != want {
			t.Errorf("%q: got %s, want %s", query, got, want)
		}
	}
	before := s.Registry.Revision()
	if got := s.as(t, tenant, "POST", "/zones", create("other.example", accountA)); got.status != 400 || got.faults() != "2106 /account/id" {
		t.Error(got.body)
	}
	if s.Registry.Revision() != before {
		t.Error("a zone was created in another account")
	}
}

// References into another account are refused as those that lead nowhere.
func TestForeignReferences(t *testing.T) {
	t.Parallel()
	s := seed(t)
	tenant := s.token(t, callers["foreign"])
	zone := func(peers ...string) string {
		return fmt.Sprintf(`{"name":"b.example","peers":["%s"]}`, strings.Join(peers, `","`))
	}
	path := incomingPath(zoneTwo)
	s.mustAs(t, tenant, "POST", path, zone(s.foreign))
	if z, _ := s.Registry.Zone(zoneTwo); z.Account != accountB {
		t.Errorf("the zone is of %q", z.Account)
	}
	for _, method := range []string{"PUT", "POST"} {
		path := path
		if method == "POST" {
			path = incomingPath("33333333333333333333333333333333")
		}
		for _, refs := range []struct{ foreign, absent []string }{
			{[]string{s.peer}, []string{"nobody"}},
			{[]string{s.peer, s.bare}, []string{"nobody", "either"}},
			{[]string{s.foreign, s.peer}, []string{s.foreign, "nobody"}},
			{[]string{s.peer, s.foreign}, []string{"nobody", s.foreign}},
			{[]string{s.peer, s.peer}, []string{"nobody", "nobody"}},
		} {
			foreign, absent := s.as(t, tenant, method, path, zone(refs.foreign...)), s.as(t, tenant, method, path, zone(refs.absent...))
			if foreign.status != 400 || !strings.HasPrefix(foreign.faults(), "2106 /peers/") || foreign.body != absent.body {
				t.Errorf("%s of %v:\n%s\n%s", method, refs, foreign.body, absent.body)
			}
		}
	}
	for _, id := range []string{zoneTwo, "33333333333333333333333333333333"} {
		foreign, absent := s.as(t, tenant, "POST", outgoingPath(id), zone(s.peer)), s.as(t, tenant, "POST", outgoingPath(id), zone("nobody"))
		if foreign.faults() != "2106 /peers/0" || foreign.body != absent.body {
			t.Errorf("outgoing:\n%s\n%s", foreign.body, absent.body)
		}
	}
	peers := "/accounts/" + accountB + "/secondary_dns/peers"
	foreign, absent := s.as(t, tenant, "POST", peers, `{"name":"n","tsig_id":"`+s.key+`"}`), s.as(t, tenant, "POST", peers, `{"name":"n","tsig_id":"nobody"}`)
	if foreign.faults() != "2106 /tsig_id" || foreign.body != absent.body {
		t.Errorf("%s\n%s", foreign.body, absent.body)
	}
	if diff := cmp.Diff([]string{s.foreign}, must(s.Registry.Zone(zoneTwo)).Peers); diff != "" {
		t.Error(diff)
	}
}

// must gives what is known to be there.
func must[T any](object T, _ bool) T { return object }

// A zone may become another account's after the decision about the route: the
// handlers look again, in their transaction where they change something.
func TestHandlersKeepToTheAccount(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	s.copies[zoneOne] = copyOf(t)
	before, tried := s.Registry.Revision(), 0
	for _, r := range s.resources() {
		if !strings.Contains(r.path, ":zone_id") {
			continue
		}
		body := fmt.Sprintf(`{"name":"example.org","peers":[%q],"soa_serial":1}`, s.foreign)
		c := echo.New().NewContext(s.request(t, r.method, "/", body), httptest.NewRecorder())
		c.SetParamNames("zone_id")
		c.SetParamValues(zoneOne)
		c.Set(callerKey, registry.Token{Scope: registry.ScopeAccount, Account: accountB, Access: registry.AccessEdit})
		if err := r.handler(c); err == nil || err.Error() != errAbsent(r.path).Error() {
			t.Errorf("%s %s: %v", r.method, r.path, err)
		}
		tried++
	}
	if tried < 10 || s.Registry.Revision() != before || len(s.forced) != 0 {
		t.Errorf("%d routes were tried, and something changed", tried)
	}
}

func TestSecretsAreForEditors(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for name, want := range map[string]string{"admin": "c2VjcmV0", "edit": "c2VjcmV0", "read": "***"} {
		token := s.token(t, callers[name])
		one := `{"id":"` + s.key + `","name":"key.example.","algo":"hmac-sha256.","secret":"` + want + `"}`
		if got := s.as(t, token, "GET", tsigsPath+"/"+s.key, ""); string(got.env.Result) != one {
			t.Errorf("%s: %s", name, got.body)
		}
		if got := s.as(t, token, "GET", tsigsPath, ""); string(got.env.Result) != "["+one+"]" {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if got := s.send(t, "PUT", tsigsPath+"/"+s.key, `{"name":"key.example.","algo":"hmac-sha256.","secret":"***"}`); got.faults() != "2103 /secret" {
		t.Error(got.body)
	}
}
