package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// TestExportedZone is what the primary has, in a form that is read back, and 404
// once the zone is deleted as a whole.
func TestExportedZone(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)

	status, text := get(t, d.Client, "/zones/"+harness.ZoneID(zoneName)+"/dns_records/export")
	var got, want []string
	parser := dns.NewZoneParser(strings.NewReader(text), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		got = append(got, rr.String())
	}
	for _, rr := range zoneOf(t, zoneName, 1, lazy) {
		want = append(want, rr.String())
	}
	if len(got) == 0 || !strings.Contains(got[0], "\tSOA\t") {
		t.Errorf("it does not begin with the SOA record: %q", got)
	}
	slices.Sort(got)
	slices.Sort(want)
	if status != http.StatusOK || parser.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("status %d, %v\n got %q\nwant %q", status, parser.Err(), got, want)
	}

	if a, err := d.Client.Do(http.MethodDelete, "/zones/"+harness.ZoneID(zoneName), nil); err != nil || !a.Success {
		t.Fatalf("%+v, %v", a, err)
	}
	harness.WaitFor(t, time.Second, func() bool {
		return harness.Rcode(d.DNS, zoneName) == dns.RcodeRefused
	}, "the deleted zone to be REFUSED")
	if status, _ := get(t, d.Client, "/zones/"+harness.ZoneID(zoneName)+"/dns_records/export"); status != http.StatusNotFound {
		t.Errorf("status %d after the deletion", status)
	}
}

// get reads what is no envelope.
func get(t *testing.T, c *harness.Client, path string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
