package api

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

// serialOf is the serial of a status.
func serialOf(t *testing.T, a answer) uint32 {
	t.Helper()
	var status struct {
		Serial uint32 `json:"soa_serial"`
	}
	if err := json.Unmarshal(a.env.Result, &status); err != nil {
		t.Fatal(err)
	}
	return status.Serial
}

func TestWait(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/status"
	s.statuses[zoneOne] = Status{State: "serving", Serial: 7}
	for _, query := range []string{"?wait=0", "?wait=0&serial=8", "?wait=60&serial=7"} {
		if got := serialOf(t, s.send(t, "GET", path+query, "")); got != 7 {
			t.Errorf("%s: serial %d", query, got)
		}
	}
	answered := make(chan answer)
	go func() { answered <- s.send(t, "GET", path+"?wait=60&serial=8", "") }()
	s.changed <- struct{}{} // not yet
	s.mu.Lock()
	s.statuses[zoneOne] = Status{State: "serving", Serial: 8}
	s.mu.Unlock()
	var waited answer
	select {
	case s.changed <- struct{}{}:
		waited = <-answered
	case waited = <-answered: // it looked again between the two
	}
	if got := serialOf(t, waited); got != 8 {
		t.Errorf("serial %d, want 8", got)
	}
	s.busy = true
	if got := s.send(t, "GET", path+"?wait=1", ""); got.status != 503 || got.faults() != "2411" || got.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", got.status, got.faults())
	}
}

// When the time is over, the status is what it is then; a wait neither outlives
// the server nor who waits.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/status?wait=60&serial=8"
	s.statuses[zoneOne] = Status{State: "serving", Serial: 7}
	synctest.Test(t, func(t *testing.T) {
		s.changed = make(chan struct{})
		start := time.Now()
		if got := serialOf(t, s.send(t, "GET", path, "")); got != 7 || time.Since(start) != time.Minute {
			t.Errorf("serial %d after %s", got, time.Since(start))
		}
		s.ending, s.end = context.WithCancel(t.Context())
		answered := make(chan answer)
		go func() { answered <- s.send(t, "GET", path, "") }()
		synctest.Wait()
		s.end()
		if got := <-answered; got.status != 503 || got.faults() != "2403" {
			t.Errorf("at the end of the server: %d %s", got.status, got.faults())
		}
	})
}
