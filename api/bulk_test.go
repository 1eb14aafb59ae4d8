package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/zonestore/registry"
)

const (
	bulkOfA = "/accounts/" + accountA + bulkPath
	bulkOfB = "/accounts/" + accountB + bulkPath
)

// bulkBody joins what is to be deleted and created.
func bulkBody(deletions, creations []string) string {
	return `{"delete":[` + strings.Join(deletions, ",") + `],"create":[` + strings.Join(creations, ",") + `]}`
}

// bulk sends a request that has to be carried out.
func (w *world) bulk(t testing.TB, token, path, body string) (v bulkView) {
	t.Helper()
	w.mustAs(t, token, "POST", path, body).result(t, &v)
	return v
}

// outcome sums up what came of a zone: its id, or "code pointer, ...".
func (o bulkOutcome) outcome() string {
	if len(o.Errors) == 0 {
		return o.ID
	}
	var a answer
	a.env.Errors = o.Errors
	return a.faults()
}

// What is wrong with a zone is what POST …/incoming says of it, where it stands in
// the body, and no matter of the others.
func TestBulkRefusesAsTheSingleRequest(t *testing.T) {
	t.Parallel()
	s := seed(t)
	bodies := []string{
		`{}`, `{"name":"a.example"}`, `{"name":"a.example","peers":[]}`, `{"name":1,"peers":{}}`, `{"name":"..","peers":["` + s.peer + `"]}`,
		`{"name":"é.example","peers":["` + s.peer + `","x",7]}`, `{"name":"a.example","peers":["` + s.peer + `","` + s.peer + `"]}`,
		`{"name":"a.example","peers":["` + s.peer + `"],"auto_refresh_seconds":299}`, `{"name":"a.example","peers":["` + s.peer + `"],"auto_refresh_seconds":1.5}`,
		s.zoneBody("EXAMPLE.org."), `{"name":"a.example","peers":["` + strings.Repeat(s.peer+`","`, 30) + `x"]}`,
	}
	var creations []string
	for i, body := range bodies {
		creations = append(creations, body, s.zoneBody(fmt.Sprint("good", i, ".example")))
	}
	v := s.bulk(t, testToken, bulkOfA, bulkBody(nil, creations))
	if v.Created != len(bodies) || v.Refused != len(bodies) || v.Deleted != 0 || len(v.Delete) != 0 || len(v.Create) != len(creations) {
		t.Errorf("%d created, %d refused, %d deleted", v.Created, v.Refused, v.Deleted)
	}
	for i, body := range bodies {
		want := s.send(t, "POST", incomingPath(zoneTwo), body).env.Errors
		for j := range want {
			at := source{fmt.Sprintf("/create/%d", 2*i)}
			if want[j].Source != nil {
				at.Pointer += want[j].Source.Pointer
			}
			want[j].Source = &at
		}
		if diff := cmp.Diff(want, v.Create[2*i].Errors); diff != "" || len(want) == 0 {
			t.Errorf("%s:\n%s", body, diff)
		}
		if zone, ok := s.Registry.Zone(v.Create[2*i+1].ID); !ok || zone.Name != fmt.Sprint("good", i, ".example") || zone.Account != accountA {
			t.Errorf("good%d: %+v", i, zone)
		}
	}
}

func TestBulkIDs(t *testing.T) {
	t.Parallel()
	s := seed(t)
	registered := s.must(t, "POST", "/zones", `{"name":"registered.example","account":{"id":"`+accountA+`"}}`)
	with := func(id, name string) string {
		return strings.Replace(s.zoneBody(name), "{", `{"id":`+id+`,`, 1)
	}
	v := s.bulk(t, testToken, bulkOfA, bulkBody(nil, []string{
		with(`"mine_1"`, "a.example"), with(`null`, "b.example"), with(`""`, "c.example"), with(`"no id"`, "d.example"), with(`7`, "e.example"),
		with(`"`+zoneOne+`"`, "example.org"), s.zoneBody("registered.example"), with(`"`+registered+`"`, "other.example"),
		with(`"`+registered+`"`, "Registered.example."), with(`"mine_1"`, "f.example"), s.zoneBody("a.example"), `"g.example"`,
	}))
	want := []string{
		"mine_1", v.Create[1].ID, v.Create[2].ID, "2103 /create/3/id", "2101 /create/4/id", "2301 /create/5", "2109 /create/6/name",
		"2307 /create/7/name", registered, "2301 /create/9", "2109 /create/10/name", "2101 /create/11",
	}
	var got []string
	for _, o := range v.Create {
		got = append(got, o.outcome())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	other := s.bulk(t, testToken, bulkOfA, bulkBody(nil, []string{s.zoneBody("z.example")})).Create[0].ID
	first, second := v.Create[1].ID, v.Create[2].ID
	if len(first) != 32 || first >= second || first[:24] != second[:24] || len(other) != 32 || other[:24] == first[:24] {
		t.Errorf("made the ids %q and %q, and in another request %q", first, second, other)
	}
}

// A zone goes as a whole, by its id or its name, and its name is free for a zone
// of the same request.
func TestBulkDeletes(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	registered := s.must(t, "POST", "/zones", `{"name":"registered.example","account":{"id":"`+accountA+`"}}`)
	s.must(t, "POST", incomingPath(registered), s.zoneBody("registered.example"))
	v := s.bulk(t, testToken, bulkOfA, bulkBody([]string{
		`{"name":"EXAMPLE.org"}`, `{"id":"` + registered + `","name":null}`, `{"id":"` + registered + `"}`, `{"name":"nobody.example"}`, `{"id":"no id"}`,
		`{}`, `{"id":"a","name":"b.example"}`, `{"name":"a..b"}`, `{"id":7}`, `7`,
	}, []string{s.zoneBody("example.org")}))
	want := []string{
		zoneOne, registered, "1001 /delete/2", "1001 /delete/3", "1001 /delete/4",
		"2102 /delete/5", "2105 /delete/6/name", "2103 /delete/7/name", "2101 /delete/8/id", "2101 /delete/9",
	}
	var got []string
	for _, o := range v.Delete {
		got = append(got, o.outcome())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v.Deleted != 2 || v.Refused != 8 || v.Created != 1 {
		t.Errorf("%d deleted, %d refused, %d created", v.Deleted, v.Refused, v.Created)
	}
	for _, id := range []string{zoneOne, registered} {
		if zone, ok := s.Registry.ListedZone(id); ok {
			t.Errorf("still there: %+v", zone)
		}
	}
	if zone, ok := s.Registry.ZoneName("example.org."); !ok || zone.ID != v.Create[0].ID {
		t.Errorf("the name is that of %+v", zone)
	}
}

// What is another account's is as if it did not exist, for an administrator too:
// the account of the path is meant.
func TestBulkKeepsToTheAccount(t *testing.T) {
	t.Parallel()
	s := seed(t)
	body := bulkBody([]string{`{"id":"` + zoneOne + `"}`, `{"name":"example.org"}`, `{"id":"nobody"}`}, []string{
		`{"name":"a.example","peers":["` + s.peer + `"]}`, `{"name":"a.example","peers":["nobody"]}`,
		`{"id":"` + zoneOne + `","name":"example.org","peers":["` + s.foreign + `"]}`, `{"name":"b.example","peers":["` + s.foreign + `"]}`,
	})
	for name, token := range map[string]string{"tenant": s.token(t, callers["foreign"]), "admin": testToken} {
		v := s.bulk(t, token, bulkOfB, body)
		var got []string
		for _, o := range append(v.Delete, v.Create...) {
			got = append(got, o.outcome())
		}
		want := []string{
			"1001 /delete/0", "1001 /delete/1", "1001 /delete/2", "2106 /create/0/peers/0", "2106 /create/1/peers/0",
			"2201 /create/2", v.Create[3].ID,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if v.Create[0].Errors[0].Message != v.Create[1].Errors[0].Message {
			t.Errorf("%s learns of a peer: %s", name, v.Create[0].Errors[0].Message)
		}
		if zone, _ := s.Registry.Zone(v.Create[3].ID); zone.Account != accountB {
			t.Errorf("%s: a zone of %q", name, zone.Account)
		}
		s.must(t, "DELETE", "/zones/"+v.Create[3].ID, "")
	}
	if _, ok := s.Registry.Zone(zoneOne); !ok {
		t.Error("a zone of another account is gone")
	}
}

func TestBulkLimits(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.MaxBody, s.MaxBulkBody = 2000, 1<<20
	many := strings.Repeat(`{},`, maxBulk) + `{}`
	for _, test := range []struct{ body, want string }{
		{`{}`, "2102"},
		{`{"create":null}`, "2102"},
		{`{"create":{},"delete":"x"}`, "2101 /delete, 2101 /create"},
		{`{"create":[` + many + `]}`, "2107 /create"},
		{`{"delete":[{}],"create":[` + many[3:] + `]}`, "2107 /create"},
		{`{"delete":[` + many + `]}`, "2107 /delete"},
		{`{"create":[` + strings.Repeat(`0,`, maxBulkWeight) + `0]}`, "2001 /create/479988"},
		{`{"create":[` + strings.Repeat(`{},`, maxBulkWeight/10) + `{}]}`, "2001 /create/43635"},
		{`{"create":[` + strings.Repeat(` `, 1<<20) + `]}`, "2003"},
		{`{"create":[{"name":"a","name":"b"}]}`, "2111 /create/0/name"},
	} {
		a := s.send(t, "POST", bulkOfA, test.body)
		if a.faults() != test.want {
			t.Errorf("%.40s: got %s, want %s", test.body, a.faults(), test.want)
		}
	}
	if v := s.bulk(t, testToken, bulkOfA, `{"create":[],"delete":null}`); v.Create == nil || v.Delete == nil || v.Refused != 0 {
		t.Errorf("nothing to do: %+v", v)
	}
	if got := s.send(t, "POST", peersPath, `{"name":"`+strings.Repeat("x", 2000)+`"}`).faults(); got != "2003" {
		t.Errorf("another request of that length: %s", got)
	}
	if got := newWorld(t).send(t, "POST", peersPath, `{"x":[`+strings.Repeat("0,", maxWeight)+`0]}`).faults(); got != "2001 /x/19988" {
		t.Errorf("a body of too many values: %s", got)
	}
}

// An account has one bulk request at a time, and few accounts have.
func TestBulksAreBounded(t *testing.T) {
	t.Parallel()
	s := seed(t)
	if !s.bulks.begin(accountA) {
		t.Fatal("the first may not begin")
	}
	refused := func(path string) bool {
		a := s.send(t, "POST", path, `{"create":[]}`)
		if a.status != 200 && (a.faults() != "2413" || a.status != 503 || a.header.Get("Retry-After") == "") {
			t.Error(a.body)
		}
		return a.status != 200
	}
	if !refused(bulkOfA) || refused(bulkOfB) || refused(bulkOfB) {
		t.Error("not one for each account")
	}
	for i := range maxBulks - 1 {
		s.bulks.begin(fmt.Sprint(i))
	}
	if !refused(bulkOfB) {
		t.Error("no limit for all")
	}
	s.bulks.end(accountA)
	if refused(bulkOfB) || refused(bulkOfA) {
		t.Error("refused with nothing running")
	}
}

// timed is an answer that knows how long writing it may take.
type timed struct {
	*httptest.ResponseRecorder
	latest time.Time
}

func (w *timed) SetWriteDeadline(at time.Time) error {
	w.latest = at
	return nil
}

// The answer has the time of any other, however long the work might have taken:
// the place of those who don't read it is taken until then.
func TestBulkIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	s := seed(t)
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	s.http.Handler.ServeHTTP(w, s.request(t, "POST", bulkOfA, `{"create":[]}`))
	if left := time.Until(w.latest); w.Code != http.StatusOK || left > writeTimeout || left <= 0 {
		t.Errorf("%d, with %s left", w.Code, left)
	}
}

// However much is wrong with a zone, the answer does not grow out of proportion.
func TestBulkTellsOfFewFaults(t *testing.T) {
	t.Parallel()
	s := seed(t)
	v := s.bulk(t, testToken, bulkOfA, bulkBody(nil, []string{
		`{"name":"a.example","peers":["1","2","3","4","5","6"]}`, `{"name":"b.example","peers":[1,2,3,4,5,6]}`,
	}))
	for i, code := range []string{"2106", "2101"} {
		want := fmt.Sprintf("%[1]s /create/%[2]d/peers/0, %[1]s /create/%[2]d/peers/1, %[1]s /create/%[2]d/peers/2, %[1]s /create/%[2]d/peers/3, %[1]s /create/%[2]d/peers/4", code, i)
		if got := v.Create[i].outcome(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Ten thousand zones take a transaction for every 128, and are on disk with the
// answer; their deletion is, too.
func TestBulkOfTenThousand(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	s := seed(t)
	s.Log = zap.New(core)
	creations, deletions := make([]string, maxBulk), make([]string, maxBulk)
	for i := range maxBulk {
		creations[i] = s.zoneBody(fmt.Sprintf("zone%d.example", i))
		deletions[i] = fmt.Sprintf(`{"name":"zone%d.example."}`, i)
	}
	before := s.Registry.Revision()
	v := s.bulk(t, testToken, bulkOfA, bulkBody(nil, creations))
	if v.Created != maxBulk || len(v.Create) != maxBulk {
		t.Fatalf("%d created, %d refused", v.Created, v.Refused)
	}
	if took := s.Registry.Revision() - before; took != (maxBulk+127)/128 {
		t.Errorf("%d transactions", took)
	}
	for _, i := range []int{0, 127, 128, maxBulk - 1} {
		if zone, _ := s.Registry.Zone(v.Create[i].ID); zone.Name != fmt.Sprintf("zone%d.example", i) {
			t.Errorf("zone %d is %+v", i, zone)
		}
	}
	if v = s.bulk(t, testToken, bulkOfA, bulkBody(deletions, nil)); v.Deleted != maxBulk || s.Registry.ZoneCount() != 1 {
		t.Errorf("%d deleted, %d refused, %d left", v.Deleted, v.Refused, s.Registry.ZoneCount())
	}
	m := logs.All()[logs.Len()-1].ContextMap()
	if m["deleted"] != int64(maxBulk) || m["created"] != int64(0) || m["refused"] != int64(0) || m["account_id"] != accountA {
		t.Errorf("logged %v", m)
	}
}

// Who goes away midway leaves whole transactions, and none after them.
func TestBulkEndsWithItsClient(t *testing.T) {
	t.Parallel()
	s := seed(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entries := make([]bulkEntry, 400)
	for i := range entries {
		entries[i] = bulkEntry{room: 1, do: func(tx *registry.Tx) (string, error) {
			if i == 130 {
				cancel()
			}
			id := fmt.Sprint("zone", i)
			return id, tx.PutZone(registry.Zone{ID: id, Name: id, AutoRefresh: 300, Peers: []string{s.peer}})
		}}
	}
	done, err := s.runBulk(ctx, entries)
	if done != 256 || err == nil {
		t.Fatalf("%d done, %v", done, err)
	}
	for i, e := range entries {
		_, there := s.Registry.Zone(fmt.Sprint("zone", i))
		if there != (i < done) || (e.id != "") != there || (e.refused == nil) != there || !there && e.refused[0].code != codeStopping {
			t.Fatalf("%d: there %t, %+v", i, there, e)
		}
	}
}

// A request of which nothing could be done is refused as a whole, as others are.
func TestBulkWithoutADisk(t *testing.T) {
	t.Parallel()
	s := seed(t)
	if err := s.Registry.Close(); err != nil {
		t.Fatal(err)
	}
	if a := s.send(t, "POST", bulkOfA, bulkBody(nil, []string{s.zoneBody("a.example")})); a.status != http.StatusServiceUnavailable || a.faults() != "2403" {
		t.Error(a.body)
	}
}

// BenchmarkBulk creates ten thousand zones in a request, and deletes them in
// another.
func BenchmarkBulk(b *testing.B) {
	s := seed(b)
	creations, deletions := make([]string, maxBulk), make([]string, maxBulk)
	for i := range maxBulk {
		creations[i] = s.zoneBody(fmt.Sprintf("zone%d.example", i))
		deletions[i] = fmt.Sprintf(`{"name":"zone%d.example."}`, i)
	}
	for b.Loop() {
		if v := s.bulk(b, testToken, bulkOfA, bulkBody(nil, creations)); v.Created != maxBulk {
			b.Fatalf("%d refused", v.Refused)
		}
		if v := s.bulk(b, testToken, bulkOfA, bulkBody(deletions, nil)); v.Deleted != maxBulk {
			b.Fatalf("%d refused", v.Refused)
		}
	}
}
