package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/zone"
)

func versionsPath(zone string) string { return incomingPath(zone) + "/versions" }
func rollbackPath(zone string) string { return incomingPath(zone) + "/rollback" }

func diffPath(zone string, serial int, query string) string {
	return fmt.Sprint(versionsPath(zone), "/", serial, "/diff", query)
}

// versionOf makes a version of example.org.
func versionOf(t testing.TB, serial uint32, records ...string) *zone.Zone {
	t.Helper()
	b, err := zone.NewBuilder(wiretest.Name(t, "example.org"), 42, zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	soa := fmt.Sprintf("example.org. 3600 IN SOA ns.example.org. admin.example.org. %d 600 300 86400 60", serial)
	for _, text := range append([]string{soa}, records...) {
		rr := wiretest.Record(t, text)
		if err := b.Add(wiretest.Name(t, rr.Header().Name), rr.Header().Rrtype, rr.Header().Ttl, wiretest.Rdata(t, rr)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// withVersions serves version 9 of zoneOne, and keeps 8 and 7.
func withVersions(t testing.TB) seeded {
	t.Helper()
	s := seed(t)
	s.copies[zoneOne] = versionOf(t, 9, "a.example.org. 60 IN A 192.0.2.9", "b.example.org. 60 IN TXT \"x\"")
	s.earlier[zoneOne] = []*zone.Zone{
		versionOf(t, 8, "a.example.org. 60 IN A 192.0.2.8", "b.example.org. 60 IN TXT \"x\"", "c.example.org. 60 IN TYPE65280 \\# 1 ff"),
		versionOf(t, 7),
	}
	return s
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	want := `{"result":[` +
		`{"soa_serial":9,"state":"served","received_time":"2026-01-02T03:04:05.678900Z","records":3,"incremental":true},` +
		`{"soa_serial":8,"state":"kept","received_time":null,"records":null,"incremental":false},` +
		`{"soa_serial":7,"state":"kept","received_time":null,"records":null,"incremental":false}],"success":true,"errors":[],"messages":[]}` + "\n"
	if diff := cmp.Diff(want, s.send(t, "GET", versionsPath(zoneOne), "").body); diff != "" {
		t.Error(diff)
	}
	s.must(t, "POST", incomingPath(zoneTwo), s.zoneBody("empty.example"))
	if got := s.send(t, "GET", versionsPath(zoneTwo), ""); string(got.env.Result) != "[]" {
		t.Errorf("without a copy: %s", got.body)
	}
	s.forceErr = errors.New("disk on fire")
	if got := s.send(t, "GET", versionsPath(zoneOne), ""); got.status != http.StatusInternalServerError || strings.Contains(got.body, "fire") {
		t.Errorf("got %s", got.body)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	soa := func(serial int, change string) string {
		return fmt.Sprintf(`{"change":%q,"name":"example.org.","type":"SOA","ttl":3600,"data":"ns.example.org. admin.example.org. %d 600 300 86400 60"}`, change, serial)
	}
	want := `{"result":{"from_soa_serial":8,"to_soa_serial":9,"removed":3,"added":2,"truncated":false,"changes":[` +
		soa(8, "removed") + "," + soa(9, "added") + `,` +
		`{"change":"removed","name":"a.example.org.","type":"A","ttl":60,"data":"192.0.2.8"},` +
		`{"change":"added","name":"a.example.org.","type":"A","ttl":60,"data":"192.0.2.9"},` +
		`{"change":"removed","name":"c.example.org.","type":"TYPE65280","ttl":60,"data":"\\# 1 ff"}` +
		`]},"success":true,"errors":[],"messages":[]}` + "\n"
	for _, query := range []string{"", "?to=9", "?to=9&format=json"} {
		if diff := cmp.Diff(want, s.send(t, "GET", diffPath(zoneOne, 8, query), "").body); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	if got := s.send(t, "GET", diffPath(zoneOne, 9, ""), ""); !strings.Contains(got.body, `"removed":0,"added":0,"truncated":false,"changes":[]`) {
		t.Errorf("the same: %s", got.body)
	}
}

func (w *world) diffText(t testing.TB, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := w.request(t, "GET", path, "")
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	recorder := httptest.NewRecorder()
	w.http.Handler.ServeHTTP(recorder, r)
	return recorder
}

func TestDiffAsText(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	const want = `--- example.org. 9
+++ example.org. 8
-example.org.	3600	IN	SOA	ns.example.org. admin.example.org. 9 600 300 86400 60
+example.org.	3600	IN	SOA	ns.example.org. admin.example.org. 8 600 300 86400 60
-a.example.org.	60	IN	A	192.0.2.9
+a.example.org.	60	IN	A	192.0.2.8
+c.example.org.	60	IN	TYPE65280	\# 1 ff
`
	for _, got := range []*httptest.ResponseRecorder{
		s.diffText(t, diffPath(zoneOne, 9, "?to=8&format=text"), ""), s.diffText(t, diffPath(zoneOne, 9, "?to=8"), "text/plain"),
	} {
		wantText(t, got, want)
	}
}

// TestDiffIsBounded: an answer in JSON lists so many differences and counts the
// rest.
func TestDiffIsBounded(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	records := make([]string, maxChanges+5)
	for i := range records {
		records[i] = fmt.Sprintf("n%d.example.org. 60 IN A 192.0.2.1", i)
	}
	s.copies[zoneOne] = versionOf(t, 9, records...)
	got := s.send(t, "GET", diffPath(zoneOne, 7, ""), "").body
	if n := strings.Count(got, `"change":`); n != maxChanges || !strings.Contains(got, fmt.Sprintf(`"removed":1,"added":%d,"truncated":true`, len(records)+1)) {
		t.Errorf("%d are listed of %.200s", n, got)
	}
	long := make([]string, 200)
	for i := range long {
		long[i] = fmt.Sprintf("n%d.example.org. 60 IN TXT %s", i, strings.Repeat(`"`+strings.Repeat("x", 255)+`" `, 200))
	}
	s.copies[zoneOne] = versionOf(t, 9, long...)
	if got := s.send(t, "GET", diffPath(zoneOne, 7, ""), "").body; len(got) > 2*maxChangesText || !strings.Contains(got, `"truncated":true`) {
		t.Errorf("%d octets", len(got))
	}
	if text := s.diffText(t, diffPath(zoneOne, 7, "?format=text"), ""); strings.Count(text.Body.String(), "\n+n") != len(long) {
		t.Error("a text lacks something")
	}
}

func TestDiffRefusals(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	for path, want := range map[string]string{
		diffPath(zoneOne, 5, ""):                    "2212",
		diffPath(zoneOne, 8, "?to=5"):               "2212",
		diffPath(zoneOne, 8, "?to=x"):               "2320",
		diffPath(zoneOne, 8, "?to=4294967296"):      "2320",
		diffPath(zoneOne, 8, "?format=xml"):         "2320",
		versionsPath(zoneOne) + "/4294967296/diff":  "2212",
		versionsPath(zoneOne) + "/x/diff":           "2212",
		versionsPath(zoneOne) + "/x%20y/diff":       "7003",
		diffPath("44444444444444444444", 8, "?to="): "2201",
	} {
		if got := s.send(t, "GET", path, ""); got.faults() != want {
			t.Errorf("%s: %s, want %s", path, got.body, want)
		}
	}
	delete(s.copies, zoneOne)
	if got := s.send(t, "GET", diffPath(zoneOne, 8, ""), ""); got.faults() != "2206" {
		t.Errorf("without a copy: %s", got.body)
	}
	for range maxDiffs {
		s.diffs.begin("")
	}
	if got := s.send(t, "GET", diffPath(zoneOne, 8, ""), ""); got.faults() != "2404" || got.status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %s", got.body)
	}
}

// TestDiffCutOff: half a text is none.
func TestDiffCutOff(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	defer func() {
		if recover() == nil {
			t.Error("the connection goes on")
		}
		if s.diffs.taken != 0 {
			t.Error("a place is taken for good")
		}
	}()
	s.http.Handler.ServeHTTP(&broken{ResponseRecorder: httptest.NewRecorder()}, s.request(t, "GET", diffPath(zoneOne, 8, "?format=text"), ""))
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	for body, want := range map[string]int{"": 8, "{}": 8, `{"soa_serial":null}`: 8, `{"soa_serial":7}`: 7} {
		s.forced = nil
		got := s.send(t, "POST", rollbackPath(zoneOne), body)
		if string(got.env.Result) != fmt.Sprintf(`{"soa_serial":%d}`, want) {
			t.Errorf("%q: %s", body, got.body)
		}
		if order := fmt.Sprintf("rollback %s to %d by %s", zoneOne, want, fixedID); len(s.forced) != 1 || s.forced[0] != order {
			t.Errorf("%q: ordered %q, want %q", body, s.forced, order)
		}
	}
	s.forced = nil
	for body, want := range map[string]string{
		"x": "2001", "[]": "2002", `{"soa_serial":"7"}`: "2101 /soa_serial", `{"soa_serial":4294967296}`: "2104 /soa_serial",
		`{"soa_serial":-1}`: "2104 /soa_serial",
	} {
		if got := s.send(t, "POST", rollbackPath(zoneOne), body); got.faults() != want {
			t.Errorf("%q: %s, want %s", body, got.body, want)
		}
	}
	if s.forced != nil {
		t.Errorf("ordered %q", s.forced)
	}
	if got := s.send(t, "POST", rollbackPath(zoneTwo), ""); got.faults() != "2201" {
		t.Error(got.body)
	}
}

func TestRollbackRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{ErrNoCopy, "2206"},
		{ErrNoVersion, "2212"},
		{ErrServed, "2311 /soa_serial"},
		{ErrOutOfTime, "2312"},
		{ErrBusy, "2404"},
		{errors.New("disk on fire"), "2402"},
	} {
		s := withVersions(t)
		s.forceErr = tc.err
		got := s.send(t, "POST", rollbackPath(zoneOne), `{"soa_serial":7}`)
		if got.faults() != tc.want || strings.Contains(got.body, "fire") {
			t.Errorf("%v: %s, want %s", tc.err, got.body, tc.want)
		}
	}
}

// A zone that has the id of one that is gone has none of its records, be it that
// the engine does not know yet.
func TestIDOfAnotherZone(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	other, _ := s.tokenAndID(t, callers["foreign"])
	peer := s.must(t, "POST", "/accounts/"+accountB+"/secondary_dns/peers", `{"name":"theirs","ip":"192.0.2.77"}`)
	s.must(t, "DELETE", "/zones/"+zoneOne, "")
	s.mustAs(t, other, "POST", incomingPath(zoneOne), `{"name":"other.example","peers":["`+peer+`"]}`)
	for path, want := range map[string]string{
		exportPath(zoneOne): "2206", diffPath(zoneOne, 8, ""): "2212", diffPath(zoneOne, 9, "?to=8"): "2212",
	} {
		r := s.request(t, "GET", path, "")
		r.Header.Set("Authorization", "Bearer "+other)
		recorder := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(recorder, r)
		if text := recorder.Body.String(); !strings.Contains(text, `"code":`+want) {
			t.Errorf("%s: %d %s", path, recorder.Code, text)
		}
	}
}

// TestVersionsOfOthers: other accounts learn nothing of versions, and readers
// change nothing.
func TestVersionsOfOthers(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	own, _ := s.tokenAndID(t, callers["edit"])
	reads, _ := s.tokenAndID(t, callers["read"])
	other, _ := s.tokenAndID(t, callers["foreign"])
	for _, tc := range []struct {
		what, token, method, path, want string
	}{
		{"own list", own, "GET", versionsPath(zoneOne), ""},
		{"own diff", own, "GET", diffPath(zoneOne, 8, ""), ""},
		{"own rollback", own, "POST", rollbackPath(zoneOne), ""},
		{"a reader's diff", reads, "GET", diffPath(zoneOne, 8, ""), ""},
		{"a reader's rollback", reads, "POST", rollbackPath(zoneOne), "9109"},
		{"another's list", other, "GET", versionsPath(zoneOne), "2201"},
		{"another's diff", other, "GET", diffPath(zoneOne, 8, ""), "2201"},
		{"another's rollback", other, "POST", rollbackPath(zoneOne), "2201"},
	} {
		if got := s.as(t, tc.token, tc.method, tc.path, ""); got.faults() != tc.want {
			t.Errorf("%s: %s", tc.what, got.body)
		}
	}
}
