package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secondaryd/internal/apiclient"
)

// Statuses of a zone, one after the other.
const (
	statusFine   = `{"name":"example.test.","state":"serving","soa_serial":7,"records":5,"peers":[{"result":"ok","tried_time":"2026-01-02T03:04:05.1Z"}]}`
	statusNewer  = `{"name":"example.test.","state":"serving","soa_serial":8,"records":6,"peers":[{"result":"ok","tried_time":"2026-01-02T03:04:05.2Z"}]}`
	statusFailed = `{"name":"example.test.","state":"serving","soa_serial":8,"records":6,"peers":[
		{"address":"192.0.2.1:53","result":"failed","detail":"connect: refused","tried_time":"2026-01-02T03:04:05.3Z"}]}`
)

// watchAll follows the statuses until w says that it is over.
func watchAll(t *testing.T, w *watch, show func(io.Writer) shower, statuses ...string) (shown string, err error) {
	t.Helper()
	var next atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := int(next.Add(1)) - 1
		if i >= len(statuses) {
			http.Error(w, "the daemon is gone", http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, `{"success":true,"errors":[],"messages":[],"result":%s}`, statuses[i])
	}))
	t.Cleanup(server.Close)
	c, err := apiclient.New(apiclient.Options{URL: server.URL, Token: testToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var out bytes.Buffer
	f := &follower{client: c, zone: zoneID, every: time.Millisecond, show: show(&out)}
	_, _, err = f.until(t.Context(), w.over)
	return out.String(), err
}

func TestWatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		watch    watch
		statuses []string
		lines    int
		problem  string
	}{
		{"the serial comes", watch{serial: new(uint32(8))}, []string{statusFine, statusFine, statusNewer}, 2, ""},
		{"the serial is there", watch{serial: new(uint32(7))}, []string{statusNewer}, 1, ""},
		{"the serial is past the wrap", watch{serial: new(uint32(4294967290))}, []string{statusFine}, 1, ""},
		{"a check fails", watch{}, []string{statusFine, statusNewer, statusFailed}, 3, "192.0.2.1:53: connect: refused"},
		{"it had failed before", watch{}, []string{statusFailed, statusFailed}, 1, "not in the form of this API"},
		{"failures are followed", watch{follow: true}, []string{statusFine, statusFailed, statusNewer}, 3, "not in the form of this API"},
	} {
		shown, err := watchAll(t, &test.watch, showProgress, test.statuses...)
		if strings.Count(shown, "\n") != test.lines || (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: got %v and\n%swant %d lines and %q", test.name, err, shown, test.lines, test.problem)
		}
	}
}

func TestWatchInJSON(t *testing.T) {
	t.Parallel()
	shown, err := watchAll(t, &watch{serial: new(uint32(8))}, showJSON, statusFine, statusFine, statusNewer)
	if want := statusFine + "\n" + statusNewer + "\n"; err != nil || shown != want {
		t.Errorf("got %v and\n%swant\n%s", err, shown, want)
	}
}

// On a terminal a line is written over until something changes.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{w: &out, live: true, begin: time.Now()}
	for _, text := range []string{"empty", "empty", "serving"} {
		p.show(text)
	}
	p.end()
	if want := "\r\x1b[K   0 s  empty\r\x1b[K   0 s  empty\n   0 s  serving\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
