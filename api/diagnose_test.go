package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/diagnose"
	s.found = []Diagnosis{
		{Peer: s.peer, Address: "192.0.2.53:53", Skew: new(-90 * time.Second), Steps: []DiagnosisStep{
			{Name: "address", Result: "ok", Detail: "192.0.2.53:53"},
			{Name: "tcp", Result: "failed", Cause: "refused", Detail: "by whom", Advice: "do this", Took: 1500 * time.Microsecond},
			{Name: "axfr", Result: "failed", Cause: "another"},
		}},
		{Peer: s.bare, Steps: []DiagnosisStep{{Name: "address", Result: "skipped", Detail: "why"}}},
	}
	step := func(name, result, cause, detail, advice string, took string) string {
		return fmt.Sprintf(`{"name":%q,"result":%q,"cause":%s,"detail":%s,"advice":%s,"duration_seconds":%s}`, name, result, cause, detail, advice, took)
	}
	want := envelopeOf(fmt.Sprintf(`{"id":%q,"name":"example.org","healthy":false,"peers":[`+
		`{"id":%q,"address":"192.0.2.53:53","result":"failed","summary":"tcp: refused","clock_offset_seconds":-90,"steps":[`+
		step("address", "ok", "null", `"192.0.2.53:53"`, "null", "0")+","+
		step("tcp", "failed", `"refused"`, `"by whom"`, `"do this"`, "0.0015")+","+
		step("axfr", "failed", `"another"`, "null", "null", "0")+`]},`+
		`{"id":%q,"address":null,"result":"ok","summary":"nothing is wrong","clock_offset_seconds":null,"steps":[`+
		step("address", "skipped", "null", `"why"`, "null", "0")+`]}]}`, zoneOne, s.peer, s.bare))
	for _, body := range []string{"", "{}", "anything"} {
		if diff := cmp.Diff(want, s.send(t, "POST", path, body).body); diff != "" {
			t.Error(diff)
		}
	}
	r := s.request(t, "POST", path, "")
	r.Header.Set("Accept", "text/event-stream")
	recorder := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(recorder, r)
	event := func(peer, address, step string) string {
		return "event: step\ndata: {\"peer\":\"" + peer + `","address":` + address + "," + step[1:] + "\n\n"
	}
	found := strings.TrimSuffix(strings.TrimPrefix(want, `{"result":`), `,"success":true,"errors":[],"messages":[]}`+"\n")
	events := event(s.peer, `"192.0.2.53:53"`, step("address", "ok", "null", `"192.0.2.53:53"`, "null", "0")) +
		event(s.peer, `"192.0.2.53:53"`, step("tcp", "failed", `"refused"`, `"by whom"`, `"do this"`, "0.0015")) +
		event(s.peer, `"192.0.2.53:53"`, step("axfr", "failed", `"another"`, "null", "null", "0")) +
		event(s.bare, "null", step("address", "skipped", "null", `"why"`, "null", "0")) + "event: diagnosis\ndata: " + found + "\n\n"
	if diff := cmp.Diff(events, recorder.Body.String()); diff != "" || recorder.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("as a stream: %s", diff)
	}
	s.forceErr = ErrBusy
	busy := s.request(t, "POST", path, "")
	busy.Header.Set("Accept", "text/event-stream")
	if got := s.do(t, busy); got.status != 503 || got.faults() != "2410" {
		t.Errorf("one too many as a stream: %s", got.body)
	}
	if got := s.send(t, "POST", path, ""); got.status != 503 || got.faults() != "2410" || got.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", got.status, got.faults())
	}
}

// entering says when a diagnosis has begun, and lasts until its context ends.
type entering chan struct{}

func (e entering) Diagnose(ctx context.Context, _ string, tell func(Diagnosis)) ([]Diagnosis, error) {
	if tell != nil {
		tell(Diagnosis{Peer: "p", Steps: []DiagnosisStep{{Name: "address", Result: "ok"}}})
	}
	e <- struct{}{}
	<-ctx.Done()
	return nil, nil
}

// A long request neither outlives who made it nor holds up the end of the server.
func TestLongRequestsEnd(t *testing.T) {
	t.Parallel()
	entered := make(entering)
	s := seed(t)
	s.Diagnoser = entered
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	status := make(chan int, 2)
	told := make(chan string, 1)
	order := func(ctx context.Context, accept string) {
		r, err := http.NewRequestWithContext(ctx, "POST", "http://"+s.Addr().String()+incomingPath(zoneOne)+"/diagnose", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Accept", accept)
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			status <- 0
			return
		}
		text, _ := io.ReadAll(response.Body) // a part tells as well
		_ = response.Body.Close()
		if accept != "" {
			told <- string(text)
			return
		}
		status <- response.StatusCode
	}
	impatient, give := context.WithCancel(t.Context())
	go order(impatient, "")
	<-entered
	give()
	if got := <-status; got != 0 {
		t.Errorf("an answer to who has gone: %d", got)
	}
	go order(t.Context(), "")
	<-entered
	go order(t.Context(), eventStream)
	<-entered
	stop()
	if got := <-told; !strings.HasPrefix(got, "event: step\n") || !strings.HasSuffix(got, "event: end\ndata: "+endStopping+"\n\n") {
		t.Errorf("a stream at the end of the server: %q", got)
	}
	if got := <-status; got != 503 {
		t.Errorf("status at the end of the server: %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
