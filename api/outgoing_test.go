package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutgoing(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := outgoingPath(zoneOne)
	show := func(name, peer string, serial uint32) string {
		const at = "2026-01-02T03:04:05.678900Z"
		return envelopeOf(fmt.Sprintf(`{"id":%q,"name":%q,"peers":[%q],"soa_serial":%d,"created_time":%q,"checked_time":%q,"last_transferred_time":%q}`,
			zoneOne, name, peer, serial, at, at, at))
	}
	created := s.send(t, "POST", path, fmt.Sprintf(`{"id":"ignored","name":"Example.ORG.","peers":[%q],"unknown":{}}`, s.peer))
	if diff := cmp.Diff(show("Example.ORG.", s.peer, 0), created.body); diff != "" {
		t.Error(diff)
	}
	if got := s.send(t, "GET", "/client/v4"+path, ""); got.body != created.body {
		t.Errorf("GET gives %s", got.body)
	}
	s.now = startOfTest.Add(time.Hour)
	s.statuses[zoneOne] = Status{State: "serving", Serial: 4294967295, Checked: s.now}
	updated := s.send(t, "PUT", path, fmt.Sprintf(`{"name":"example.org","peers":[%q]}`, s.bare))
	if diff := cmp.Diff(show("example.org", s.bare, 4294967295), updated.body); diff != "" {
		t.Error(diff)
	}
	if got := s.send(t, "DELETE", path, ""); got.body != envelopeOf(`{"id":"`+zoneOne+`"}`) {
		t.Error(got.body)
	}
	if got := s.send(t, "GET", path, ""); got.status != 404 || got.faults() != "2205" {
		t.Errorf("after the deletion: %s", got.body)
	}
	if got := s.send(t, "GET", incomingPath(zoneOne), ""); got.status != http.StatusOK {
		t.Errorf("the incoming configuration went too: %s", got.body)
	}
}

// Whether it is enabled is stored, and stays as it is when the rest is replaced.
func TestOutgoingSwitch(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := outgoingPath(zoneTwo)
	s.must(t, "POST", path, s.outgoingBody("a.example"))
	want := func(state string) {
		t.Helper()
		if got := s.send(t, "GET", path+"/status", ""); got.body != envelopeOf(`"`+state+`"`) {
			t.Errorf("got %s, want %s", got.body, state)
		}
	}
	want("Disabled")
	for _, body := range []string{"", "null", "{}", `{"any":"thing"}`, "not JSON"} {
		for _, step := range []struct{ order, result, state string }{
			{"enable", "Enabled", "Enabled"},
			{"enable", "Enabled", "Enabled"},
			{"force_notify", "OK", "Enabled"},
			{"disable", "Disabled", "Disabled"},
			{"disable", "Disabled", "Disabled"},
			{"force_notify", "OK", "Disabled"},
		} {
			if got := s.send(t, "POST", path+"/"+step.order, body); got.body != envelopeOf(`"`+step.result+`"`) {
				t.Errorf("%s with %q: %s", step.order, body, got.body)
			}
			want(step.state)
		}
	}
	s.must(t, "POST", path+"/enable", "")
	s.must(t, "PUT", path, s.outgoingBody("b.example"))
	want("Enabled")
	if out, _ := s.Registry.Outgoing(zoneTwo); !out.Enabled || out.Name != "b.example" || out.Account != accountA {
		t.Errorf("stored %+v", out)
	}
	s.must(t, "DELETE", path, "")
	s.must(t, "POST", path, s.outgoingBody("b.example"))
	want("Disabled")
	if len(s.forced) != 0 {
		t.Errorf("orders %v", s.forced)
	}
}

// Terraform creates and destroys both configurations of a zone in any order.
func TestOutgoingAndIncomingInAnyOrder(t *testing.T) {
	t.Parallel()
	s := seed(t)
	in, out := incomingPath(zoneTwo), outgoingPath(zoneTwo)
	s.must(t, "POST", out, s.outgoingBody("a.example."))
	s.must(t, "POST", in, s.zoneBody("A.example"))
	s.must(t, "DELETE", in, "")
	if got := s.send(t, "GET", out, ""); got.status != http.StatusOK || !strings.Contains(got.body, `"soa_serial":0`) {
		t.Errorf("after the deletion of the incoming configuration: %s", got.body)
	}
	s.must(t, "DELETE", out, "")
	s.must(t, "POST", in, s.zoneBody("a.example"))
}

// A peer that zones are handed out to stays, and they are listed.
func TestPeerOfOutgoingStays(t *testing.T) {
	t.Parallel()
	s := seed(t)
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	s.must(t, "POST", outgoingPath(zoneTwo), s.outgoingBody("a.example"))
	refused := s.send(t, "DELETE", peersPath+"/"+s.peer, "")
	if want := "the peer is still linked by these zones: " + zoneOne + ", " + zoneTwo; refused.status != 400 ||
		refused.faults() != "2302" || refused.env.Errors[0].Message != want {
		t.Errorf("got %s, want %s", refused.body, want)
	}
	s.must(t, "DELETE", outgoingPath(zoneOne), "")
	s.must(t, "DELETE", incomingPath(zoneOne), "")
	if got := s.send(t, "DELETE", peersPath+"/"+s.peer, ""); got.faults() != "2302" {
		t.Errorf("with the outgoing configuration alone: %s", got.body)
	}
	s.must(t, "DELETE", outgoingPath(zoneTwo), "")
	s.must(t, "DELETE", peersPath+"/"+s.peer, "")
}
