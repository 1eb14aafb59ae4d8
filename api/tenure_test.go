package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// running is a server on a socket whose clock can be set.
type running struct {
	seeded
	clock atomic.Int64 // seconds after the start of the test
}

func run(t *testing.T) *running {
	t.Helper()
	r := &running{}
	r.seeded = seed(t)
	r.Now = func() time.Time { return startOfTest.Add(time.Duration(r.clock.Load()) * time.Second) }
	r.statuses[zoneOne] = Status{State: "serving", Serial: 7}
	r.world.run(t)
	return r
}

// get makes a request over the network, with a client of its own.
func (r *running) get(t *testing.T, token, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.Addr().String()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// underWay waits until as many long requests run.
func (r *running) underWay(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r.tenures.mu.Lock()
		got := len(r.tenures.open)
		r.tenures.mu.Unlock()
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d long requests run, want %d", got, n)
		}
	}
}

// endings are the ways in which a token ends, for a token that is made with more
// members.
var endings = map[string]struct {
	members string
	end     func(t *testing.T, r *running, id string)
}{
	"revoked": {"", func(t *testing.T, r *running, id string) { r.must(t, "DELETE", tokensPath+"/"+id, "") }},
	"expired": {`,"expires_on":"2026-01-02T03:04:15Z"`, func(_ *testing.T, r *running, _ string) { r.clock.Store(10) }},
}

// What runs for a token ends soon after the token, and nothing else does.
func TestTokenEndsWhatRuns(t *testing.T) {
	t.Parallel()
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t)
			token, id := r.tokenAndID(t, callers["admin"]+ending.members)
			other := r.token(t, callers["admin"])
			ended, kept := r.get(t, token, "/secondaryd/events"), r.get(t, other, "/secondaryd/events")
			waited := make(chan answer, 1)
			go func() { waited <- check(t, r.get(t, token, incomingPath(zoneOne)+"/status?wait=60&serial=8")) }()
			r.underWay(t, 3)

			start := time.Now()
			ending.end(t, r, id)
			text, err := io.ReadAll(ended.Body)
			if err != nil || !strings.HasSuffix(string(text), "event: end\ndata: "+endToken+"\n\n") {
				t.Errorf("the stream ended with %v and %q", err, text)
			}
			if got := <-waited; got.status != 401 || got.faults() != "10000" || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("who waited got %s", got.body)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("after %s", took)
			}
			r.underWay(t, 1)
			r.Events.Publish(published(zoneOne, 9))
			s := &stream{bufio.NewScanner(kept.Body), t}
			s.want("published", zoneOne)
		})
	}
}

// An export to a reader that is slow ends as well, and breaks off, whatever of it
// waits to be read.
func TestTokenEndsExport(t *testing.T) {
	t.Parallel()
	r := run(t)
	var many []string
	for i := range 600 { // more than the buffers of a connection hold
		many = append(many, fmt.Sprintf("n%05d.example.org. 60 IN TXT %s", i, strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 60)))
	}
	r.mu.Lock()
	r.copies[zoneOne] = copyOf(t, many...)
	r.mu.Unlock()
	token, id := r.tokenAndID(t, callers["read"])
	response := r.get(t, token, exportPath(zoneOne))
	r.underWay(t, 1)
	r.must(t, "DELETE", tokensPath+"/"+id, "")
	r.underWay(t, 0)
	if text, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%d octets were read as if they were all", len(text))
	}
}

// The first token is replaced by a reload.
func TestReplacedTokenEndsWhatRuns(t *testing.T) {
	t.Parallel()
	r := run(t)
	response := r.get(t, testToken, "/secondaryd/events")
	r.underWay(t, 1)
	r.Tokens.Replace("new", testToken)
	r.review()
	r.underWay(t, 1) // it is one of them still
	r.Tokens.Replace("new")
	if text, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(text), endToken) {
		t.Errorf("the stream ended with %v and %q", err, text)
	}
}

// A token whose rights are other ones now is another token.
func TestAdmits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.tokenAndID(t, callers["edit"])
	then, _ := w.Registry.Token(id)
	if !w.admits(then) {
		t.Error("a token that is as it was")
	}
	for name, other := range map[string]func(){
		"access":  func() { then.Access = "read" },
		"account": func() { then.Account = accountB },
		"scope":   func() { then.Scope = "admin" },
		"hash":    func() { then.Hash[0]++ },
	} {
		before := then
		if other(); w.admits(then) {
			t.Errorf("another %s", name)
		}
		then = before
	}
}

// What is done at the end of a context is over when nobody wants it any more: it
// moved the deadline of a connection that served another request by then.
func TestWhenDoneIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		leave, stopped := make(chan struct{}), false
		stop := whenDone(ctx, func() { <-leave })
		cancel()
		go func() { stop(); stopped = true }()
		synctest.Wait()
		if stopped {
			t.Error("it is stopped while it runs")
		}
		close(leave)
		synctest.Wait()
		if !stopped {
			t.Error("it is never stopped")
		}
		whenDone(t.Context(), func() { t.Error("it runs before the end") })()
	})
}
