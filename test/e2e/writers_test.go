package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"secondaryd/internal/apiclient"
	"secondaryd/test/harness"
)

// TestTwoWriters has two clients as the command line's change one object at once:
// each change that was made counts.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", harness.FreeAddr(t), nil))
	path := "/zones/" + harness.ZoneID(zoneName) + "/secondary_dns/incoming/settings"
	if a, err := d.Client.Do(http.MethodPut, path, map[string]int{"max_shrink_percent": 0}); err != nil || !a.Success {
		t.Fatalf("%+v, %v", a, err)
	}
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		client, err := apiclient.New(apiclient.Options{URL: d.Client.Base, Token: d.Client.Token})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		wg.Go(func() {
			for range 20 {
				_, err := client.Change(t.Context(), path, addOne)
				if refused, ok := errors.AsType[*apiclient.Error](err); ok && refused.Status == http.StatusPreconditionFailed {
					continue // the other was quicker, several times
				}
				if err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	wg.Wait()
	a, err := d.Client.Do(http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Shrink int64 `json:"max_shrink_percent"`
	}
	if err := json.Unmarshal(a.Result, &settings); err != nil || settings.Shrink != made.Load() || settings.Shrink == 0 {
		t.Errorf("%d changes were made, and %s is left, %v", made.Load(), a.Result, err)
	}
}

// addOne counts a change in the object itself.
func addOne(settings apiclient.Object) error {
	var n int
	if err := json.Unmarshal(settings["max_shrink_percent"], &n); err != nil {
		return err
	}
	return settings.Set("max_shrink_percent", n+1)
}
