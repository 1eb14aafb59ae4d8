package api

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"secondaryd/zonestore/zone"
)

// Copies gives the copies of zones.
type Copies interface {
	// Copy returns the copy of a zone that is served; false if none is.
	Copy(zoneID string) (*zone.Zone, bool)
}

// Bounds on exports: a reader that is slow keeps a version of a zone in memory.
const (
	maxExports    = 8
	exportChunk   = 64 << 10  // octets that are written at once
	exportTimeout = time.Hour // for a whole zone; each chunk has the time of an answer
)

// exportZone writes the copy that is served as a zone file, record by record.
// When it can't be written to its end, the connection breaks, so that nobody
// takes a part for the whole.
func (s *Server) exportZone(c echo.Context) error {
	listed, err := listedOfPath(c, s.Registry.ListedZone)
	if err != nil {
		return err
	}
	z, ok := s.Copies.Copy(listed.ID)
	if !ok {
		return refuse(codeNoCopy, "no copy of the zone is served: there was no transfer yet, or it has expired")
	}
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		return refuse(codeBusy, "%d exports are running already", maxExports)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMETextPlainCharsetUTF8)
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	c.Response().WriteHeader(http.StatusOK)
	slow, stop := s.newPaced(c)
	defer stop()
	to := bufio.NewWriterSize(slow, exportChunk)
	err = writeZone(to, z)
	if err == nil {
		err = to.Flush()
	}
	if err != nil {
		s.Log.Info("zone export cut off", zap.String("zone", listed.Apex()), zap.String("request", requestID(c)), zap.Error(err))
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
	to = &paced{c.Response(), ctx, http.NewResponseController(c.Response()), time.Now().Add(exportTimeout)}
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
