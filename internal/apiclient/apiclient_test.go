package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const secretToken = "a-token-that-is-shown-nowhere"

// serve runs a server until the test ends, and makes a client of it.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(t, server.URL)
}

func newClient(t *testing.T, url string) *Client {
	t.Helper()
	c, err := New(Options{URL: url, Token: secretToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, status int, result, errors, more string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"result":%s,"success":%t,"errors":%s,"messages":[]%s}`, result, status == 200, errors, more)
}

// zonesServer lists n zones named z0.test and so on, in pages.
func zonesServer(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page, perPage := 1, 20
		fmt.Sscan(r.URL.Query().Get("page"), &page)
		fmt.Sscan(r.URL.Query().Get("per_page"), &perPage)
		zones := []string{}
		for i := (page - 1) * perPage; i < min(n, page*perPage); i++ {
			zones = append(zones, fmt.Sprintf(`{"id":"%032x","name":"z%d.test"}`, i, i))
		}
		answer(w, 200, "["+strings.Join(zones, ",")+"]", "[]",
			fmt.Sprintf(`,"result_info":{"page":%d,"per_page":%d,"total_pages":%d}`, page, perPage, (n+perPage-1)/perPage))
	}
}

func TestZonesReadsEveryPageOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 999, 1000, 1001, 2000, 2001} {
		raw, err := serve(t, zonesServer(n)).Zones(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, text := range raw {
			var zone Zone
			if err := json.Unmarshal(text, &zone); err != nil {
				t.Fatal(err)
			}
			seen[zone.ID] = true
		}
		if len(raw) != n || len(seen) != n {
			t.Errorf("of %d zones got %d, %d different ones", n, len(raw), len(seen))
		}
	}
}

func TestFindZone(t *testing.T) {
	t.Parallel()
	const a, b = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch name := r.URL.Query().Get("name"); {
		case r.URL.Path == IncomingPath("my-zone"):
			answer(w, 200, `{"id":"my-zone"}`, "[]", "")
		case r.URL.Path != "/zones":
			answer(w, 404, "null", `[{"code":2201,"message":"no"}]`, "")
		case name == "one.test":
			answer(w, 200, `[{"id":"`+a+`","name":"one.test","account":{"id":"acc"}}]`, "[]", "")
		case name == "two.test":
			answer(w, 200, `[{"id":"`+a+`","name":"two.test"},{"id":"`+b+`","name":"two.test"}]`, "[]", "")
		default: // a server that takes the name for a part of one
			answer(w, 200, `[{"id":"`+a+`","name":"not-it.`+name+`"}]`, "[]", "")
		}
	})
	for _, test := range []struct{ ref, id, problem string }{
		{"one.test", a, ""},
		{"One.TEST.", a, ""},
		{b, b, ""},
		{"my-zone", "my-zone", ""},
		{"none.test", "", `there is no zone "none.test"`},
		{"none", "", `there is no zone "none"`},
		{"two.test", "", a},
		{"two.test", "", b},
	} {
		zone, err := c.FindZone(t.Context(), test.ref, "")
		if zone.ID != test.id || (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: got %q, %v, want %q, %q", test.ref, zone.ID, err, test.id, test.problem)
		}
	}
}

func TestFindObject(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `[{"id":"1","name":"Key.Test."},{"id":"2","name":"twice"},{"id":"3","name":"twice"},{"id":"twice-id","name":"1"}]`, "[]", "")
	})
	for _, test := range []struct {
		kind    Kind
		ref, id string
	}{
		{TSIGs, "key.test", "1"},
		{Peers, "key.test", ""},
		{Peers, "Key.Test.", "1"},
		{Peers, "1", "1"}, // an id wins over a name
		{Peers, "twice", ""},
		{Peers, "none", ""},
	} {
		id, err := c.Find(t.Context(), test.kind, "acc", test.ref)
		if id != test.id || (err == nil) != (test.id != "") {
			t.Errorf("%s %s: got %q, %v, want %q", test.kind.Word, test.ref, id, err, test.id)
		}
	}
}

// A change keeps the members that this program does not know, and is made again
// on top of another that came between.
func TestChange(t *testing.T) {
	t.Parallel()
	stored, version := `{"name":"a","new_member":{"big":12345678901234567890}}`, 1
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if version == 1 {
				stored, version = `{"name":"b","new_member":1}`, 2 // somebody else's
			}
			if r.Header.Get("If-Match") != fmt.Sprintf(`"%d"`, version) {
				answer(w, 412, "null", `[{"code":2330,"message":"changed meanwhile"}]`, "")
				return
			}
			text, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			stored = string(text)
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, version))
		answer(w, 200, stored, "[]", "")
	})
	_, err := c.Change(t.Context(), "/x", func(o Object) error { return o.Set("port", 53) })
	if want := `{"name":"b","new_member":1,"port":53}`; err != nil || stored != want {
		t.Errorf("got %s, %v, want %s", stored, err, want)
	}
}

// Whatever goes wrong, the token is in no error, and is not sent elsewhere.
func TestTokenStaysSecret(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request was sent on to %s, with %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]*Client{
		"redirect": serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}),
		"html":  serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }),
		"other": serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }),
		"refused": serve(t, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 401, "null", `[{"code":10000,"message":"no"}]`, "")
		}),
		"no server": newClient(t, gone.URL),
	} {
		_, err := c.Get(t.Context(), "/x")
		if err == nil || strings.Contains(err.Error(), secretToken) {
			t.Errorf("%s: got the error %v", name, err)
		}
	}
	for _, url := range []string{"http://user:" + secretToken + "@127.0.0.1:1", "127.0.0.1:8080", "ftp://127.0.0.1", "http://"} {
		if _, err := New(Options{URL: url, Token: secretToken}); err == nil || strings.Contains(err.Error(), secretToken) {
			t.Errorf("%s: got the error %v", url, err)
		}
	}
	if _, err := New(Options{URL: "http://127.0.0.1:1", Token: secretToken + "\nx"}); err == nil || strings.Contains(err.Error(), secretToken) {
		t.Errorf("a token of two lines: got the error %v", err)
	}
}

func TestRateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	for refusals, works := range map[int]bool{limitTries - 1: true, limitTries: false} {
		left := refusals
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if left--; left >= 0 {
				w.Header().Set("Retry-After", "0")
				answer(w, 429, "null", `[{"code":2405,"message":"too many"}]`, "")
				return
			}
			answer(w, 200, `"OK"`, "[]", "")
		})
		if _, err := c.Post(t.Context(), "/x", nil); (err == nil) != works {
			t.Errorf("refused %d times: got %v", refusals, err)
		}
	}
}

func TestErrorNamesEachFault(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 400, "null", `[{"code":2104,"message":"port: 70000 is not between 0 and 65535","source":{"pointer":"/port"}},{"code":2102,"message":"name: missing"}]`, "")
	})
	_, err := c.Post(t.Context(), "/x", Object{})
	want := "port: 70000 is not between 0 and 65535 (at /port, code 2104)\nname: missing (code 2102)"
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 400 || e.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestProgressOfAZone(t *testing.T) {
	t.Parallel()
	at := func(s int64) *time.Time { return new(time.Unix(s, 0)) }
	ok := func(s int64) PeerStatus { return PeerStatus{ID: "p", Result: "ok", Tried: at(s)} }
	failed := PeerStatus{ID: "q", Address: "192.0.2.1:53", Result: "failed", Tried: at(9), Detail: "connect: refused"}
	axfr := func(p PeerStatus, took float64) PeerStatus {
		p.Transfer = &Transfer{Kind: "axfr", Seconds: took}
		return p
	}
	earlier := ok(9)
	earlier.Earlier = true
	before := Status{Peers: []PeerStatus{axfr(ok(5), 1)}}
	for _, test := range []struct {
		name                 string
		now                  Status
		checked, transferred bool
		problem              string
	}{
		{"nothing yet", before, false, false, ""},
		{"only checked", Status{Peers: []PeerStatus{axfr(ok(9), 1)}}, true, false, ""},
		{"transferred", Status{Peers: []PeerStatus{axfr(ok(9), 2)}}, true, true, ""},
		{"one of two failed", Status{Peers: []PeerStatus{failed, axfr(ok(9), 2)}}, true, true, ""},
		{"all failed", Status{Peers: []PeerStatus{failed}}, true, true, "192.0.2.1:53: connect: refused"},
		{"failed, and another was fine before", Status{Peers: []PeerStatus{failed, earlier}}, true, true, "192.0.2.1:53: connect: refused"},
		{"held", Status{Held: &Held{Serial: 7, Since: *at(9), Detail: "too small"}, Peers: before.Peers}, true, true, "serial 7, is held: too small"},
	} {
		for what, got := range map[string]func(Status) (bool, error){"checked": test.now.CheckedSince, "transferred": test.now.TransferredSince} {
			want := map[string]bool{"checked": test.checked, "transferred": test.transferred}[what]
			done, err := got(before)
			if done != want || (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%s, %s: got %t, %v, want %t, %q", test.name, what, done, err, want, test.problem)
			}
		}
	}
}

// What has no envelope comes as it is; an error has one, and a part is no whole.
func TestDownload(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/whole":
			fmt.Fprint(w, "the text")
		case "/part":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "the te")
		default:
			answer(w, 404, "null", `[{"code":2206,"message":"no copy"}]`, "")
		}
	})
	for path, want := range map[string][2]string{"/whole": {"the text", ""}, "/part": {"the te", "cut off"}, "/none": {"", "no copy"}} {
		var text strings.Builder
		err := c.Download(t.Context(), path, &text)
		if text.String() != want[0] || (err != nil) != (want[1] != "") || err != nil && !strings.Contains(err.Error(), want[1]) {
			t.Errorf("%s: %q, %v", path, &text, err)
		}
	}
}

// A bulk request waits for the one before, and its answer tells of each zone.
func TestBulk(t *testing.T) {
	t.Parallel()
	tried := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tried++; tried == 1 {
			w.Header().Set("Retry-After", "0")
			answer(w, 503, "null", `[{"code":2413,"message":"busy"}]`, "")
			return
		}
		if want := `{"delete":[{"id":"x"}],"create":[{"name":"a.test"}]}`; r.URL.Path != "/accounts/acc/secondaryd/zones/bulk" || string(body) != want {
			t.Errorf("%s %s", r.URL.Path, body)
		}
		create := `[{"errors":[{"code":2402,"message":"no disk"}]}]`
		if tried > 2 {
			create = "[]"
		}
		answer(w, 200, `{"delete":[{"id":"x"}],"create":`+create+`}`, "[]", "")
	})
	request := Bulk{Delete: []BulkDeletion{{"x"}}, Create: []Object{{"name": json.RawMessage(`"a.test"`)}}}
	result, err := c.Bulk(t.Context(), "acc", request)
	if err != nil || tried != 2 || result.Delete[0].ID != "x" || !result.Create[0].Errors[0].Trouble() {
		t.Errorf("%d requests, %+v, %v", tried, result, err)
	}
	if _, err := c.Bulk(t.Context(), "acc", request); err == nil || !strings.Contains(err.Error(), "tells of 1 zones") {
		t.Errorf("an answer that leaves one out: %v", err)
	}
}

// A diagnosis is told of step by step, and is none without its end.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	const step = "event: step\ndata: {\"peer\":\"p\",\"name\":\"tcp\",\"result\":\"ok\"}\n\n"
	const whole = step + "event: diagnosis\ndata: {\"healthy\":true}\n\n"
	for name, tc := range map[string]struct {
		kind, body, err string
		steps           int
		healthy         bool
	}{
		"stream":       {"text/event-stream", ": hello\n\n" + whole, "", 1, true},
		"earlier":      {"application/json", `{"success":true,"result":{"healthy":true}}`, "", 0, true},
		"cut off":      {"text/event-stream", step, "unexpected EOF", 1, false},
		"ended":        {"text/event-stream", step + "event: end\ndata: {\"reason\":\"the server is stopping\"}\n\n", "the server is stopping", 1, false},
		"no JSON":      {"text/event-stream", "event: step\ndata: {\n\n", "POST /zones/z/secondary_dns/incoming/diagnose", 0, false},
		"no such":      {"application/json", `{"success":false,"errors":[{"code":2201,"message":"none"}]}`, "code 2201", 0, false},
		"no diagnosis": {"text/event-stream", "event: diagnosis\ndata: 7\n\n", "cannot unmarshal", 0, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", tc.kind)
			_, _ = io.WriteString(w, tc.body)
		}))
		c, err := New(Options{URL: server.URL, Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		d, _, err := c.Diagnose(t.Context(), "z", func(s StepEvent) {
			if steps++; s.Peer != "p" || s.Name != "tcp" {
				t.Errorf("%s: %+v", name, s)
			}
		})
		if d.Healthy != tc.healthy || steps != tc.steps || tc.err == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %+v after %d steps, %v", name, d, steps, err)
		}
		c.Close()
		server.Close()
	}
}
