package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// eventWriter writes the form of server-sent events. The first error ends it:
// nothing is written after that.
type eventWriter struct {
	ctx     context.Context //nolint:containedctx // when it ends, little time is left
	to      io.Writer
	control *http.ResponseController
	text    []byte // not flushed yet
	err     error
}

func newEventWriter(ctx context.Context, w http.ResponseWriter) *eventWriter {
	return &eventWriter{ctx: ctx, to: w, control: http.NewResponseController(w)}
}

// farewell is how long the end of a stream may take to be written.
const farewell = time.Second

// hurry ends a write under way soon.
func (w *eventWriter) hurry() { w.within(farewell) }

func (w *eventWriter) within(d time.Duration) {
	_ = w.control.SetWriteDeadline(time.Now().Add(d)) // what can't do this is no connection, as in tests
}

// event adds an event; the data must be one line. Without an id it does not count
// as received.
func (w *eventWriter) event(kind, id, data string) {
	if id != "" {
		w.text = fmt.Appendf(w.text, "id: %s\n", id)
	}
	w.text = fmt.Appendf(w.text, "event: %s\ndata: %s\n\n", kind, data)
}

// comment adds a line that clients ignore: it keeps a connection open, and finds
// out that it is not.
func (w *eventWriter) comment(text string) { w.text = fmt.Appendf(w.text, ": %s\n\n", text) }

// flush sends what was added. Each time has a limit of its own: a stream has no
// other.
func (w *eventWriter) flush() {
	if w.err != nil {
		return
	}
	if w.ctx.Err() == nil {
		w.within(writeTimeout)
	} else {
		w.hurry()
	}
	if _, w.err = w.to.Write(w.text); w.err == nil {
		w.err = w.control.Flush()
	}
	w.text = w.text[:0]
}
