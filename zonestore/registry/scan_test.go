package registry

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestScanZone: what encode writes of a zone is read without encoding/json, and the
// same as by it; what it would not write is left to that.
func TestScanZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	share := uint8(255)
	usual := storedZone{"account-1", "example.net.", 86400, []string{"peer-1"}, nil, at, at.Add(time.Hour)}
	several, most, whole := usual, usual, usual
	several.Peers, several.MaxShrink = []string{"a", "b", "c"}, &share
	most.AutoRefresh, most.Name = math.MaxUint32, `_a-9.*.`+strings.Repeat("x", 60)+`.`
	whole.Created, whole.AutoRefresh, whole.Account = at.Truncate(time.Second), 0, ""
	for _, zone := range []storedZone{usual, several, most, whole} {
		payload, err := json.Marshal(zone)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := scanZone(payload)
		if diff := cmp.Diff(zone, got); !ok || diff != "" {
			t.Errorf("%s: %t %s", payload, ok, diff)
		}
		for i := range payload {
			if got, ok := scanZone(payload[:i]); ok {
				t.Fatalf("cut off as %s: got %+v", payload[:i], got)
			}
		}
	}
}

// TestScanZoneOther: other forms of a zone are read all the same.
func TestScanZoneOther(t *testing.T) {
	t.Parallel()
	const times = `"created":"2026-01-02T03:04:05Z","modified":"2026-01-02T03:04:05.000006Z"}`
	for _, payload := range []string{
		`{"account":"a","name":"b\\\\.example.","auto_refresh":1,"peers":["p"],` + times,
		`{"account":"a","name":"ä.example.","auto_refresh":1,"peers":["p"],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":[],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":null,` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":["p"],"more":{},` + times,
		`{"name":"b.","account":"a","auto_refresh":1,"peers":["p"],` + times,
		`{"account":"a", "name":"b.","auto_refresh":1,"peers":["p"],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":["p"],` + times + "\n",
	} {
		if got, ok := scanZone([]byte(payload)); ok {
			t.Errorf("%s: scanned as %+v", payload, got)
		}
		want, err := unmarshal[storedZone]([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readZone([]byte(payload))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", payload, err, diff)
		}
	}
	for _, payload := range []string{
		``, `{}{}`, `{"account":"a","name":"b.","auto_refresh":01,"peers":["p"],` + times,
		`{"account":"a","name":"b.","auto_refresh":4294967296,"peers":["p"],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":["p"],"max_shrink":256,` + times,
		`{"account":"a","name":"b.","auto_refresh":,"peers":["p"],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":["p",],` + times,
		`{"account":"a","name":"b.","auto_refresh":1,"peers":["p"],` + strings.Replace(times, "-01-02", "-01-32", 1),
	} {
		if got, err := readZone([]byte(payload)); err == nil {
			t.Errorf("%s: read as %+v", payload, got)
		}
	}
}

// FuzzScanZone: whatever is scanned is what encoding/json reads.
func FuzzScanZone(f *testing.F) {
	f.Add([]byte(`{"account":"a","name":"b.","auto_refresh":1,"peers":["p","q"],"max_shrink":5,"created":"2026-01-02T03:04:05Z","modified":"2026-01-02T03:04:05.000006Z"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, ok := scanZone(payload)
		if !ok {
			return
		}
		want, err := unmarshal[storedZone](payload)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", payload, err, diff)
		}
	})
}
