package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// zoneJSON is a zone as it is shown.
func zoneJSON(id, name, account, status, rest, created, modified string) string {
	return fmt.Sprintf(`{"id":%[1]q,"name":%[2]q,"type":"secondary","status":%[4]q,%[5]s,"account":{"id":%[3]q,"name":%[3]q},`+
		`"owner":{"id":%[3]q,"name":%[3]q,"type":"organization"},"plan":{"id":"00000000000000000000000000000000","name":"secondaryd","price":0,`+
		`"currency":"USD","frequency":"monthly","is_subscribed":true,"can_subscribe":false,"externally_managed":false,"legacy_id":"secondaryd",`+
		`"legacy_discount":false},"meta":{"step":0,"custom_certificate_quota":0,"page_rule_quota":0,"phishing_detected":false},"permissions":[],`+
		`"created_on":%[6]q,"modified_on":%[7]q,"activated_on":null}`, id, name, account, status, rest, created, modified)
}

// rest is what a zone shows of its own members and those that never change.
func rest(paused bool, vanity string) string {
	return fmt.Sprintf(`"paused":%t,"development_mode":0,"name_servers":[],"original_name_servers":null,"original_registrar":null,`+
		`"original_dnshost":null,"vanity_name_servers":%s`, paused, vanity)
}

func TestZone(t *testing.T) {
	t.Parallel()
	s := seed(t)
	const first, second = "2026-01-02T03:04:05.678900Z", "2026-01-02T04:04:05.678900Z"
	created := s.send(t, "POST", "/client/v4/zones", `{"name":"Example.net.","account":{"id":"`+accountA+`"},"paused":false,"jump_start":true}`)
	var zone struct{ ID string }
	if err := json.Unmarshal(created.env.Result, &zone); err != nil || len(zone.ID) != 32 {
		t.Fatalf("%v: %s", err, created.body)
	}
	path := "/zones/" + zone.ID
	show := func(name, status, rest, modified string) string {
		return envelopeOf(zoneJSON(zone.ID, name, accountA, status, rest, first, modified))
	}
	want := show("Example.net", "initializing", rest(false, "[]"), first)
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Error(diff)
	}
	if got := s.send(t, "GET", path, ""); got.body != want {
		t.Errorf("GET gives %s", got.body)
	}
	s.now = startOfTest.Add(time.Hour)
	for _, step := range []struct{ body, rest string }{
		{`{"paused":true}`, rest(true, "[]")},
		{`{"vanity_name_servers":["ns1.example.net","ns2.example.net."],"type":"secondary"}`, rest(true, `["ns1.example.net","ns2.example.net."]`)},
		{`{}`, rest(true, `["ns1.example.net","ns2.example.net."]`)},
		{`{"paused":null,"vanity_name_servers":null,"type":null}`, rest(false, "[]")},
	} {
		if diff := cmp.Diff(show("Example.net", "initializing", step.rest, second), s.send(t, "PATCH", path, step.body).body); diff != "" {
			t.Errorf("%s: %s", step.body, diff)
		}
	}
	s.must(t, "POST", incomingPath(zone.ID), s.zoneBody("EXAMPLE.net"))
	for state, status := range map[string]string{"": "pending", "empty": "pending", "expired": "pending", "serving": "active"} {
		s.statuses[zone.ID] = Status{State: state}
		if diff := cmp.Diff(show("Example.net", status, rest(false, "[]"), second), s.send(t, "GET", path, "").body); diff != "" {
			t.Errorf("copy %q: %s", state, diff)
		}
	}
	s.must(t, "DELETE", incomingPath(zone.ID), "")
	s.must(t, "GET", path, "")
}

// All of a zone goes in one step, and its name and peers are free.
func TestDeleteZone(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	s.must(t, "PATCH", "/zones/"+zoneOne, `{"paused":true}`)
	before := s.Registry.Revision()
	if got := s.send(t, "DELETE", "/zones/"+zoneOne, ""); got.body != envelopeOf(`{"id":"`+zoneOne+`"}`) {
		t.Error(got.body)
	}
	if got := s.Registry.Revision(); got != before+1 {
		t.Errorf("%d transactions", got-before)
	}
	for path, want := range map[string]string{"/zones/" + zoneOne: "1001", incomingPath(zoneOne): "2201", outgoingPath(zoneOne): "2205"} {
		if got := s.send(t, "GET", path, ""); got.status != 404 || got.faults() != want {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	s.must(t, "DELETE", peersPath+"/"+s.peer, "")
	s.must(t, "POST", "/zones", `{"name":"example.org","account":{"id":"`+accountB+`"}}`)
}

// A zone that is known by its configuration alone is a zone like others, and
// what is set of it is kept with it.
func TestZoneOfAConfiguration(t *testing.T) {
	t.Parallel()
	s := seed(t)
	const at = "2026-01-02T03:04:05.678900Z"
	want := envelopeOf(zoneJSON(zoneOne, "example.org", accountA, "pending", rest(false, "[]"), at, at))
	if diff := cmp.Diff(want, s.send(t, "GET", "/zones/"+zoneOne, "").body); diff != "" {
		t.Error(diff)
	}
	s.must(t, "POST", outgoingPath(zoneTwo), s.outgoingBody("out.example."))
	want = envelopeOf(zoneJSON(zoneTwo, "out.example", accountA, "initializing", rest(false, "[]"), at, at))
	if diff := cmp.Diff(want, s.send(t, "GET", "/zones/"+zoneTwo, "").body); diff != "" {
		t.Error(diff)
	}
	s.must(t, "PATCH", "/zones/"+zoneOne, `{}`)
	if _, ok := s.Registry.ListedZone(zoneOne); !ok || s.Registry.Revision() != 7 {
		t.Errorf("revision %d: a change of nothing changed something", s.Registry.Revision())
	}
	s.must(t, "PATCH", "/zones/"+zoneOne, `{"paused":true}`)
	s.must(t, "DELETE", incomingPath(zoneOne), "")
	want = envelopeOf(zoneJSON(zoneOne, "example.org", accountA, "initializing", rest(true, "[]"), at, at))
	if diff := cmp.Diff(want, s.send(t, "GET", "/zones/"+zoneOne, "").body); diff != "" {
		t.Error(diff)
	}
	if got := s.send(t, "POST", incomingPath(zoneOne), s.zoneBody("other.example")); got.faults() != "2307 /name" {
		t.Errorf("another name than the zone's: %s", got.body)
	}
}

// The root is written by its dot alone.
func TestRootZone(t *testing.T) {
	t.Parallel()
	s := seed(t)
	id := s.must(t, "POST", "/zones", `{"name":".","account":{"id":"`+accountA+`"}}`)
	if got := s.send(t, "GET", "/zones?name=.", ""); !strings.Contains(got.body, `"id":"`+id+`","name":"."`) {
		t.Error(got.body)
	}
}

// page is an answer with a page of a list.
type page struct {
	Result []struct{ ID, Name string }
	Info   resultInfo `json:"result_info"`
}

// list reads a page and gives the names on it.
func (w *world) list(t testing.TB, query string) (names []string, info resultInfo) {
	t.Helper()
	got := w.send(t, "GET", "/zones"+query, "")
	if got.status != http.StatusOK || !strings.Contains(got.body, `"result":[`) {
		t.Fatalf("%s: %s", query, got.body)
	}
	var p page
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatal(err)
	}
	for _, zone := range p.Result {
		names = append(names, zone.Name)
	}
	return names, p.Info
}

func TestZonePages(t *testing.T) {
	t.Parallel()
	s := seed(t)
	want := []string{"example.org"}
	for i := range 24 {
		name := fmt.Sprintf("z%02d.example", i)
		want = append(want, name)
		s.must(t, "POST", "/zones", `{"name":"`+name+`","account":{"id":"`+accountA+`"}}`)
	}
	for _, test := range []struct {
		query       string
		first, last int
		info        resultInfo
	}{
		{"", 0, 20, resultInfo{1, 20, 20, 25, 2}},
		{"?page=1&unknown=x&per_page=", 0, 20, resultInfo{1, 20, 20, 25, 2}},
		{"?page=2", 20, 25, resultInfo{2, 20, 5, 25, 2}},
		{"?page=3", 25, 25, resultInfo{3, 20, 0, 25, 2}},
		{"?page=2147483647&per_page=1000", 25, 25, resultInfo{2147483647, 1000, 0, 25, 1}},
		{"?per_page=25", 0, 25, resultInfo{1, 25, 25, 25, 1}},
		{"?per_page=5&page=5", 20, 25, resultInfo{5, 5, 5, 25, 5}},
		{"?per_page=1&page=25", 24, 25, resultInfo{25, 1, 1, 25, 25}},
	} {
		names, info := s.list(t, test.query)
		if diff := cmp.Diff(strings.Join(want[test.first:test.last], " "), strings.Join(names, " ")); diff != "" {
			t.Errorf("%q: %s", test.query, diff)
		}
		if info != test.info {
			t.Errorf("%q: got %+v, want %+v", test.query, info, test.info)
		}
	}
	slices.Reverse(want)
	for query, order := range map[string][]string{"direction=desc": want, "direction=desc&order=account.id": want} {
		names, info := s.list(t, "?page=2&per_page=20&"+query)
		if diff := cmp.Diff(order[20:], names); diff != "" || info != (resultInfo{2, 20, 5, 25, 2}) {
			t.Errorf("%s: %+v %s", query, info, diff)
		}
		if names, _ := s.list(t, "?page=3&per_page=20&"+query); len(names) != 0 {
			t.Errorf("%s: behind the last page %v", query, names)
		}
	}
	if names, info := newWorld(t).list(t, ""); len(names) != 0 || info != (resultInfo{1, 20, 0, 0, 0}) {
		t.Errorf("an empty list: %v %+v", names, info)
	}
}

func TestZoneFilters(t *testing.T) {
	t.Parallel()
	s := seed(t) // example.org of A, pending
	register := func(name, account string) {
		s.must(t, "POST", "/zones", `{"name":"`+name+`","account":{"id":"`+account+`"}}`)
	}
	register("A.example.", accountB)
	register("b.example", accountA)
	register(`c\\.d.example`, accountB)
	s.must(t, "POST", incomingPath(zoneTwo), s.zoneBody("served.org"))
	s.statuses[zoneTwo] = Status{State: "serving"}
	const all = `A.example b.example c\.d.example example.org served.org`
	for query, want := range map[string]string{
		"":                                             all,
		"name=example.org":                             "example.org",
		"name=EXAMPLE.org.":                            "example.org",
		"name=equal:a.EXAMPLE":                         "A.example",
		"name=xample":                                  "",
		"name=a%20b":                                   "",
		`name=C%5C046d.example`:                        `c\.d.example`,
		"name=not_equal:example.org":                   `A.example b.example c\.d.example served.org`,
		"name=contains:EXAMPLE":                        `A.example b.example c\.d.example example.org`,
		"name=starts_with:A":                           "A.example",
		"name=ends_with:.ORG.":                         "example.org served.org",
		"name=contains_case_sensitive:A":               "A.example",
		"name=starts_with_case_sensitive:a":            "",
		"name=starts_with_case_sensitive:A":            "A.example",
		"name=ends_with_case_sensitive:.org":           "example.org served.org",
		"name=ends_with_case_sensitive:.ORG":           "",
		"account.id=" + accountB:                       `A.example c\.d.example`,
		"account.id=nobody":                            "",
		"account.name=starts_with:BBBB":                `A.example c\.d.example`,
		"account.name=" + accountA:                     "b.example example.org served.org",
		"account.name=contains_case_sensitive:B":       "",
		"status=active":                                "served.org",
		"status=pending":                               "example.org",
		"status=pending,active":                        "example.org served.org",
		"status=initializing":                          `A.example b.example c\.d.example`,
		"status=moved":                                 "",
		"type=secondary":                               all,
		"type=full":                                    "",
		"type=full,secondary":                          all,
		"type=full&type=secondary":                     all,
		"name=contains:example&account.id=" + accountB: `A.example c\.d.example`,
		"name=b.example&status=active&match=all":       "",
		"name=b.example&status=active&match=any":       "b.example served.org",
		"match=any":                                    all,
		"direction=desc":                               `served.org example.org c\.d.example b.example A.example`,
		"order=name&direction=asc":                     all,
		"order=status":                                 `served.org A.example b.example c\.d.example example.org`,
		"order=account.id":                             `b.example example.org served.org A.example c\.d.example`,
		"order=account.name&direction=desc":            `c\.d.example A.example served.org example.org b.example`,
	} {
		names, info := s.list(t, "?"+query)
		if got := strings.Join(names, " "); got != want || info.TotalCount != len(names) {
			t.Errorf("%s: got %q of %d, want %q", query, got, info.TotalCount, want)
		}
	}
}

func TestZoneRefusals(t *testing.T) {
	t.Parallel()
	s := seed(t)
	registered := s.must(t, "POST", "/zones", `{"name":"a.example","account":{"id":"`+accountA+`"}}`)
	foreign := s.must(t, "POST", "/zones", `{"name":"b.example","account":{"id":"`+accountB+`"}}`)
	zone := func(name, rest string) string {
		return fmt.Sprintf(`{"name":%s,"account":{"id":%q}%s}`, name, accountA, rest)
	}
	one, missing := "/zones/"+registered, "/zones/"+zoneTwo
	before := s.Registry.Revision()
	for _, test := range []struct {
		method, path, body string
		status             int
		faults             string
	}{
		{"GET", missing, "", 404, "1001"},
		{"PATCH", missing, `{"paused":true}`, 404, "1001"},
		{"PATCH", missing, `{}`, 404, "1001"},
		{"DELETE", missing, "", 404, "1001"},
		{"GET", "/zones/a%2Fb", "", 404, "7003"},
		{"GET", "/zones/", "", 404, "7000"},
		{"PUT", one, "{}", 405, "7001"},
		{"DELETE", "/zones", "", 405, "7001"},
		{"POST", "/zones", "", 400, "2001"},
		{"POST", "/zones", "not JSON", 400, "2001"},
		{"POST", "/zones", zone(`"n.example"`, "") + "x", 400, "2001"},
		{"POST", "/zones", "[]", 400, "2002"},
		{"POST", "/zones", zone(`"`+strings.Repeat("a", 1<<20)+`"`, ""), 413, "2003"},
		{"POST", "/zones", zone(`"n.example"`, `,"name":"m.example"`), 400, "2111 /name"},
		{"POST", "/zones", `{}`, 400, "2102 /name, 2102 /account"},
		{"POST", "/zones", `{"name":null,"account":null}`, 400, "2102 /name, 2102 /account"},
		{"POST", "/zones", `{"name":7,"account":"x"}`, 400, "2101 /name, 2101 /account"},
		{"POST", "/zones", `{"name":"n.example","account":{}}`, 400, "2102 /account/id"},
		{"POST", "/zones", `{"name":"n.example","account":{"id":7}}`, 400, "2101 /account/id"},
		{"POST", "/zones", `{"name":"n.example","account":{"id":""}}`, 400, "2102 /account/id"},
		{"POST", "/zones", `{"name":"n.example","account":{"id":"a/b"}}`, 400, "2103 /account/id"},
		{"POST", "/zones", zone(`""`, ""), 400, "2102 /name"},
		{"POST", "/zones", zone(`"a b"`, ""), 400, "1002 /name"},
		{"POST", "/zones", zone(`"a..b"`, ""), 400, "1002 /name"},
		{"POST", "/zones", zone(`"`+strings.Repeat("a", 1025)+`"`, ""), 400, "2110 /name"},
		{"POST", "/zones", zone(`"A.example."`, ""), 400, "1061 /name"},
		{"POST", "/zones", zone(`"b.example"`, ""), 400, "1061 /name"},
		{"POST", "/zones", zone(`"EXAMPLE.org"`, ""), 400, "1061 /name"},
		{"POST", "/zones", zone(`"n.example"`, `,"type":"full"`), 400, "2105 /type"},
		{"POST", "/zones", zone(`"n.example"`, `,"type":"primary"`), 400, "2103 /type"},
		{"POST", "/zones", zone(`"n.example"`, `,"type":1,"paused":"no"`), 400, "2101 /type, 2101 /paused"},
		{"POST", "/zones", zone(`"a b"`, `,"paused":1`), 400, "2101 /paused, 1002 /name"},
		{"POST", "/zones", zone(`"n.example"`, `,"vanity_name_servers":["ns.example","a b"]`), 400, "2103 /vanity_name_servers/1"},
		{"PATCH", one, "", 400, "2001"},
		{"PATCH", one, "null", 400, "2002"},
		{"PATCH", one, `{"paused":"yes"}`, 400, "2101 /paused"},
		{"PATCH", one, `{"type":"partial"}`, 400, "2105 /type"},
		{"PATCH", one, `{"paused":true,"type":"internal"}`, 400, "2105 /type"},
		{"PATCH", one, `{"paused":true,"paused":false}`, 400, "2111 /paused"},
		{"PATCH", one, `{"vanity_name_servers":"ns.example"}`, 400, "2101 /vanity_name_servers"},
		{"PATCH", one, `{"vanity_name_servers":[7]}`, 400, "2101 /vanity_name_servers/0"},
		{"PATCH", one, `{"vanity_name_servers":["` + strings.Repeat(`n","`, 16) + `n"]}`, 400, "2107 /vanity_name_servers"},
		{"POST", incomingPath(registered), s.zoneBody("other.example"), 400, "2307 /name"},
		{"POST", incomingPath(zoneTwo), s.zoneBody("a.example"), 400, "2109 /name"},
		{"POST", incomingPath(foreign), s.zoneBody("b.example"), 400, "2106 /peers/0"},
		{"POST", outgoingPath(registered), s.outgoingBody("other.example"), 400, "2307 /name"},
		{"POST", outgoingPath(foreign), s.outgoingBody("b.example"), 400, "2106 /peers/0"},
		{"GET", "/zones?page=0", "", 400, "2308"},
		{"GET", "/zones?page=-1", "", 400, "2308"},
		{"GET", "/zones?page=2147483648", "", 400, "2308"},
		{"GET", "/zones?page=x&per_page=1001", "", 400, "2308, 2308"},
		{"GET", "/zones?order=age&direction=up&match=some", "", 400, "2308, 2308, 2308"},
		{"GET", "/zones?status=dead&type=full,x", "", 400, "2308, 2308"},
		{"GET", "/zones?name=like:x&account.name=a:b", "", 400, "2308, 2308"},
		{"GET", "/zones?name=%zz", "", 400, "2308"},
	} {
		got := s.send(t, test.method, test.path, test.body)
		if got.status != test.status || got.faults() != test.faults {
			t.Errorf("%s %s %.200s\n got %d %s\nwant %d %s\n%.300s", test.method, test.path, test.body, got.status, got.faults(), test.status, test.faults, got.body)
		}
	}
	if s.Registry.Revision() != before {
		t.Error("a refused request changed something")
	}
}
