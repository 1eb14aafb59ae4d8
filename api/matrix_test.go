package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"secondaryd/zonestore/zone"
)

// row is what the matrix needs to know of a route to try everything that can be
// right and wrong with it. A new route gets a row in matrix; what all routes have
// alike (tokens, accounts, ids, methods, the JSON of bodies), and what openapi.yaml
// says of the members of the body, is tried without more.
type row struct {
	body    func(fixture) string // that is taken; nil if none is read
	id      func(fixture) string // of the path, or what else stands there; nil: that of a peer
	zone    string               // of the path; empty: zoneOne
	absent  code                 // said of the object of the path where it is not there; 0: it always is
	creates bool                 // the object of the path must not be there yet
	changes bool                 // the registry
	each    bool                 // what is in a list is done or refused by itself, which the answer tells
	kind    string               // of the answer, if that is no envelope
	wrong   []trial              // beside what follows from the document
}

// trial is a request that is refused.
type trial struct {
	body   func(fixture) string
	path   func(fixture) string // nil: the row's
	query  string
	status int // 0: 400
	faults string
}

// fixture is a server with an object of every kind, and a spare one of those that
// can be in use.
type fixture struct {
	seeded
	spareKey, tokenID string
	tlsPeer           string            // the body of a peer with all that can be set
	tokens            map[string]string // by who has them
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	f := fixture{seeded: seed(t), tokens: map[string]string{"admin": testToken}}
	f.spareKey = f.must(t, "POST", tsigsPath, `{"name":"spare.","algo":"hmac-sha1","secret":"YQ=="}`)
	f.must(t, "POST", outgoingPath(zoneOne), f.outgoingBody("example.org"))
	f.must(t, "POST", outgoingPath(zoneOut), f.outgoingBody("out.example"))
	for _, name := range []string{"metrics", "read", "edit", "foreign"} {
		f.tokens[name] = f.token(t, callers[name])
	}
	f.tlsPeer = peerWithTLS(t)
	_, f.tokenID = f.tokenAndID(t, callers["edit"])
	f.copies[zoneOne], f.earlier[zoneOne] = copyOf(t), []*zone.Zone{versionOf(t, 5)}
	f.statuses[zoneOne] = Status{State: "serving", Serial: 6, Held: &Held{Serial: 7, Since: startOfTest}}
	return f
}

// none is an id that nothing has.
const none = "00000000000000000000000000000000"

// path fills the row's ids into a route.
func (f fixture) path(r route, row row) string {
	id, zone := f.bare, zoneOne
	if row.id != nil {
		id = row.id(f)
	}
	if row.zone != "" {
		zone = row.zone
	}
	return filled(r.path, accountA, zone, id)
}

// parameters are those of a route's path.
var parameters = regexp.MustCompile(`:\w+`)

// filled puts ids into a route's path; what is neither of an account nor of a zone
// gets the last.
func filled(path, account, zone, id string) string {
	return parameters.ReplaceAllStringFunc(path, func(parameter string) string {
		switch parameter {
		case ":account_id":
			return account
		case ":zone_id":
			return zone
		}
		return id
	})
}

// TestMatrix tries, with every route of the table, everything that can be right
// and wrong, and sees that what is refused changes nothing.
func TestMatrix(t *testing.T) {
	t.Parallel()
	routes := newWorld(t).resources()
	for _, r := range routes {
		name := r.method + " " + r.path
		row, ok := matrix[name]
		if !ok {
			t.Errorf("%s has no row in the matrix: see type row", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &trier{t: t, fixture: newFixture(t), route: r, row: row}
			m.try()
		})
	}
	for name := range matrix {
		if !slices.ContainsFunc(routes, func(r route) bool { return r.method+" "+r.path == name }) {
			t.Errorf("the matrix has a row for %s, which is no route", name)
		}
	}
}

// trier tries one route.
type trier struct {
	fixture
	t     *testing.T
	route route
	row   row
	tried int
}

func (m *trier) try() {
	before := m.Registry.Revision()
	m.callers()
	m.paths()
	m.bodies()
	m.members()
	m.preconditions()
	for _, trial := range m.row.wrong {
		m.trial(trial)
	}
	if m.Registry.Revision() != before || len(m.forced) != 0 {
		m.t.Errorf("a refused request changed something: revision %d became %d, orders %v", before, m.Registry.Revision(), m.forced)
	}
	if m.tried < 5 {
		m.t.Errorf("only %d refusals were tried", m.tried)
	}
	m.t.Logf("%d refusals", m.tried)
	m.succeed()
	if m.row.changes {
		m.fail()
	}
}

// here is the path of the row; good its body.
func (m *trier) here() string { return m.fixture.path(m.route, m.row) }

func (m *trier) good() string {
	if m.row.body == nil {
		return ""
	}
	return m.row.body(m.fixture)
}

// refuse makes a request and fails unless it is refused like that.
func (m *trier) refuse(what, token, method, path, body string, status int, faults string) answer {
	m.t.Helper()
	m.tried++
	got := m.as(m.t, token, method, path, body)
	if got.status != status || got.faults() != faults {
		m.t.Errorf("%s: %s %s %.200s\n got %d %s\nwant %d %s\n%.500s", what, method, path, body, got.status, got.faults(), status, faults, got.body)
	}
	return got
}

// callers tries who may not.
func (m *trier) callers() {
	decision := decisions[m.route.who]
	unknown := "10000"
	if strings.HasSuffix(m.route.path, "/tokens/verify") {
		unknown = "1000"
	}
	for _, token := range []string{"", "wrong", tokenMark + m.tokenID + "_wrong"} {
		for _, path := range []string{m.here(), basePath + m.here()} {
			m.refuse("no token", token, m.route.method, path, m.good(), 401, unknown)
		}
	}
	for who, want := range decision {
		elsewhere := who == "foreign" && strings.Contains(m.route.path, ":account_id")
		switch {
		case want == 403:
			m.refuse("by "+who, m.tokens[who], m.route.method, m.here(), m.good(), 403, "9109")
		case elsewhere:
			m.refuse("by "+who, m.tokens[who], m.route.method, m.here(), m.good(), 404, "2210")
		case want == 404 && !m.row.creates:
			m.refuse("by "+who, m.tokens[who], m.route.method, m.here(), m.good(), 404, fmt.Sprint(int(m.row.absent)))
		case want == 404: // a zone id that another account has can't be taken
			path := strings.Replace(m.here(), zoneTwo, zoneOne, 1)
			m.refuse("by "+who, m.tokens[who], m.route.method, path, m.good(), 404, fmt.Sprint(int(m.row.absent)))
		}
	}
}

// paths tries ids that can't be any, ids of nothing and of others, and another
// method.
func (m *trier) paths() {
	for _, parameter := range parameters.FindAllString(m.route.path, -1) {
		for _, odd := range []string{"a%2Fb", "a%20b", "..", "%00", "%FF", strings.Repeat("a", 65)} {
			path := m.fixture.path(route{path: strings.Replace(m.route.path, parameter, odd, 1)}, m.row)
			m.refuse("no id", testToken, m.route.method, path, m.good(), 404, "7003")
		}
	}
	absent := fmt.Sprint(int(m.row.absent))
	if m.row.absent != 0 && !m.row.creates {
		m.refuse("nothing there", testToken, m.route.method, filled(m.route.path, accountA, none, none), m.good(), 404, absent)
	}
	if strings.Contains(m.route.path, ":account_id") && strings.Contains(m.route.path, ":id") {
		path := strings.Replace(m.here(), accountA, accountB, 1)
		m.refuse("another's object", testToken, m.route.method, path, m.good(), 404, absent)
		m.refuse("another's object", m.tokens["foreign"], m.route.method, path, m.good(), 404, absent)
	}
	got := m.refuse("no such method", testToken, "TRACE", m.here(), "", 405, "7001")
	if !strings.Contains(got.header.Get("Allow"), m.route.method) {
		m.t.Errorf("405 allows %q", got.header.Get("Allow"))
	}
}

// bodies tries what is no JSON object; a route that reads none takes anything that
// is not too long.
func (m *trier) bodies() {
	if m.row.body == nil {
		if m.route.method != http.MethodGet {
			m.refuse("too long", testToken, m.route.method, m.here(), strings.Repeat(" ", m.most()+1), 413, "2003")
		}
		return
	}
	good := m.good()
	deep := strings.Repeat(`{"x":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)
	for body, faults := range map[string]string{
		"": "2001", " ": "2001", "not JSON": "2001", good + "x": "2001", good + good: "2001", good + ",": "2001", good[:len(good)-1]: "2001",
		"null": "2002", "[]": "2002", "[" + good + "]": "2002", `"text"`: "2002", "7": "2002", "true": "2002",
		`{"x":1,"x":2}`: "2111 /x", "{\"x\":\"\xff\"}": "2001", `{"x":"\ud800"}`: "2001 /x", `{"x":` + deep + "}": "2001 " + strings.Repeat("/x", maxDepth+1),
	} {
		if body != "" || m.described()["required"] == true {
			m.refuse("no object", testToken, m.route.method, m.here(), body, 400, faults)
		}
	}
	long := good[:len(good)-1] + `,"x":"` + strings.Repeat("a", m.most()) + `"}`
	m.refuse("too long", testToken, m.route.method, m.here(), long, 413, "2003")
	r := m.request(m.t, m.route.method, m.here(), long)
	r.ContentLength = -1 // as in chunks
	if got := m.do(m.t, r); got.status != 413 || got.faults() != "2003" {
		m.t.Errorf("too long in chunks: %s", got.body)
	}
}

// most is how many octets the body may have.
func (m *trier) most() int {
	if strings.HasSuffix(m.route.path, bulkPath) {
		return int(m.MaxBulkBody)
	}
	return int(m.MaxBody)
}

// described is what the document has about the body.
func (m *trier) described() map[string]any {
	template, _ := contractOf(m.t).template(m.here())
	return contractOf(m.t).at("paths", template, strings.ToLower(m.route.method), "requestBody")
}

// members tries what the document forbids for each member.
func (m *trier) members() {
	content, _ := m.described()["content"].(map[string]any)
	if (content != nil) != (m.row.body != nil) {
		m.t.Fatalf("a body is described: %t, the row has one: %t", content != nil, m.row.body != nil)
	}
	if content == nil {
		return
	}
	schema := contractOf(m.t).follow(content["application/json"].(map[string]any)["schema"])
	for _, wrong := range wrongBodies(m.t, schema, m.good()) {
		if m.row.each && strings.Count(wrong.fault, "/") > 1 {
			continue
		}
		m.tried++
		got := m.send(m.t, m.route.method, m.here(), wrong.body)
		if got.status != 400 || !slices.Contains(strings.Split(got.faults(), ", "), wrong.fault) {
			m.t.Errorf("%s %s %.300s\n got %d %s\nwant 400 %s", m.route.method, m.here(), wrong.body, got.status, got.faults(), wrong.fault)
		}
	}
}

// preconditions tries the change of an object that is another by now, where the
// document says that this can be told.
func (m *trier) preconditions() {
	template, _ := contractOf(m.t).template(m.here())
	if contractOf(m.t).at("paths", template, strings.ToLower(m.route.method), "responses", "412") == nil {
		return
	}
	for tag, want := range map[string]struct {
		status int
		faults string
	}{`"1000000"`: {412, "2330"}, `W/"7"`: {412, "2330"}, "7": {400, "2005"}} {
		if got := m.ifMatch(m.t, tag, m.route.method, m.here(), m.good()); got.status != want.status || got.faults() != want.faults {
			m.t.Errorf("If-Match: %s: %s", tag, got.body)
		}
	}
}

func (m *trier) trial(trial trial) {
	path, body, status := m.here(), m.good(), 400
	if trial.path != nil {
		path = trial.path(m.fixture)
	}
	if trial.body != nil {
		body = trial.body(m.fixture)
	}
	if trial.status != 0 {
		status = trial.status
	}
	m.refuse("row", testToken, m.route.method, path+trial.query, body, status, trial.faults)
}

// succeed makes the request that is good, with members that nobody knows.
func (m *trier) succeed() {
	before, body := m.Registry.Revision(), m.good()
	if body != "" {
		body = `{"unknown":[{"id":null}],"id~/x":7,` + body[1:]
	}
	r := m.request(m.t, m.route.method, basePath+m.here(), body)
	if m.row.kind != "" {
		m.plain(r)
		return
	}
	got := m.do(m.t, r)
	if got.status != http.StatusOK {
		m.t.Fatalf("the good request: %s", got.body)
	}
	if changed := m.Registry.Revision() != before; changed != m.row.changes {
		m.t.Errorf("the good request changed something: %t, want %t", changed, m.row.changes)
	}
	if m.row.body == nil || m.row.each {
		return
	}
	var sent, given map[string]any
	if err := json.Unmarshal([]byte(m.good()), &sent); err != nil {
		m.t.Fatal(err)
	}
	if json.Unmarshal(got.env.Result, &given) != nil {
		return // an order: the result is a word
	}
	if !holds(given, sent) {
		m.t.Errorf("sent %s\n got %s", m.good(), got.body)
	}
}

// plain makes a request whose answer has no envelope, and may have no end.
func (m *trier) plain(r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), then: cancel}
	m.http.Handler.ServeHTTP(w, r.WithContext(ctx))
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != m.row.kind || w.Body.Len() == 0 {
		m.t.Errorf("%d with %q and %q", w.Code, kind, w.Body)
	}
}

// firstWrite ends a request once its answer has begun.
type firstWrite struct {
	*httptest.ResponseRecorder
	then func()
}

func (w *firstWrite) Write(b []byte) (int, error) {
	defer w.then()
	return w.ResponseRecorder.Write(b)
}

// holds reports whether all that was sent is in what is given. What is secret is
// not given back.
func holds(given, sent any) bool {
	members, ok := sent.(map[string]any)
	if !ok {
		return reflect.DeepEqual(given, sent)
	}
	back, _ := given.(map[string]any)
	for name, v := range members {
		if name != "client_key" && !holds(back[name], v) {
			return false
		}
	}
	return true
}

// fail makes a change that can't be stored.
func (m *trier) fail() {
	m.fixture = newFixture(m.t)
	before := m.Registry.Revision()
	if err := m.Registry.Close(); err != nil {
		m.t.Fatal(err)
	}
	got := m.send(m.t, m.route.method, m.here(), m.good())
	if got.status != 503 || got.faults() != "2403" || m.Registry.Revision() != before {
		m.t.Errorf("with a registry that is closed: %s", got.body)
	}
}

// Every route is held to the rate of its token.
func TestRateMatrix(t *testing.T) {
	t.Parallel()
	s := seeded{world: newWorld(t, func(o *Options) { o.TokenRate = 1 })}
	for _, r := range s.resources() {
		path := filled(r.path, accountA, none, none)
		var got answer
		for range 5 { // a second may pass between two of them
			request := s.request(t, r.method, path, "")
			ctx, cancel := context.WithCancel(t.Context())
			if r.path == "/secondaryd/events" {
				cancel() // it would not end
			}
			recorder := httptest.NewRecorder()
			s.http.Handler.ServeHTTP(recorder, request.WithContext(ctx))
			cancel()
			if recorder.Code != http.StatusTooManyRequests {
				continue
			}
			contractOf(t).judge(t, r.method, path, recorder.Code, recorder.Header(), recorder.Body.Bytes())
			got = check(t, recorder.Result())
			break
		}
		if got.status != 429 || got.faults() != "2310" || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
		}
	}
}

// What needs no token is answered without one, to GET and HEAD alone.
func TestPlainMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "x 1\n")
		})
	})
	for _, r := range w.plain() {
		for _, method := range []string{"GET", "HEAD"} {
			recorder := httptest.NewRecorder()
			w.http.Handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, r.path, nil))
			if recorder.Code != http.StatusOK || method == "GET" && recorder.Body.Len() == 0 {
				t.Errorf("%s %s: %d", method, r.path, recorder.Code)
			}
			if method == "GET" {
				contractOf(t).judge(t, method, r.path, recorder.Code, recorder.Header(), bytes.TrimSpace(recorder.Body.Bytes()))
			}
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if got := w.send(t, method, r.path, "{}"); got.status != 405 || got.faults() != "7001" || got.header.Get("Allow") == "" {
				t.Errorf("%s %s: %s", method, r.path, got.body)
			}
		}
	}
}
