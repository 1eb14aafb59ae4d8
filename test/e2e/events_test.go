package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// happening is what the tests look at of an event.
type happening struct {
	id, kind string
	Zone     string `json:"zone"`
	Serial   uint32 `json:"soa_serial"`
	Step     string `json:"step"`
}

// eventsOf reads the stream of events of a zone, behind the one with the id last.
func eventsOf(t *testing.T, d *harness.Daemon, zone, last string) func() happening {
	t.Helper()
	return eventsFor(t, d, d.Client.Token, zone, last)
}

// eventsFor is eventsOf with another token.
func eventsFor(t *testing.T, d *harness.Daemon, token, zone, last string) func() happening {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.Client.Base+"/secondaryd/events?zone_id="+harness.ZoneID(zone), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := new(http.Client).Do(r)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("stream of events: %v %+v", err, response)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return func() (h happening) {
		t.Helper()
		for lines.Scan() && (lines.Text() != "" || h.kind == "") {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "id":
				h.id = value
			case "event":
				h.kind = value
			case "data":
				if err := json.Unmarshal([]byte(value), &h); err != nil {
					t.Fatalf("%s: %v", value, err)
				}
			}
		}
		return h
	}
}

// TestEventStream watches a zone over two versions and the loss of its primary,
// comes back to what it has missed, and sees the daemon stop.
func TestEventStream(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	next := eventsOf(t, d, zoneName, "")
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	first := next()
	if first.kind != "published" || first.Serial != 1 || !sameName(first.Zone, zoneName) {
		t.Fatalf("got %+v", first)
	}
	u.announce(t, d, zoneName)
	if got := next(); got.kind != "published" || got.Serial != 2 {
		t.Errorf("got %+v", got)
	}
	u.Stop()
	d.Client.ForceAXFR(t, zoneName)
	if got := next(); got.kind != "failed" || got.Step != "connect" || got.Serial != 2 {
		t.Errorf("got %+v", got)
	}
	again := eventsOf(t, d, zoneName, first.id)
	if got := again(); got.kind != "published" || got.Serial != 2 {
		t.Errorf("coming back: got %+v", got)
	}
	d.Stop(t)
	for got := next(); got.kind != "end"; got = next() {
		if got.kind != "failed" {
			t.Fatalf("at the end of the daemon: got %+v", got)
		}
	}
}

// TestStreamEndsWithToken revokes the token of one of two streams.
func TestStreamEndsWithToken(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	made, err := d.Client.Do(http.MethodPost, "/secondaryd/tokens", map[string]string{"name": "watcher", "scope": "admin"})
	if err != nil {
		t.Fatal(err)
	}
	var token struct{ ID, Value string }
	if err := json.Unmarshal(made.Result, &token); err != nil || token.Value == "" {
		t.Fatalf("%s: %v", made.Result, err)
	}
	revoked, kept := eventsFor(t, d, token.Value, zoneName, ""), eventsOf(t, d, zoneName, "")
	if gone, err := d.Client.Do(http.MethodDelete, "/secondaryd/tokens/"+token.ID, nil); err != nil || !gone.Success {
		t.Fatalf("%+v, %v", gone, err)
	}
	if got := revoked(); got.kind != "end" {
		t.Errorf("got %+v", got)
	}
	u := primaryOf(t, zoneName, "", lazy)
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	if got := kept(); got.kind != "published" {
		t.Errorf("the other stream gives %+v", got)
	}
}
