package api

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// Bounds on texts that are as long as a zone.
const (
	textChunk   = 64 << 10  // octets that are written at once
	textTimeout = time.Hour // for a whole text; each chunk has the time of an answer
)

// streamText answers with the text that write writes about a zone. When that can't
// be done to its end, the connection breaks, so that nobody takes a part for the
// whole, and the log says cutOff.
func (s *Server) streamText(c echo.Context, apex, cutOff string, write func(io.Writer) error) error {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMETextPlainCharsetUTF8)
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	c.Response().WriteHeader(http.StatusOK)
	slow, stop := s.newPaced(c)
	defer stop()
	to := bufio.NewWriterSize(slow, textChunk)
	err := write(to)
	if err == nil {
		err = to.Flush()
	}
	if err != nil {
		s.Log.Info(cutOff, zap.String("zone", apex), zap.String("request", requestID(c)), zap.Error(err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// paced gives each write of an answer a time of its own, within that for all, and
// none once the token of the request is no longer valid.
type paced struct {
	http.ResponseWriter
	ctx     context.Context //nolint:containedctx // that of the one answer
	control *http.ResponseController
	latest  time.Time
}

// newPaced is where the answer to a request is written; the caller calls stop at
// the end.
func (s *Server) newPaced(c echo.Context) (to *paced, stop func()) {
	ctx, leave := s.whileValid(c)
	to = &paced{c.Response(), ctx, http.NewResponseController(c.Response()), time.Now().Add(textTimeout)}
	untie := whenDone(ctx, to.end)
	return to, func() {
		untie()
		leave()
	}
}

func (p *paced) Write(b []byte) (int, error) {
	deadline := time.Now().Add(writeTimeout)
	if p.latest.Before(deadline) {
		deadline = p.latest
	}
	_ = p.control.SetWriteDeadline(deadline) // a writer without deadlines is never slow
	if p.ctx.Err() != nil {                  // if it ends after this, end moves the deadline that was set
		return 0, context.Cause(p.ctx)
	}
	return p.ResponseWriter.Write(b)
}

// end ends a write under way.
func (p *paced) end() { _ = p.control.SetWriteDeadline(time.Now()) }
