package api

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// envelopeOf is the answer with a result.
func envelopeOf(result string) string {
	return `{"result":` + result + `,"success":true,"errors":[],"messages":[]}` + "\n"
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/status"
	empty := fmt.Sprintf(`{"id":%q,"name":"example.org","state":"empty","activity":"idle","soa_serial":null,"records":null,"checked_time":null,"confirmed_time":null,`+
		`"expiry_time":null,"next_check_time":null,"unsaved":false,"held":null,"peers":[]}`, zoneOne)
	if diff := cmp.Diff(envelopeOf(empty), s.send(t, "GET", path, "").body); diff != "" {
		t.Error(diff)
	}
	s.statuses[zoneOne] = Status{
		State: "serving", Activity: "running", Serial: 7, Records: 100, Unsaved: true,
		Checked: startOfTest, Confirmed: startOfTest, Expires: startOfTest.Add(time.Hour), Next: startOfTest.Add(time.Minute),
		Held: &Held{Serial: 8, Records: 3, Peer: "192.0.2.1:53", Cause: "lost much", Detail: "check: lost much", Since: startOfTest},
		Peers: []PeerStatus{
			{
				ID: s.peer, Address: "192.0.2.1:53", Result: "ok", Tried: startOfTest, Serial: new(uint32(8)), RTT: 1500 * time.Microsecond,
				Kind: "axfr", Octets: 1234, Took: 250 * time.Millisecond, IXFR: "IXFR: no", Differs: true,
			},
			{ID: s.bare, Result: "failed", Earlier: true, Step: "connect", Cause: "no address", Detail: "connect: no address"},
		},
	}
	const at = `"2026-01-02T03:04:05.678900Z"`
	want := fmt.Sprintf(`{"id":%q,"name":"example.org","state":"serving","activity":"running","soa_serial":7,"records":100,"checked_time":`+at+`,"confirmed_time":`+at+`,`+
		`"expiry_time":"2026-01-02T04:04:05.678900Z","next_check_time":"2026-01-02T03:05:05.678900Z","unsaved":true,`+
		`"held":{"soa_serial":8,"records":3,"peer":"192.0.2.1:53","cause":"lost much","detail":"check: lost much","held_time":`+at+`,"discarded":false,"rolled_back":false},`+
		`"peers":[{"id":%q,"address":"192.0.2.1:53","result":"ok","earlier":false,"tried_time":`+at+`,"soa_serial":8,"rtt_seconds":0.0015,"step":null,"cause":null,"detail":null,`+
		`"transfer":{"kind":"axfr","bytes":1234,"duration_seconds":0.25,"ixfr_error":"IXFR: no"},"differs":true},`+
		`{"id":%q,"address":null,"result":"failed","earlier":true,"tried_time":null,"soa_serial":null,"rtt_seconds":null,"step":"connect","cause":"no address","detail":"connect: no address",`+
		`"transfer":null}]}`, zoneOne, s.peer, s.bare)
	if diff := cmp.Diff(envelopeOf(want), s.send(t, "GET", path, "").body); diff != "" {
		t.Error(diff)
	}
}

func TestHeldVersion(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.statuses[zoneOne] = Status{State: "serving", Held: &Held{Serial: 8}}
	for _, order := range []string{"release", "discard"} {
		path := incomingPath(zoneOne) + "/" + order
		if got := s.send(t, "POST", path, `{"soa_serial":7}`); got.status != 400 || got.faults() != "2305 /soa_serial" {
			t.Errorf("%s of another version: %d %s", order, got.status, got.faults())
		}
		if got := s.send(t, "POST", path, `{"soa_serial":8}`); got.body != envelopeOf(`"OK"`) {
			t.Errorf("%s: %s", order, got.body)
		}
	}
	if want := []string{"release " + zoneOne, "discard " + zoneOne}; !slices.Equal(s.forced, want) {
		t.Errorf("orders %q, want %q", s.forced, want)
	}
	s.forceErr = fmt.Errorf("busy")
	if got := s.send(t, "POST", incomingPath(zoneOne)+"/release", `{"soa_serial":8}`); got.status != 503 || got.faults() != "2404" {
		t.Errorf("an order that is not taken: %d %s", got.status, got.faults())
	}
}

// A zone's settings are its own: what replaces its configuration keeps them, and
// its deletion ends them.
func TestZoneSettings(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/settings"
	want := func(value string) {
		t.Helper()
		if got := s.send(t, "GET", path, ""); got.body != envelopeOf(`{"max_shrink_percent":`+value+`}`) {
			t.Errorf("got %s, want %s", got.body, value)
		}
	}
	want("null")
	if got := s.send(t, "PUT", path, `{"max_shrink_percent":80}`); got.body != envelopeOf(`{"max_shrink_percent":80}`) {
		t.Errorf("PUT gives %s", got.body)
	}
	want("80")
	s.must(t, "PUT", incomingPath(zoneOne), s.zoneBody("example.org"))
	want("80")
	s.must(t, "PUT", path, `{"max_shrink_percent":null}`)
	want("null")
	s.must(t, "PUT", path, `{"max_shrink_percent":0}`)
	s.must(t, "DELETE", incomingPath(zoneOne), "")
	s.must(t, "POST", incomingPath(zoneOne), s.zoneBody("example.org"))
	want("null")
}
