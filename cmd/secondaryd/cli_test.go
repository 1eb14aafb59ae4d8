package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secondaryd/internal/apiclient"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	testToken   = "a-token-that-is-shown-nowhere"
	testAccount = "01a7362d577a6c3019a474fd6f485823"
	zoneID      = "023e105f4ecef8ad9ca31a8372d0c353"
	peerID      = "269d8f4853475ca241c4e730be286b20"
	bulkPath    = "/accounts/" + testAccount + "/secondaryd/zones/bulk"
)

// fakeAPI answers GET with what it holds by path, and notes what is sent.
type fakeAPI struct {
	*httptest.Server
	objects map[string]string
	answers map[string]string // results of what is no GET by path, in place of its body
	fail    int               // status of all that is no GET; 0: they work
	sent    []sentRequest
}

type sentRequest struct{ method, path, body string }

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	peers := "/accounts/" + testAccount + "/secondary_dns/peers"
	peer := `{"id":"` + peerID + `","name":"primary","ip":"192.0.2.53","port":5353,"ixfr_enable":true,"of_tomorrow":1}`
	tlsPeer := `{"id":"tls","name":"tls","tls":{"name":"p.test","client_certificate":"PEM"}}`
	f := &fakeAPI{objects: map[string]string{
		"/zones":                 `[{"id":"` + zoneID + `","name":"example.test","account":{"id":"` + testAccount + `"}}]`,
		"/zones/" + zoneID:       `{"id":"` + zoneID + `","name":"example.test","account":{"id":"` + testAccount + `"}}`,
		incomingPath():           `{"id":"` + zoneID + `","name":"example.test.","peers":["` + peerID + `"],"auto_refresh_seconds":3600,"soa_serial":7}`,
		incomingPath("status"):   `{"id":"` + zoneID + `","name":"example.test.","state":"serving","soa_serial":7,"records":5,"held":{"soa_serial":8,"detail":"too small"},"peers":[]}`,
		incomingPath("versions"): `[{"soa_serial":7,"state":"served","received_time":"2026-01-02T03:04:05Z","records":5,"incremental":true},{"soa_serial":6,"state":"kept"}]`,
		incomingPath("versions/6/diff"): `{"from_soa_serial":6,"to_soa_serial":7,"removed":1,"added":2,"truncated":true,"changes":[` +
			`{"change":"removed","name":"a.example.test.","type":"A","ttl":60,"data":"192.0.2.1"},{"change":"added","name":"a.example.test.","type":"TXT","ttl":60,"data":"\u001b"}]}`,
		peers:                "[" + peer + "," + tlsPeer + "]",
		peers + "/" + peerID: peer,
		peers + "/tls":       tlsPeer,
		strings.TrimSuffix(peers, "peers") + "tsigs": `[{"id":"k1","name":"key.test.","algo":"hmac-sha256.","secret":"c2VjcmV0"}]`,
		strings.TrimSuffix(peers, "peers") + "acls":  `[]`,
		"/secondaryd/tokens":                         `[{"id":"t1","name":"terraform","status":"active","scope":"account","account_id":"` + testAccount + `","access":"edit","issued_on":"2026-01-02T03:04:05Z"}]`,
		"/secondaryd/tokens/t1":                      `{"id":"t1","name":"terraform","status":"active","scope":"admin","issued_on":"2026-01-02T03:04:05Z","expires_on":"2027-01-02T03:04:05Z"}`,
		apiclient.ExportPath(zoneID):                 `"no envelope around this"`,
	}, answers: map[string]string{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func incomingPath(more ...string) string {
	return strings.Join(append([]string{apiclient.IncomingPath(zoneID)}, more...), "/")
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // an empty one is noticed by the test
	result, ok := f.objects[r.URL.Path]
	status, fault := http.StatusOK, ""
	if r.Method != http.MethodGet {
		f.sent = append(f.sent, sentRequest{r.Method, r.URL.Path, string(body)})
		if result, ok = string(body), true; len(body) == 0 {
			result = `{"id":"x"}`
		}
		if answer := f.answers[r.URL.Path]; answer != "" {
			result = answer
		}
		if f.fail != 0 {
			status, fault = f.fail, `{"code":2105,"message":"not so","source":{"pointer":"/name"}}`
		}
	}
	if !ok {
		status, fault = http.StatusNotFound, `{"code":2201,"message":"no such thing"}`
	}
	if r.Header.Get("Authorization") != "Bearer "+testToken {
		status, fault = http.StatusUnauthorized, `{"code":10000,"message":"no valid token"}`
	}
	if fault != "" {
		result = "null"
	}
	if strings.HasSuffix(r.URL.Path, "/export") && fault == "" {
		fmt.Fprint(w, result)
		return
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"result":%s,"success":%t,"errors":[%s],"messages":[]}`, result, status == http.StatusOK, fault)
}

// run carries out a command line against the fake API.
func (f *fakeAPI) run(args ...string) (stdout string, err error) {
	return execute("", append(args, "--url", f.URL, "--token", testToken, "--account", testAccount)...)
}

func execute(stdin string, args ...string) (stdout string, err error) {
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(io.Discard)
	err = root.Execute()
	return out.String(), err
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		fail int
		code int
		text string // in the output or the error
	}{
		{"zone list --brief", 0, 0, "example.test"},
		{"zone show example.test", 0, 0, "PEER 1"},
		{"zone show EXAMPLE.test.", 0, 0, "primary (" + peerID + ")"},
		{"zone show none.test", 0, exitNotFound, `no zone "none.test"`},
		{"zone show " + peerID, 0, exitNotFound, "no such thing"},
		{"zone show", 0, exitUsage, "one argument"},
		{"zone shwo", 0, exitUsage, `did you mean "show"`},
		{"zone list --colour", 0, exitUsage, "unknown flag"},
		{"zone list -o yaml", 0, exitUsage, "neither table nor json"},
		{"zone list x", 0, exitUsage, "unexpected argument"},
		{"zone add new.test", 0, exitUsage, "--peer"},
		{"zone add new.test --peer none", 0, exitNotFound, `no peer "none"`},
		{"zone add new.test --peer primary --refresh 1500ms", 0, exitUsage, "whole number of seconds"},
		{"zone add new.test --peer primary", http.StatusBadRequest, exitRefused, "not so (at /name, code 2105)"},
		{"zone add new.test --peer primary", http.StatusServiceUnavailable, exitError, "not so"},
		{"zone set example.test", 0, exitUsage, "nothing to change"},
		{"zone release example.test", 0, exitUsage, "8 is held (too small)"},
		{"zone rm example.test", 0, 0, "removed the zone example.test (id " + zoneID + ")"},
		{"zone rm none.test", 0, exitNotFound, `no zone "none.test"`},
		{"zone rm", 0, exitUsage, "--file"},
		{"zone rm none.test nobody.test", 0, exitNotFound, "by 2 of the 2 names"},
		{"zone rm --file /nowhere", 0, exitError, "no such file"},
		{"zone export example.test", 0, 0, "no envelope around this"},
		{"zone export " + peerID, 0, exitNotFound, "no such thing"},
		{"zone export example.test -o json", 0, exitUsage, "JSON"},
		{"zone export example.test --file /dev/null", 0, exitUsage, "no plain file"},
		{"zone import /nowhere", 0, exitError, "no such file"},
		{"token list", 0, 0, "terraform"},
		{"token show terraform", 0, 0, "2027-01-02 03:04:05 UTC"},
		{"token add x", 0, exitUsage, "--scope"},
		{"token add x --scope metrics --expires yesterday", 0, exitUsage, "90d"},
		{"token add x --scope metrics --expires -1h", 0, exitUsage, "90d"},
		{"token add x --scope nonsense", http.StatusBadRequest, exitRefused, "not so"},
		{"token rm none", 0, exitNotFound, `no token "none"`},
		{"zone versions example.test", 0, 0, "7       served  2026-01-02 03:04:05 UTC"},
		{"zone diff example.test", 0, 0, "--- 6\n+++ 7\n-a.example.test.\t60\tIN\tA\t192.0.2.1\n+a.example.test.\t60\tIN\tTXT\t?\n... and 1 more"},
		{"zone diff example.test 6", 0, 0, "1 removed, 2 added"},
		{"zone diff example.test 6 7 8", 0, exitUsage, "got 4 arguments"},
		{"zone diff", 0, exitUsage, "got 0 arguments"},
		{"zone diff example.test 5", 0, exitNotFound, "no such thing"},
		{"zone diff example.test six", 0, exitUsage, `"six" is no serial`},
		{"zone rollback example.test 4294967296", 0, exitUsage, "is no serial"},
		{"zone rollback example.test 6", 0, 0, "version 6 is served again"},
		{"zone rollback example.test", http.StatusBadRequest, exitRefused, "not so"},
		{"peer set primary", 0, exitUsage, "nothing to change"},
		{"tsig set key.test --show-secret", 0, exitUsage, "nothing to change"},
		{"peer show primary", 0, 0, "192.0.2.53:5353"},
		{"peer rm none", 0, exitNotFound, `no peer "none"`},
		{"peer set tls --port 853", 0, exitUsage, "--tls-key-file"},
		{"peer set primary --no-tls --tls-name x", 0, exitUsage, "--no-tls"},
		{"tsig list", 0, 0, "***"},
		{"tsig list --show-secret", 0, 0, "c2VjcmV0"},
		{"tsig add k2.test", 0, exitUsage, "--generate"},
		{"tsig add k2.test --generate --secret-file x", 0, exitUsage, "both given"},
		{"acl list", 0, 0, "no acls"},
	} {
		f := newFakeAPI(t)
		f.fail = test.fail
		out, err := f.run(strings.Fields(test.args)...)
		text := out
		if err != nil {
			text = err.Error()
		}
		if code := exitCode(err); code != test.code && (err != nil || test.code != 0) || !strings.Contains(text, test.text) {
			t.Errorf("%s: got %q, code %d, want %q, code %d", test.args, text, exitCode(err), test.text, test.code)
		}
		if test.code == exitUsage && len(f.sent) > 0 {
			t.Errorf("%s: sent %v", test.args, f.sent)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"zonne": `did you mean "zone"`, "xyz": `unknown command "xyz"`, "config chek": `did you mean "check"`} {
		_, err := execute("", strings.Fields(args)...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("c2VjcmV0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	account := "/accounts/" + testAccount + "/secondary_dns/"
	for _, test := range []struct {
		args               string
		method, path, body string
	}{
		{
			"zone add new.test. --id 1 --peer primary --refresh 15m", "POST", "/zones/1/secondary_dns/incoming",
			`{"auto_refresh_seconds":900,"name":"new.test.","peers":["` + peerID + `"]}`,
		},
		{
			"zone add new.test. --id 1 --peer " + zoneID, "POST", "/zones/1/secondary_dns/incoming",
			`{"name":"new.test.","peers":["` + zoneID + `"]}`,
		},
		{
			"zone set example.test --refresh 5m", "PUT", incomingPath(),
			`{"auto_refresh_seconds":300,"id":"` + zoneID + `","name":"example.test.","peers":["` + peerID + `"],"soa_serial":7}`,
		},
		{"zone release example.test --serial 8", "POST", incomingPath("release"), `{"soa_serial":8}`},
		{"zone discard example.test --serial 8", "POST", incomingPath("discard"), `{"soa_serial":8}`},
		{"zone rollback example.test 6", "POST", incomingPath("rollback"), `{"soa_serial":6}`},
		{"zone rollback example.test", "POST", incomingPath("rollback"), ""},
		{"zone transfer example.test", "POST", "/zones/" + zoneID + "/secondary_dns/force_axfr", ""},
		{"zone rm example.test", "DELETE", "/zones/" + zoneID, ""},
		{"zone rm example.test " + zoneID, "POST", bulkPath, `{"delete":[{"id":"` + zoneID + `"}]}`},
		{"token add x --scope admin", "POST", "/secondaryd/tokens", `{"name":"x","scope":"admin"}`},
		{
			"token add x --scope account --access read --expires 2027-01-02T03:04:05Z", "POST", "/secondaryd/tokens",
			`{"access":"read","account_id":"` + testAccount + `","expires_on":"2027-01-02T03:04:05Z","name":"x","scope":"account"}`,
		},
		{"token rm terraform", "DELETE", "/secondaryd/tokens/t1", ""},
		{
			"peer add second --ip 2001:db8::53 --ixfr --tsig KEY.test --tls-name p.test --tls-pin PIN", "POST", account + "peers",
			`{"ip":"2001:db8::53","ixfr_enable":true,"name":"second","tls":{"name":"p.test","pins":["PIN"]},"tsig_id":"k1"}`,
		},
		{
			"peer set primary --name other --ip= --ixfr=false", "PUT", account + "peers/" + peerID,
			`{"id":"` + peerID + `","ixfr_enable":false,"name":"other","of_tomorrow":1,"port":5353}`,
		},
		{"peer set tls --no-tls", "PUT", account + "peers/tls", `{"id":"tls","name":"tls"}`},
		{
			"peer set tls --tls-key-file " + secret, "PUT", account + "peers/tls",
			`{"id":"tls","name":"tls","tls":{"client_certificate":"PEM","client_key":"c2VjcmV0\n","name":"p.test"}}`,
		},
		{"peer rm primary", "DELETE", account + "peers/" + peerID, ""},
		{"tsig add k2.test --secret-file " + secret, "POST", account + "tsigs", `{"algo":"hmac-sha256.","name":"k2.test","secret":"c2VjcmV0"}`},
		{"acl add office --range 192.0.2.0/24", "POST", account + "acls", `{"ip_range":"192.0.2.0/24","name":"office"}`},
	} {
		f := newFakeAPI(t)
		f.answers[bulkPath] = `{"delete":[{"id":"x"}],"create":[]}`
		if _, err := f.run(strings.Fields(test.args)...); err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		if want := (sentRequest{test.method, test.path, test.body}); len(f.sent) != 1 || f.sent[0] != want {
			t.Errorf("%s:\n got %q\nwant %q", test.args, f.sent, want)
		}
	}
}

// JSON is the API's result as it is, with members and digits that this program
// knows nothing of.
func TestOutputJSON(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	out, err := f.run("peer", "show", "primary", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Compact(&got, []byte(out)); err != nil {
		t.Fatal(err)
	}
	if want := f.objects["/accounts/"+testAccount+"/secondary_dns/peers/"+peerID]; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

func TestErrorsDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	if got, want := harmlessLines("one\ttab\n\x1b[2Jtwo\r\u009b é"), "one\ttab\n?[2Jtwo?? é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecretFromStandardInput(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	_, err := execute("c3RkaW4=\n", "tsig", "add", "k.test", "--secret-file", "-", "--url", f.URL, "--token", testToken, "--account", testAccount)
	if err != nil || len(f.sent) != 1 || !strings.Contains(f.sent[0].body, `"c3RkaW4="`) {
		t.Errorf("got %v, sent %q", err, f.sent)
	}
}

func TestGeneratedSecrets(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2 {
		f := newFakeAPI(t)
		out, err := f.run("tsig", "add", "k.test", "--generate")
		if err != nil || len(f.sent) != 1 {
			t.Fatal(err, f.sent)
		}
		var key apiclient.TSIG
		if err := json.Unmarshal([]byte(f.sent[0].body), &key); err != nil {
			t.Fatal(err)
		}
		if len(key.Secret) < 86 || seen[key.Secret] || strings.Contains(out, key.Secret) {
			t.Errorf("got the secret %q, and shown: %s", key.Secret, out)
		}
		seen[key.Secret] = true
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	for _, test := range []struct{ args, want string }{
		{"zone show", "example.test\n"},
		{"zone diff example.test", "7\n6\n"},
		{"zone diff example.test 6", "7\n6\n"},
		{"zone rollback", "example.test\n"},
		{"zone rollback example.test 6", ":"},
		{"peer rm", "primary\ntls\n"},
		{"zone rm other.test", "example.test\n"},
		{"zone rm example.test", ":4\n"},
		{"zone import zones.csv --peer", "primary\ntls\n"},
		{"token rm", "terraform\n"},
		{"token add x --scope", "admin\naccount\nmetrics\n"},
		{"zone add x.test --peer", "primary\ntls\n"},
		{"peer set primary --tsig", "key.test.\n"},
	} {
		args := append([]string{"__complete"}, strings.Fields(test.args)...)
		args = append(args[:2], append([]string{"--url", f.URL, "--token", testToken, "--account", testAccount}, args[2:]...)...)
		out, err := execute("", append(args, "")...)
		if err != nil || !strings.HasPrefix(out, test.want) {
			t.Errorf("%s: got %q, %v, want %q", test.args, out, err, test.want)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// The tables, of a zone that has everything: peers that are well, failing and
// left out, a version that is held, and a name that would steer a terminal.
func TestTables(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := func(d time.Duration) *time.Time { return new(now.Add(-d)) }
	s := apiclient.Status{
		ID: zoneID, Name: "example.test.", State: "serving", Serial: new(uint32(2026010203)), Records: new(1234), Unsaved: true,
		Checked: before(90 * time.Second), Confirmed: before(3 * time.Hour), Expires: before(-7 * 24 * time.Hour), Next: before(-150 * time.Second),
		Held: &apiclient.Held{
			Serial: 2026010204, Records: new(3), Peer: "192.0.2.1:53", Since: *before(time.Minute),
			Detail: "the zone has lost more of its records than it may: 1234 before, 3 now",
		},
		Peers: []apiclient.PeerStatus{
			{
				ID: peerID, Address: "192.0.2.1:53", Result: "ok", Tried: before(90 * time.Second), Serial: new(uint32(2026010204)), RTT: new(0.0123),
				Transfer: &apiclient.Transfer{Kind: "axfr", Octets: 45678, Seconds: 0.25, IXFRError: "answer: the peer answers with NOTIMP"},
			},
			{ID: "b", Address: "[2001:db8::1]:853", Result: "failed", Tried: before(2 * time.Hour), Step: "connect", Detail: "connect: refused"},
			{ID: "c", Result: "left_out", Cause: "no answer", Earlier: true},
			{ID: "d", Address: "192.0.2.4:53", Result: "ok", Tried: before(90 * time.Second), Serial: new(uint32(2026010203)), Differs: true},
		},
	}
	gone := apiclient.Status{ID: zoneID, Name: "example.test.", State: "serving", Serial: new(uint32(2026010202)), Held: &apiclient.Held{
		Serial: 2026010203, Since: *before(time.Minute), Detail: "check: an operator went back from this version: by the token bootstrap", RolledBack: true,
	}}
	versions := []apiclient.Version{
		{Serial: 2026010203, State: "held", Received: before(time.Hour), Records: new(3), Incremental: true},
		{Serial: 2026010202, State: "served", Received: before(26 * time.Hour), Records: new(1234)},
		{Serial: 7, State: "kept"},
	}
	names := map[string]string{peerID: "primary", "b": "evil\x1b[2J\nname"}
	zones := []apiclient.Zone{{ID: zoneID, Name: "example.test"}, {ID: "1", Name: "empty.test"}, {ID: "2", Name: "other.test"}}
	incoming := apiclient.Incoming{
		ID: zoneID, Name: "example.test.", Peers: []string{peerID, "c"}, AutoRefresh: 3600, Serial: 2026010203,
		Created: *before(48 * time.Hour), Modified: *before(time.Hour), Checked: *before(90 * time.Second),
	}
	for name, print := range map[string]func(io.Writer) error{
		"status.txt": func(w io.Writer) error { return printStatus(w, s, names, now) },
		"status_empty.txt": func(w io.Writer) error {
			return printStatus(w, apiclient.Status{ID: "1", Name: "empty.test.", State: "empty"}, nil, now)
		},
		"zones.txt": func(w io.Writer) error {
			return printZones(w, zones, []*apiclient.Status{&s, {State: "empty"}, nil}, now)
		},
		"status_rolled_back.txt": func(w io.Writer) error { return printStatus(w, gone, nil, now) },
		"versions.txt":           func(w io.Writer) error { return printVersions(w, versions, now) },
		"zone.txt":               func(w io.Writer) error { return printZone(w, incoming, names, now) },
	} {
		var out bytes.Buffer
		if err := print(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
}

// What is compared where it is not said.
func TestCompared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		list string
		said []uint32
		want string
	}{
		"the last change":     {`[{"soa_serial":3,"state":"served"},{"soa_serial":2,"state":"kept"}]`, nil, "2 3"},
		"what is held":        {`[{"soa_serial":4,"state":"held"},{"soa_serial":3,"state":"served"},{"soa_serial":2,"state":"kept"}]`, nil, "3 4"},
		"after a rollback":    {`[{"soa_serial":3,"state":"held"},{"soa_serial":2,"state":"served"}]`, nil, "2 3"},
		"to the served one":   {`[{"soa_serial":3,"state":"served"},{"soa_serial":2,"state":"kept"},{"soa_serial":1,"state":"kept"}]`, []uint32{1}, "1 3"},
		"both":                {`[]`, []uint32{1, 2}, "1 2"},
		"nothing before":      {`[{"soa_serial":3,"state":"served"}]`, nil, "no earlier version"},
		"nothing at all":      {`[]`, nil, "no earlier version"},
		"nothing to compare":  {`[]`, []uint32{1}, "say both"},
		"with an expired one": {`[{"soa_serial":3,"state":"expired"},{"soa_serial":2,"state":"kept"}]`, nil, "2 3"},
	} {
		f := newFakeAPI(t)
		f.objects[incomingPath("versions")] = test.list
		c, err := apiclient.New(apiclient.Options{URL: f.URL, Token: testToken})
		if err != nil {
			t.Fatal(err)
		}
		from, to, err := compared(t.Context(), c, apiclient.Zone{ID: zoneID}, test.said)
		if got := fmt.Sprint(from, to, err); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		c.Close()
	}
}
