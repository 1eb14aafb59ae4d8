package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stream is a stream of events being read.
type stream struct {
	*bufio.Scanner
	t *testing.T
}

// received is what came over a stream at once: an event, or a comment.
type received struct{ id, event, data, comment string }

func (s *stream) next() (got received) {
	s.t.Helper()
	for s.Scan() && s.Text() != "" {
		switch name, value, _ := strings.Cut(s.Text(), ": "); name {
		case "id":
			got.id = value
		case "event":
			got.event = value
		case "data":
			got.data = value
		default:
			got.comment = value
		}
	}
	return got
}

// want compares the next event, comments left out, by its kind and zone.
func (s *stream) want(kind, zone string) received {
	s.t.Helper()
	for {
		got := s.next()
		if got.comment != "" {
			continue
		}
		if got.event != kind || zone != "" && !strings.Contains(got.data, `"zone_id":"`+zone+`"`) {
			s.t.Fatalf("got %+v, want %s of %q", got, kind, zone)
		}
		return got
	}
}

// open reads the stream of a running server until the test ends.
func (w *world) openStream(t *testing.T, query, last string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.Addr().String()+"/secondaryd/events"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	transport := &http.Transport{}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = response.Body.Close()
		transport.CloseIdleConnections()
	})
	if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("status %d, type %q", response.StatusCode, got)
	}
	s := &stream{bufio.NewScanner(response.Body), t}
	if got := s.next(); got.comment == "" {
		t.Fatalf("begins with %+v", got)
	}
	return s
}

func published(zone string, serial uint32) Event {
	return Event{Kind: "published", At: startOfTest, ZoneID: zone, Zone: "example.org.", Peer: "192.0.2.53:53", Serial: &serial, Transfer: "axfr"}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	w.Events.Publish(published(zoneOne, 1)) // before anybody listens
	all, one := w.openStream(t, "", ""), w.openStream(t, "?zone_id="+zoneOne, "")
	w.Events.Publish(published(zoneTwo, 2))
	w.Events.Publish(Event{Kind: "peer_back", At: startOfTest, Peer: "192.0.2.53:53"})
	w.Events.Publish(Event{
		Kind: "failed", At: startOfTest, ZoneID: zoneOne, Zone: "example.org.", Peer: "192.0.2.53:53",
		Step: "SOA", Cause: "no answer", Detail: "two\nlines",
	})
	first := all.want("published", zoneTwo)
	all.want("peer_back", "")
	all.want("failed", zoneOne)
	failed := one.want("failed", zoneOne)
	if want := `{"time":"2026-01-02T03:04:05.678900Z","zone_id":"` + zoneOne + `","zone":"example.org.","peer":"192.0.2.53:53",` +
		`"step":"SOA","cause":"no answer","detail":"two\nlines"}`; failed.data != want {
		t.Errorf("got %s", failed.data)
	}

	// Who comes again gets what it has missed, and no more.
	again := w.openStream(t, "", first.id)
	again.want("peer_back", "")
	if got := again.want("failed", zoneOne); got.id != failed.id {
		t.Errorf("id %s, want %s", got.id, failed.id)
	}
	upToDate := w.openStream(t, "", failed.id)
	w.Events.Publish(published(zoneOne, 9))
	upToDate.want("published", zoneOne)

	// What is not known any more is said to be missed.
	for _, last := range []string{"00000000-1", w.Events.id(1000), "nonsense"} {
		s := w.openStream(t, "", last)
		if got := s.want("missed", ""); got.id != "" {
			t.Errorf("%s: id %s", last, got.id)
		}
		s.want("published", zoneOne)
	}
}

func TestEventsRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, query := range []string{"?zone_id=", "?zone_id=a%20b"} {
		if got := w.send(t, "GET", "/secondaryd/events"+query, ""); got.status != 400 || got.faults() != "2320" {
			t.Errorf("%s: %d %s", query, got.status, got.faults())
		}
	}
	for range maxStreams {
		if _, _, err := w.Events.join("", ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.send(t, "GET", "/secondaryd/events", ""); got.status != 503 || got.faults() != "2412" {
		t.Errorf("one too many: %d %s", got.status, got.faults())
	}
	r := w.request(t, "GET", "/secondaryd/events", "")
	r.Header.Del("Authorization")
	if got := w.do(t, r); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
}

// Neither of the server's time limits cuts a stream.
func TestEventsOutliveTimeLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.ReadTimeout = 50 * time.Millisecond
		o.Events = NewEvents()
		o.Events.heartbeat = 20 * time.Millisecond
	})
	w.http.WriteTimeout = 50 * time.Millisecond
	w.run(t)
	s := w.openStream(t, "", "")
	for i := range 10 {
		if got := s.next(); got.comment == "" {
			t.Fatalf("comment %d: got %+v, error %v", i, got, s.Err())
		}
	}
	w.Events.Publish(published(zoneOne, 1))
	s.want("published", zoneOne)
}

func TestEventsEndWithTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	s := w.openStream(t, "", "")
	stop()
	if got := s.want("end", ""); got.data != endStopping {
		t.Errorf("got %s", got.data)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(w.Events.readers) != 0 {
		t.Error("a reader is left")
	}
}

// pipe is a connection whose reader is as slow as it likes.
type pipe struct {
	io.Writer
	header http.Header
}

func (p *pipe) Header() http.Header { return p.header }
func (p *pipe) WriteHeader(int)     {}
func (p *pipe) Flush()              {}

// Who is too slow learns that at last, and holds up nobody.
func TestSlowReaderOfEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		done := make(chan struct{})
		go func() {
			w.http.Handler.ServeHTTP(&pipe{out, http.Header{}}, w.request(t, "GET", "/secondaryd/events", ""))
			_ = out.Close()
			close(done)
		}()
		s := &stream{bufio.NewScanner(in), t}
		s.next()
		synctest.Wait()
		w.Events.Publish(published(zoneOne, 1))
		synctest.Wait() // it is being written, and nobody reads
		for i := range keptEvents + 1 {
			w.Events.Publish(published(zoneTwo, uint32(i)))
		}
		s.want("published", zoneOne)
		if got := s.want("end", ""); got.data != endTooSlow {
			t.Errorf("got %s", got.data)
		}
		<-done
	})
}

// The last events are kept in order, however many there were.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	e := NewEvents()
	for i := range 3*keptEvents + 7 {
		e.Publish(published(fmt.Sprint(i), uint32(i)))
	}
	r, missed, err := e.join(e.id(2*keptEvents+6), "")
	if err != nil || missed {
		t.Fatalf("missed %v, error %v", missed, err)
	}
	n := uint32(2*keptEvents + 7)
	for {
		batch, late := r.take(make([]numbered, 0, batchEvents))
		if late {
			t.Fatal("late")
		}
		if len(batch) == 0 {
			break
		}
		for _, ev := range batch {
			if *ev.Serial != n {
				t.Fatalf("got event %d, want %d", *ev.Serial, n)
			}
			n++
		}
	}
	if n != 3*keptEvents+7 || len(e.kept) != keptEvents {
		t.Errorf("%d events of %d kept", n, len(e.kept))
	}
	if _, missed, _ := e.join(e.id(2*keptEvents+5), ""); !missed {
		t.Error("an event that is kept no longer is not missed")
	}
}

func TestPublishAllocatesNothing(t *testing.T) {
	e, ev := NewEvents(), published(zoneOne, 1)
	for range keptEvents {
		e.Publish(ev)
	}
	if n := testing.AllocsPerRun(100, func() { e.Publish(ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
