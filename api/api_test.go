package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"secondaryd/internal/certtest"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testToken = "correct horse battery staple"
	accountA  = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	accountB  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	zoneOne   = "11111111111111111111111111111111"
	zoneTwo   = "22222222222222222222222222222222"
	zoneOut   = "33333333333333333333333333333333"
	peersPath = "/accounts/" + accountA + "/secondary_dns/peers"
	tsigsPath = "/accounts/" + accountA + "/secondary_dns/tsigs"
	aclsPath  = "/accounts/" + accountA + "/secondary_dns/acls"
)

var startOfTest = time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC)

func incomingPath(zone string) string { return "/zones/" + zone + "/secondary_dns/incoming" }
func forcePath(zone string) string    { return "/zones/" + zone + "/secondary_dns/force_axfr" }

func outgoingPath(zone string) string { return "/zones/" + zone + "/secondary_dns/outgoing" }

// world is a server with everything around it scripted.
type world struct {
	*Server
	mu       sync.Mutex
	statuses map[string]Status
	copies   map[string]*zone.Zone
	earlier  map[string][]*zone.Zone // the newest first
	forced   []string
	forceErr error
	found    []Diagnosis
	busy     bool
	changed  chan struct{}
	now      time.Time
}

func (w *world) Status(zone string) (Status, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.statuses[zone]
	if s.Activity == "" {
		s.Activity = "idle"
	}
	return s, ok
}

// WaitSerial waits for a serial by looking again, as the engine does not; the
// next change never comes.
func (w *world) WaitSerial(ctx context.Context, zone string, serial *uint32) error {
	for {
		if s, _ := w.Status(zone); serial != nil && s.Serial == *serial {
			return nil
		}
		if w.busy {
			return ErrBusy
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *world) Copy(id string) (*zone.Zone, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	z, ok := w.copies[id]
	return z, ok
}

func (w *world) ForceTransfer(zone string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forced = append(w.forced, zone)
	return w.forceErr
}

func (w *world) Release(zone string, serial uint32) error {
	return w.orderHeld("release", zone, serial)
}

func (w *world) Discard(zone string, serial uint32) error {
	return w.orderHeld("discard", zone, serial)
}

func (w *world) orderHeld(order, zone string, serial uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.statuses[zone].Held
	switch {
	case held == nil:
		return ErrNothingHeld
	case held.Serial != serial:
		return ErrOtherHeld
	}
	w.forced = append(w.forced, order+" "+zone)
	return w.forceErr
}

func (w *world) Diagnose(ctx context.Context, zone string, tell func(Diagnosis)) ([]Diagnosis, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forced = append(w.forced, "diagnose "+zone)
	for _, d := range w.found {
		for i := range d.Steps {
			if tell != nil && w.forceErr == nil {
				tell(Diagnosis{Peer: d.Peer, Address: d.Address, Steps: d.Steps[:i+1]})
			}
		}
	}
	return w.found, errors.Join(w.forceErr, ctx.Err())
}

func (w *world) Versions(id string) (list []Version, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if z, ok := w.copies[id]; ok {
		list = append(list, Version{Serial: z.Serial(), State: "served", Received: startOfTest, Records: z.Records(), Changes: true})
	}
	for _, z := range w.earlier[id] {
		list = append(list, Version{Serial: z.Serial(), State: "kept"})
	}
	return list, w.forceErr
}

func (w *world) Version(id string, serial uint32) (*zone.Zone, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, z := range append(w.earlier[id], w.copies[id]) {
		if z != nil && z.Serial() == serial {
			return z, w.forceErr
		}
	}
	return nil, ErrNoVersion
}

func (w *world) Rollback(_ context.Context, id string, serial *uint32, by string) (uint32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.earlier[id]) == 0 {
		return 0, ErrNoVersion
	}
	to := w.earlier[id][0].Serial()
	if serial != nil {
		to = *serial
	}
	w.forced = append(w.forced, fmt.Sprintf("rollback %s to %d by %s", id, to, by))
	return to, w.forceErr
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{statuses: make(map[string]Status), copies: make(map[string]*zone.Zone), earlier: make(map[string][]*zone.Zone), changed: make(chan struct{}), now: startOfTest}
	reg, err := registry.Open(registry.Options{Dir: t.TempDir(), Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	options := Options{Listen: "127.0.0.1:0", Registry: reg, Zones: w, Refresher: w, Diagnoser: w, Copies: w, Versions: w, Tokens: NewTokens(testToken), Now: func() time.Time { return w.now }}
	for _, fn := range change {
		fn(&options)
	}
	if w.Server, err = New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// answer is what came back, with the envelope taken apart.
type answer struct {
	status int
	header http.Header
	body   string
	env    struct {
		Result   json.RawMessage
		Success  *bool
		Errors   []fault
		Messages []fault
	}
}

// send makes a request with the token and fails unless the answer is a sound
// envelope, and as openapi.yaml describes it.
func (w *world) send(t testing.TB, method, path, body string) answer {
	t.Helper()
	return w.do(t, w.request(t, method, path, body))
}

func (w *world) request(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+testToken)
	return r
}

func (w *world) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.http.Handler.ServeHTTP(recorder, r)
	contractOf(t).judge(t, r.Method, r.URL.EscapedPath(), recorder.Code, recorder.Header(), recorder.Body.Bytes())
	return check(t, recorder.Result())
}

func check(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Fatalf("Content-Type %q of %q", got, body)
	}
	if err := json.Unmarshal(body, &a.env); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	good := a.status == http.StatusOK
	if a.env.Success == nil || *a.env.Success != good || a.env.Errors == nil || a.env.Messages == nil ||
		len(a.env.Result) == 0 || good == (string(a.env.Result) == "null") || good != (len(a.env.Errors) == 0) {
		t.Fatalf("%d with %s", a.status, body)
	}
	for _, e := range a.env.Errors {
		if e.Code < 1000 || e.Message == "" || e.DocumentationURL != fmt.Sprintf("http://example.com/docs/errors#%d", e.Code) &&
			!strings.HasPrefix(e.DocumentationURL, "http://127.0.0.1:") {
			t.Fatalf("error %+v", e)
		}
	}
	return a
}

// must sends a request that has to succeed and returns the result's id.
func (w *world) must(t testing.TB, method, path, body string) string {
	t.Helper()
	a := w.send(t, method, path, body)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s %s: %s", method, path, body, a.body)
	}
	var result struct{ ID string }
	_ = json.Unmarshal(a.env.Result, &result) // actions and lists have none
	return result.ID
}

// faults sums up an answer's errors as "code pointer, ...".
func (a answer) faults() string {
	texts := make([]string, len(a.env.Errors))
	for i, e := range a.env.Errors {
		texts[i] = fmt.Sprint(int(e.Code))
		if e.Source != nil {
			texts[i] += " " + e.Source.Pointer
		}
	}
	return strings.Join(texts, ", ")
}

// seeded has a key, a peer with it, a bare peer, a peer of another account, an
// ACL, and the zone example.org of the first peer under zoneOne.
type seeded struct {
	*world
	key, peer, bare, foreign, acl string
}

func seed(t testing.TB) seeded {
	t.Helper()
	s := seeded{world: newWorld(t)}
	s.key = s.must(t, "POST", tsigsPath, `{"name":"key.example.","algo":"hmac-sha256.","secret":"c2VjcmV0"}`)
	s.peer = s.must(t, "POST", peersPath, `{"name":"one","ip":"192.0.2.53","port":53,"ixfr_enable":true,"tsig_id":"`+s.key+`"}`)
	s.bare = s.must(t, "POST", peersPath, `{"name":"bare"}`)
	s.foreign = s.must(t, "POST", "/accounts/"+accountB+"/secondary_dns/peers", `{"name":"foreign"}`)
	s.acl = s.must(t, "POST", aclsPath, `{"name":"net","ip_range":"192.0.2.53/28"}`)
	s.must(t, "POST", incomingPath(zoneOne), s.zoneBody("example.org"))
	return s
}

func (s seeded) zoneBody(name string) string {
	return fmt.Sprintf(`{"name":%q,"auto_refresh_seconds":300,"peers":[%q]}`, name, s.peer)
}

func (s seeded) outgoingBody(name string) string {
	return fmt.Sprintf(`{"name":%q,"peers":[%q]}`, name, s.peer)
}

func TestIncoming(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneTwo)
	created := s.send(t, "POST", path, fmt.Sprintf(
		`{"id":"ignored","name":"Example.net.","auto_refresh_seconds":3.000e2,"peers":[%q,%q],"soa_serial":7}`, s.bare, s.peer))
	want := fmt.Sprintf(`{"result":{"id":%q,"name":"Example.net.","peers":[%q,%q],"auto_refresh_seconds":300,"soa_serial":0,`+
		`"created_time":"2026-01-02T03:04:05.678900Z","modified_time":"2026-01-02T03:04:05.678900Z","checked_time":"2026-01-02T03:04:05.678900Z"},`+
		`"success":true,"errors":[],"messages":[]}`+"\n", zoneTwo, s.bare, s.peer)
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Error(diff)
	}
	if got := s.send(t, "GET", "/client/v4"+path, ""); got.body != want {
		t.Errorf("GET gives %s", got.body)
	}

	s.now = startOfTest.Add(time.Hour)
	s.statuses[zoneTwo] = Status{Serial: 4294967295, Checked: startOfTest.Add(time.Minute)}
	updated := s.send(t, "PUT", path, fmt.Sprintf(`{"name":"example.net","peers":[%q]}`, s.peer))
	want = fmt.Sprintf(`{"result":{"id":%q,"name":"example.net","peers":[%q],"auto_refresh_seconds":86400,"soa_serial":4294967295,`+
		`"created_time":"2026-01-02T03:04:05.678900Z","modified_time":"2026-01-02T04:04:05.678900Z","checked_time":"2026-01-02T03:05:05.678900Z"},`+
		`"success":true,"errors":[],"messages":[]}`+"\n", zoneTwo, s.peer)
	if diff := cmp.Diff(want, updated.body); diff != "" {
		t.Error(diff)
	}
	if zone, _ := s.Registry.Zone(zoneTwo); zone.Account != accountA {
		t.Errorf("account %q", zone.Account)
	}

	deleted := s.send(t, "DELETE", path, "")
	if want := `{"result":{"id":"` + zoneTwo + `"},"success":true,"errors":[],"messages":[]}` + "\n"; deleted.body != want {
		t.Error(deleted.body)
	}
	if got := s.send(t, "GET", path, ""); got.status != 404 {
		t.Errorf("after the deletion: %s", got.body)
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.send(t, "GET", peersPath, "").body; got != `{"result":[],"success":true,"errors":[],"messages":[]}`+"\n" {
		t.Error(got)
	}
	id := w.must(t, "POST", peersPath, `{"name":"only a <name> & no more"}`)
	one := peersPath + "/" + id
	show := func(rest string) string {
		return `{"result":{"id":"` + id + `",` + rest + `},"success":true,"errors":[],"messages":[]}` + "\n"
	}
	if got, want := w.send(t, "GET", one, "").body, show(`"name":"only a <name> & no more"`); got != want {
		t.Errorf("got %s", got)
	}
	key := w.must(t, "POST", tsigsPath, `{"name":"k","algo":"hmac-sha1","secret":"c2VjcmV0"}`)
	for _, step := range []struct{ body, want string }{
		{`{"name":"n","ip":"2001:DB8::1","port":5.3e1,"ixfr_enable":false,"tsig_id":"` + key + `"}`, `"name":"n","ip":"2001:DB8::1","port":53,"ixfr_enable":false,"tsig_id":"` + key + `"`},
		{`{"name":"n","ip":"192.0.2.1","port":0,"tsig_id":null,"ixfr_enable":null}`, `"name":"n","ip":"192.0.2.1","port":0`},
		{`{"name":"n","ip":"","port":null,"tsig_id":""}`, `"name":"n"`},
	} {
		if got, want := w.send(t, "PUT", one, step.body).body, show(step.want); got != want {
			t.Errorf("%s\n got %s\nwant %s", step.body, got, want)
		}
	}
	if got := w.send(t, "DELETE", one, "").body; got != `{"result":{"id":"`+id+`"},"success":true,"errors":[],"messages":[]}`+"\n" {
		t.Error(got)
	}
	if got := w.send(t, "GET", one, ""); got.faults() != "2202" {
		t.Error(got.body)
	}
}

// testPin is the digest of some key.
const testPin = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

// What is set of TLS is shown, but for the private key, and what is not put
// again is unset, with the whole member.
func TestPeerTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ca := certtest.Authority(t)
	client := ca.Issue(t, "client.example")
	quoted := func(text string) string {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	pair := `"client_certificate":` + quoted(client.PEM())
	id := w.must(t, "POST", peersPath, `{"name":"n"}`)
	one := peersPath + "/" + id
	for _, step := range []struct{ body, want string }{
		{`"tls":{"name":"Primary.example."}`, `,"tls":{"name":"Primary.example."}`},
		{`"tls":{"pins":["` + testPin + `"]}`, `,"tls":{"pins":["` + testPin + `"]}`},
		{
			`"tls":{"client_key":` + quoted(client.KeyPEM(t)) + `,` + pair + `,"ca_certificate":` + quoted(ca.PEM()) + `,"name":"a","pins":["` + testPin + `"]}`,
			`,"tls":{"name":"a","pins":["` + testPin + `"],"ca_certificate":` + quoted(ca.PEM()) + `,` + pair + `}`,
		},
		{`"tls":{"name":"a"}`, `,"tls":{"name":"a"}`},
		{`"tls":null`, ``},
		{`"tls":{"name":"a"}`, `,"tls":{"name":"a"}`},
		{`"port":853`, `,"port":853`},
	} {
		want := `{"result":{"id":"` + id + `","name":"n"` + step.want + `},"success":true,"errors":[],"messages":[]}` + "\n"
		if got := w.send(t, "PUT", one, `{"name":"n",`+step.body+`}`).body; got != want {
			t.Errorf("%s\n got %s\nwant %s", step.body, got, want)
		}
		if got := w.send(t, "GET", one, "").body; got != want {
			t.Errorf("%s\nread %s\nwant %s", step.body, got, want)
		}
	}
	// A certificate without its key is refused: the one from before is not kept.
	full := `{"name":"n","tls":{"name":"a","client_key":` + quoted(client.KeyPEM(t)) + `,` + pair + `}}`
	w.must(t, "PUT", one, full)
	if got := w.send(t, "PUT", one, `{"name":"n","tls":{"name":"a",`+pair+`}}`).faults(); got != "2102 /tls/client_key" {
		t.Errorf("got %s", got)
	}
	if p, _ := w.Registry.Peer(id); p.TLS == nil || p.TLS.ClientKey.Reveal() != client.KeyPEM(t) {
		t.Error("the key is not what was put")
	}
}

func TestTSIGs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"name":"Tsig.Example","algo":"HMAC-SHA512","secret":"` + strings.Repeat("caf79a7804b04337", 12) + `"}`
	id := w.must(t, "POST", tsigsPath, body)
	want := `{"id":"` + id + `",` + body[1:]
	if got := w.send(t, "GET", tsigsPath, ""); string(got.env.Result) != "["+want+"]" {
		t.Error(got.body)
	}
	if got := w.send(t, "GET", tsigsPath+"/"+id, ""); string(got.env.Result) != want {
		t.Error(got.body)
	}
	if got := w.send(t, "PUT", tsigsPath+"/"+id, `{"name":"n","algo":"hmac-sha224.","secret":"YQ=="}`); string(got.env.Result) != `{"id":"`+id+`","name":"n","algo":"hmac-sha224.","secret":"YQ=="}` {
		t.Error(got.body)
	}
	w.must(t, "DELETE", tsigsPath+"/"+id, "")
}

func TestACLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.must(t, "POST", aclsPath, `{"name":"my-acl-1","ip_range":"192.0.2.53/28"}`)
	w.now = startOfTest.Add(time.Second)
	w.must(t, "PUT", aclsPath+"/"+id, `{"name":"other","ip_range":"2001:DB8::1/64"}`)
	want := `[{"id":"` + id + `","name":"other","ip_range":"2001:DB8::1/64","created_time":"2026-01-02T03:04:05.678900Z","modified_time":"2026-01-02T03:04:06.678900Z"}]`
	if got := w.send(t, "GET", aclsPath, ""); string(got.env.Result) != want {
		t.Error(got.body)
	}
	w.must(t, "DELETE", aclsPath+"/"+id, "")
}

func TestForceAXFR(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for _, body := range []string{"", "null", "{}", `{"any":"thing"}`, "not JSON"} {
		if got := s.send(t, "POST", forcePath(zoneOne), body); string(got.env.Result) != `"OK"` {
			t.Errorf("%q: %s", body, got.body)
		}
	}
	if len(s.forced) != 5 || s.forced[0] != zoneOne {
		t.Errorf("forced %v", s.forced)
	}
	if got := s.send(t, "POST", forcePath(zoneTwo), ""); got.status != 404 || got.faults() != "2201" {
		t.Error(got.body)
	}
	s.forceErr = errors.New("queue is full")
	if got := s.send(t, "POST", forcePath(zoneOne), ""); got.status != 503 || got.faults() != "2404" || strings.Contains(got.body, "queue is full") {
		t.Error(got.body)
	}
}

func TestVerifyToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/user/tokens/verify", "/client/v4/user/tokens/verify", "/accounts/" + accountA + "/tokens/verify"} {
		got := w.send(t, "GET", path, "")
		if want := `{"id":"` + fixedID + `","status":"active"}`; string(got.env.Result) != want {
			t.Errorf("%s: %s", path, got.body)
		}
		r := w.request(t, "GET", path, "")
		r.Header.Set("Authorization", "Bearer wrong")
		if got := w.do(t, r); got.status != 401 || got.faults() != "1000" {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

// A refused request says what is wrong and changes nothing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := seed(t)
	thirtyOne := strings.TrimSuffix(strings.Repeat(`"x",`, 31), ",")
	zone := incomingPath(zoneOne)
	other, out := incomingPath(zoneTwo), outgoingPath(zoneTwo)
	s.must(t, "POST", outgoingPath(zoneOut), fmt.Sprintf(`{"name":"out.example","peers":[%q]}`, s.bare))
	onePeer, oneKey, oneACL := peersPath+"/"+s.peer, tsigsPath+"/"+s.key, aclsPath+"/"+s.acl
	longBody := `{"name":"` + strings.Repeat("a", 1<<20) + `"}`
	missing := "/00000000000000000000000000000000"
	peer := func(rest string) string { return `{"name":"n",` + rest + `}` }
	refresh := func(n string) string {
		return `{"name":"a.example","auto_refresh_seconds":` + n + `,"peers":["` + s.peer + `"]}`
	}
	peerList := func(list string) string {
		return `{"name":"a.example","auto_refresh_seconds":300,"peers":` + list + `}`
	}
	key := func(name, algo, secret string) string {
		return fmt.Sprintf(`{"name":%s,"algo":%s,"secret":%s}`, name, algo, secret)
	}
	tests := []struct {
		method, path, body string
		status             int
		faults             string
	}{
		// Objects that are not there, or are another account's.
		{"GET", peersPath + missing, "", 404, "2202"},
		{"PUT", peersPath + missing, `{"name":"n"}`, 404, "2202"},
		{"DELETE", peersPath + missing, "", 404, "2202"},
		{"GET", peersPath + "/" + s.foreign, "", 404, "2202"},
		{"PUT", peersPath + "/" + s.foreign, `{"name":"n"}`, 404, "2202"},
		{"DELETE", peersPath + "/" + s.foreign, "", 404, "2202"},
		{"GET", tsigsPath + missing, "", 404, "2203"},
		{"PUT", tsigsPath + missing, key(`"k"`, `"hmac-sha1"`, `"YQ=="`), 404, "2203"},
		{"DELETE", tsigsPath + missing, "", 404, "2203"},
		{"GET", aclsPath + missing, "", 404, "2204"},
		{"PUT", aclsPath + missing, `{"name":"n","ip_range":"192.0.2.1/32"}`, 404, "2204"},
		{"DELETE", aclsPath + missing, "", 404, "2204"},
		{"GET", other, "", 404, "2201"},
		{"PUT", other, s.zoneBody("a.example"), 404, "2201"},
		{"DELETE", other, "", 404, "2201"},
		// Paths and methods.
		{"GET", "/", "", 404, "7000"},
		{"GET", "/nowhere", "", 404, "7000"},
		{"GET", "/client/v4", "", 404, "7000"},
		{"GET", zone + "/", "", 404, "7000"},
		{"POST", "/client/v4/zones/" + zoneOne + "/nothing", "", 404, "7000"},
		{"PATCH", zone, "{}", 405, "7001"},
		{"GET", forcePath(zoneOne), "", 405, "7001"},
		{"OPTIONS", peersPath, "", 405, "7001"},
		{"POST", "/healthz", "", 405, "7001"},
		{"GET", "/zones/a%2Fb/secondary_dns/incoming", "", 404, "7003"},
		{"GET", "/zones/../secondary_dns/incoming", "", 404, "7003"},
		{"GET", "/zones/" + strings.Repeat("a", 65) + "/secondary_dns/incoming", "", 404, "7003"},
		{"POST", "/accounts/a%20b/secondary_dns/peers", `{"name":"n"}`, 404, "7003"},
		{"GET", peersPath + "/%00", "", 404, "7003"},
		// Bodies.
		{"POST", other, "", 400, "2001"},
		{"POST", other, "not JSON", 400, "2001"},
		{"POST", other, s.zoneBody("a.example") + "x", 400, "2001"},
		{"POST", other, "null", 400, "2002"},
		{"POST", other, "[]", 400, "2002"},
		{"PUT", onePeer, `"text"`, 400, "2002"},
		{"POST", peersPath, longBody, 413, "2003"},
		{"POST", peersPath, "{\"name\":\"\xff\"}", 400, "2001"},
		{"POST", peersPath, `{"name":"\ud800"}`, 400, "2001 /name"},
		{"POST", peersPath, `{"name":"a","name":"b"}`, 400, "2111 /name"},
		{"POST", peersPath, `{"name":"a","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, 400, "2001 /x" + strings.Repeat("/0", 32)},
		// Incoming.
		{"POST", zone, s.zoneBody("a.example"), 400, "2301"},
		{"POST", other, s.zoneBody("EXAMPLE.org."), 400, "2109 /name"},
		{"POST", other, `{}`, 400, "2102 /name, 2102 /peers"},
		{"POST", other, `{"name":null,"peers":null,"auto_refresh_seconds":"x"}`, 400, "2102 /name, 2102 /peers, 2101 /auto_refresh_seconds"},
		{"POST", other, s.zoneBody(""), 400, "2102 /name"},
		{"POST", other, s.zoneBody("a b"), 400, "2103 /name"},
		{"POST", other, s.zoneBody("a..b"), 400, "2103 /name"},
		{"POST", other, s.zoneBody("bücher.example"), 400, "2103 /name"},
		{"POST", other, s.zoneBody(strings.Repeat("a", 64) + ".example"), 400, "2103 /name"},
		{"POST", other, s.zoneBody(strings.Repeat("a.", 130)), 400, "2103 /name"},
		{"POST", other, refresh("299"), 400, "2104 /auto_refresh_seconds"},
		{"POST", other, refresh("-300"), 400, "2104 /auto_refresh_seconds"},
		{"POST", other, refresh("0"), 400, "2104 /auto_refresh_seconds"},
		{"POST", other, refresh("2147483648"), 400, "2104 /auto_refresh_seconds"},
		{"POST", other, refresh("1e999999999999"), 400, "2104 /auto_refresh_seconds"},
		{"POST", other, refresh("300.5"), 400, "2101 /auto_refresh_seconds"},
		{"POST", other, refresh("300.0000000000000000000001"), 400, "2101 /auto_refresh_seconds"},
		{"POST", other, refresh(`"300"`), 400, "2101 /auto_refresh_seconds"},
		{"POST", other, refresh(`true`), 400, "2101 /auto_refresh_seconds"},
		{"POST", other, peerList(`{}`), 400, "2101 /peers"},
		{"POST", other, peerList(`"` + s.peer + `"`), 400, "2101 /peers"},
		{"POST", other, peerList(`["` + s.peer + `",7]`), 400, "2101 /peers/1"},
		{"POST", other, peerList(`[null]`), 400, "2101 /peers/0"},
		{"POST", other, peerList(`[]`), 400, "2102 /peers"},
		{"POST", other, peerList(`["` + s.peer + `","nobody"]`), 400, "2106 /peers/1"},
		{"POST", other, peerList(`["` + s.peer + `","` + s.foreign + `"]`), 400, "2106 /peers/1"},
		{"POST", other, peerList(`["` + s.peer + `","` + s.peer + `"]`), 400, "2108 /peers/1"},
		{"POST", other, peerList("[" + thirtyOne + "]"), 400, "2107 /peers"},
		{"POST", zone + "/release", `{"soa_serial":7}`, 400, "2304"},
		{"POST", zone + "/release", `{}`, 400, "2102 /soa_serial"},
		{"POST", zone + "/release", `{"soa_serial":null}`, 400, "2102 /soa_serial"},
		{"POST", zone + "/release", `{"soa_serial":"7"}`, 400, "2101 /soa_serial"},
		{"POST", zone + "/discard", `{"soa_serial":4294967296}`, 400, "2104 /soa_serial"},
		{"POST", zone + "/discard", `{"soa_serial":-1}`, 400, "2104 /soa_serial"},
		{"POST", zone + "/discard", "", 400, "2001"},
		{"POST", other + "/release", `{"soa_serial":7}`, 404, "2201"},
		{"POST", other + "/discard", `{"soa_serial":7}`, 404, "2201"},
		{"GET", other + "/status", "", 404, "2201"},
		{"POST", other + "/diagnose", "", 404, "2201"},
		{"GET", other + "/status?wait=1", "", 404, "2201"},
		{"GET", zone + "/status?wait=61", "", 400, "2320"},
		{"GET", zone + "/status?wait=", "", 400, "2320"},
		{"GET", zone + "/status?wait=-1", "", 400, "2320"},
		{"GET", zone + "/status?wait=1&serial=4294967296", "", 400, "2320"},
		{"GET", zone + "/status?wait=1&serial=x", "", 400, "2320"},
		{"GET", zone + "/status?serial=1", "", 400, "2320"},
		{"GET", other + "/settings", "", 404, "2201"},
		{"PUT", other + "/settings", `{}`, 404, "2201"},
		{"PUT", zone + "/settings", `{"max_shrink_percent":101}`, 400, "2104 /max_shrink_percent"},
		{"PUT", zone + "/settings", `{"max_shrink_percent":-1}`, 400, "2104 /max_shrink_percent"},
		{"PUT", zone + "/settings", `{"max_shrink_percent":"50"}`, 400, "2101 /max_shrink_percent"},
		{"PUT", zone + "/settings", `[]`, 400, "2002"},
		{"PUT", zone, refresh("299"), 400, "2104 /auto_refresh_seconds"},
		{"PUT", zone, `{"name":"a b","peers":["nobody"],"auto_refresh_seconds":1}`, 400, "2104 /auto_refresh_seconds, 2103 /name, 2106 /peers/0"},
		// Outgoing.
		{"GET", out, "", 404, "2205"},
		{"PUT", out, s.outgoingBody("a.example"), 404, "2205"},
		{"DELETE", out, "", 404, "2205"},
		{"POST", out + "/enable", "", 404, "2205"},
		{"POST", out + "/disable", "", 404, "2205"},
		{"GET", out + "/status", "", 404, "2205"},
		{"POST", out + "/force_notify", "", 404, "2205"},
		{"GET", out + "/enable", "", 405, "7001"},
		{"PATCH", out, "{}", 405, "7001"},
		{"GET", outgoingPath("a%2Fb"), "", 404, "7003"},
		{"POST", outgoingPath(zoneOut), s.outgoingBody("out.example"), 400, "2306"},
		{"POST", out, "", 400, "2001"},
		{"POST", out, "not JSON", 400, "2001"},
		{"POST", out, s.outgoingBody("a.example") + "x", 400, "2001"},
		{"POST", out, "null", 400, "2002"},
		{"POST", out, longBody, 413, "2003"},
		{"POST", out, `{"name":"a.example","name":"b.example"}`, 400, "2111 /name"},
		{"POST", out, `{}`, 400, "2102 /name, 2102 /peers"},
		{"POST", out, `{"name":7,"peers":"x"}`, 400, "2101 /name, 2101 /peers"},
		{"POST", out, s.outgoingBody(""), 400, "2102 /name"},
		{"POST", out, s.outgoingBody("a b"), 400, "2103 /name"},
		{"POST", out, s.outgoingBody("EXAMPLE.org."), 400, "2109 /name"},
		{"POST", other, s.zoneBody("OUT.example."), 400, "2109 /name"},
		{"POST", outgoingPath(zoneOne), s.outgoingBody("a.example"), 400, "2307 /name"},
		{"POST", incomingPath(zoneOut), s.zoneBody("a.example"), 400, "2307 /name"},
		{"POST", out, peerList(`[]`), 400, "2102 /peers"},
		{"POST", out, peerList(`["` + s.peer + `",null]`), 400, "2101 /peers/1"},
		{"POST", out, peerList(`["` + s.peer + `","nobody"]`), 400, "2106 /peers/1"},
		{"POST", out, peerList(`["` + s.peer + `","` + s.foreign + `"]`), 400, "2106 /peers/1"},
		{"POST", outgoingPath(zoneOne), `{"name":"example.org","peers":["` + s.foreign + `"]}`, 400, "2106 /peers/0"},
		{"POST", out, peerList(`["` + s.peer + `","` + s.peer + `"]`), 400, "2108 /peers/1"},
		{"POST", out, peerList("[" + thirtyOne + "]"), 400, "2107 /peers"},
		{"PUT", outgoingPath(zoneOut), `{"name":"a b","peers":["nobody"]}`, 400, "2103 /name, 2106 /peers/0"},
		{"DELETE", peersPath + "/" + s.bare, "", 400, "2302"},
		// Peers.
		{"POST", peersPath, `{}`, 400, "2102 /name"},
		{"POST", peersPath, `{"name":7}`, 400, "2101 /name"},
		{"POST", peersPath, `{"name":""}`, 400, "2102 /name"},
		{"POST", peersPath, peer(`"ip":"ns.example"`), 400, "2103 /ip"},
		{"POST", peersPath, peer(`"ip":"192.0.2.0/24"`), 400, "2103 /ip"},
		{"POST", peersPath, peer(`"ip":"0.0.0.0"`), 400, "2105 /ip"},
		{"POST", peersPath, peer(`"ip":"224.0.0.1"`), 400, "2105 /ip"},
		{"POST", peersPath, peer(`"ip":"169.254.169.254"`), 400, "2105 /ip"},
		{"POST", peersPath, peer(`"ip":["192.0.2.1"]`), 400, "2101 /ip"},
		{"POST", peersPath, peer(`"source_ip":"ns.example"`), 400, "2103 /source_ip"},
		{"POST", peersPath, peer(`"source_ip":"::"`), 400, "2105 /source_ip"},
		{"POST", peersPath, peer(`"ip":"192.0.2.1","source_ip":"2001:db8::1"`), 400, "2105 /source_ip"},
		{"POST", peersPath, peer(`"source_ip":7`), 400, "2101 /source_ip"},
		{"POST", peersPath, peer(`"port":65536`), 400, "2104 /port"},
		{"POST", peersPath, peer(`"port":-1`), 400, "2104 /port"},
		{"POST", peersPath, peer(`"port":"53"`), 400, "2101 /port"},
		{"POST", peersPath, peer(`"ixfr_enable":"yes"`), 400, "2101 /ixfr_enable"},
		{"POST", peersPath, peer(`"tsig_id":"nobody"`), 400, "2106 /tsig_id"},
		{"POST", peersPath, peer(`"tls":true`), 400, "2101 /tls"},
		{"POST", peersPath, peer(`"tls":{}`), 400, "2102 /tls"},
		{"POST", peersPath, peer(`"tls":{"name":"","pins":[],"client_key":null}`), 400, "2102 /tls"},
		{"POST", peersPath, peer(`"tls":{"name":7,"pins":"x","client_key":{}}`), 400, "2101 /tls/name, 2101 /tls/pins, 2101 /tls/client_key"},
		{"POST", peersPath, peer(`"tls":{"pins":["x",1]}`), 400, "2101 /tls/pins/1"},
		{
			"POST", peersPath, peer(`"tls":{"pins":["x","YQ=="],"ca_certificate":"y"}`), 400,
			"2102 /tls/name, 2103 /tls/pins/0, 2103 /tls/pins/1, 2103 /tls/ca_certificate",
		},
		{"POST", peersPath, peer(`"tls":{"pins":[` + strings.TrimPrefix(strings.Repeat(`,"x"`, 9), ",") + `]}`), 400, "2107 /tls/pins"},
		{"POST", peersPath, peer(`"tls":{"pins":["` + testPin + `","` + testPin + `"]}`), 400, "2108 /tls/pins/1"},
		{"POST", peersPath, peer(`"tls":{"name":"a b"}`), 400, "2103 /tls/name"},
		{"POST", peersPath, peer(`"tls":{"name":"a","name":"b"}`), 400, "2111 /tls/name"},
		{"POST", peersPath, peer(`"tls":{"name":"a","client_certificate":"x"}`), 400, "2102 /tls/client_key"},
		{"POST", peersPath, peer(`"tls":{"name":"a","client_key":"x"}`), 400, "2102 /tls/client_certificate"},
		{"POST", peersPath, peer(`"tls":{"name":"a","ca_certificate":"` + strings.Repeat("x", 1<<14+1) + `"}`), 400, "2110 /tls/ca_certificate"},
		{"POST", "/accounts/" + accountB + "/secondary_dns/peers", peer(`"tsig_id":"` + s.key + `"`), 400, "2106 /tsig_id"},
		{"PUT", onePeer, peer(`"ip":"x","port":70000,"tsig_id":"nobody"`), 400, "2104 /port, 2103 /ip, 2106 /tsig_id"},
		{"DELETE", onePeer, "", 400, "2302"},
		// TSIGs.
		{"POST", tsigsPath, `{}`, 400, "2102 /name, 2102 /algo, 2102 /secret"},
		{"POST", tsigsPath, key(`"a b"`, `"hmac-md5."`, `"?"`), 400, "2103 /name, 2103 /algo, 2103 /secret"},
		{"POST", tsigsPath, key(`"k"`, `"hmac-sha256."`, `""`), 400, "2102 /secret"},
		{"POST", tsigsPath, key(`"k"`, `"hmac-sha256."`, `"`+strings.Repeat("AAAA", 17000)+`"`), 400, "2110"},
		{"PUT", oneKey, key(`"k"`, `"none"`, `"YQ=="`), 400, "2103 /algo"},
		{"DELETE", oneKey, "", 400, "2303"},
		// ACLs.
		{"POST", aclsPath, `{"name":"n"}`, 400, "2102 /ip_range"},
		{"POST", aclsPath, `{"name":"n","ip_range":"192.0.2.0/23"}`, 400, "2104 /ip_range"},
		{"POST", aclsPath, `{"name":"n","ip_range":"2001:db8::/63"}`, 400, "2104 /ip_range"},
		{"POST", aclsPath, `{"name":"n","ip_range":"192.0.2.1"}`, 400, "2103 /ip_range"},
		{"PUT", oneACL, `{"name":"n","ip_range":7}`, 400, "2101 /ip_range"},
	}
	before := s.Registry.Revision()
	for _, test := range tests {
		got := s.send(t, test.method, test.path, test.body)
		if got.status != test.status || got.faults() != test.faults {
			t.Errorf("%s %s %.200s\n got %d %s\nwant %d %s\n%s", test.method, test.path, test.body, got.status, got.faults(), test.status, test.faults, got.body)
		}
		if test.status == 405 && got.header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow header", test.method, test.path)
		}
	}
	if s.Registry.Revision() != before || len(s.forced) != 0 {
		t.Error("a refused request changed something")
	}
}

func TestForgivingBodies(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for i, body := range []string{
		fmt.Sprintf(` {"name" : "a.example" , "peers":["\u00%x%s"]}`+"\n", s.peer[0], s.peer[1:]),
		fmt.Sprintf(`{"auto_refresh_seconds":null,"name":"\u0061.example","unknown":{"deep":[1,{}]},"peers":[%q]}`, s.peer),
		fmt.Sprintf(`{"auto_refresh_seconds":2147483647,"name":"a\\.b.example","peers":[%q],"name~/x":0}`, s.peer),
		fmt.Sprintf(`{"auto_refresh_seconds":30000e-2,"name":"_x.*.0/25.example","peers":[%q]}`, s.peer),
	} {
		r := s.request(t, "POST", incomingPath(fmt.Sprint("any_id-", i)), body)
		r.Header.Set("Content-Type", "text/plain; charset=latin1")
		if got := s.do(t, r); got.status != http.StatusOK {
			t.Errorf("%s: %s", body, got.body)
		}
		s.must(t, "DELETE", incomingPath(fmt.Sprint("any_id-", i)), "")
	}
}

func TestStoreFailure(t *testing.T) {
	t.Parallel()
	s := seed(t)
	if err := s.Registry.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.send(t, "POST", incomingPath(zoneTwo), s.zoneBody("a.example")); got.status != 503 || got.faults() != "2403" || got.header.Get("Retry-After") == "" {
		t.Error(got.body)
	}
	for err, want := range map[error]code{
		fmt.Errorf("%w: disk", registry.ErrStore): codeStore,
		errors.New("secret detail"):               codeInternal,
		context.Canceled:                          codeStopping,
	} {
		f := failureOf(err)
		if f[0].code != want || strings.Contains(f.Error(), "disk") || strings.Contains(f.Error(), "secret") {
			t.Errorf("%v: %+v", err, f)
		}
	}
}

func TestErrorTable(t *testing.T) {
	t.Parallel()
	seen := make(map[code]bool)
	for _, row := range errorTable {
		if seen[row.code] || row.code < 1000 || row.status < 400 || row.status == 409 || row.text == "" {
			t.Errorf("%+v", row)
		}
		seen[row.code] = true
	}
	for reason, c := range reasonCodes {
		if c.status() != http.StatusBadRequest {
			t.Errorf("reason %d: %d", reason, c.status())
		}
	}
}
