package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// eventView is an event as clients see it. What does not apply is left out.
type eventView struct {
	Time      timestamp `json:"time"`
	ZoneID    string    `json:"zone_id,omitempty"`
	Zone      string    `json:"zone,omitempty"`
	Peer      string    `json:"peer,omitempty"`
	Serial    *uint32   `json:"soa_serial,omitempty"`
	OldSerial *uint32   `json:"old_soa_serial,omitempty"`
	Transfer  string    `json:"kind,omitempty"`
	Step      string    `json:"step,omitempty"`
	Cause     string    `json:"cause,omitempty"`
	Detail    string    `json:"detail,omitempty"`
}

// What the stream says of itself.
const (
	endTooSlow  = `{"reason":"the reader is too slow: events were missed"}`
	endToken    = `{"reason":"the token is no longer valid"}`
	endStopping = `{"reason":"the server is stopping"}`
	missedSome  = `{"reason":"events after the last one received are kept no longer: look at the zones anew"}`
)

// events streams events as they happen, as the HTML standard has it
// ("server-sent events"), until the client goes, is too slow, has no valid token any
// more, or the server ends.
func (s *Server) events(c echo.Context) error {
	zone := c.QueryParam("zone_id")
	if c.QueryParams().Has("zone_id") && !registry.ValidID(zone) {
		return refuse(codeQuery, "zone_id: this can't be an id")
	}
	reader, missed, err := s.Events.join(c.Request().Header.Get("Last-Event-ID"), zone)
	if errors.Is(err, ErrBusy) {
		return refuse(codeStreams, "%d streams of events are read already", maxStreams)
	}
	defer reader.leave()
	ctx, stop := s.long(c, 0)
	defer stop()
	w, done := beginEvents(ctx, c)
	defer done()
	w.comment("events of secondaryd")
	if missed {
		w.event("missed", "", missedSome)
	}
	w.flush()
	s.copyEvents(ctx, w, reader)
	return nil // the status is sent: there is nobody to tell
}

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// beginEvents begins an answer of events, which ends soon after ctx; the caller
// calls done at the end.
func beginEvents(ctx context.Context, c echo.Context) (w *eventWriter, done func()) {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, eventStream)
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	c.Response().WriteHeader(http.StatusOK)
	w = newEventWriter(ctx, c.Response())
	return w, whenDone(ctx, w.hurry)
}

// copyEvents writes what the reader reads, and comments while that is nothing.
func (s *Server) copyEvents(ctx context.Context, w *eventWriter, reader *eventReader) {
	quiet := time.NewTicker(s.Events.heartbeat)
	defer quiet.Stop()
	space := make([]numbered, 0, batchEvents)
	for w.err == nil {
		batch, late := reader.take(space)
		switch {
		case late:
			w.event("end", "", endTooSlow)
			w.flush()
			return
		case len(batch) > 0 && ctx.Err() == nil:
			for _, ev := range batch {
				w.event(ev.Kind, s.Events.id(ev.n), ev.view())
			}
			w.flush()
			continue
		}
		select {
		case <-reader.wake:
		case <-quiet.C:
			w.comment("nothing new")
			w.flush()
		case <-ctx.Done():
			if reason := s.endOf(ctx); reason != "" {
				w.event("end", "", reason)
				w.flush()
			}
			return
		}
	}
}

// endOf is what is said of the end of a stream; empty if nobody is left to be told.
func (s *Server) endOf(ctx context.Context) string {
	if s.ending.Err() != nil {
		return endStopping
	}
	if _, ok := errors.AsType[failure](context.Cause(ctx)); ok {
		return endToken
	}
	return ""
}

// view is the event in JSON.
func (ev Event) view() string {
	text, err := json.Marshal(eventView{
		Time: timestamp(ev.At), ZoneID: ev.ZoneID, Zone: ev.Zone, Peer: ev.Peer, Serial: ev.Serial, OldSerial: ev.OldSerial,
		Transfer: ev.Transfer, Step: ev.Step, Cause: ev.Cause, Detail: ev.Detail,
	})
	if err != nil {
		return "{}" // no such value exists
	}
	return string(text)
}
