package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// Bounds on rollbacks, and on their ends: each reads a zone from disk and writes it.
const (
	maxRollbacks    = 4
	rollbackTimeout = time.Minute
)

// rolledBack is the outcome of a rollback.
type rolledBack struct {
	Serial uint32 `json:"soa_serial"`
}

// rollBack has an earlier version served: the one that the body names, or without
// one that before the served version. It answers when that is on disk.
func (s *Server) rollBack(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	serial, err := s.wantedVersion(c)
	if err != nil {
		return err
	}
	account, _ := confinedTo(c)
	if !s.rollbacks.begin(account) {
		return errRollbacks()
	}
	defer s.rollbacks.end(account)
	ctx, stop := s.long(c, rollbackTimeout)
	defer stop()
	limited, cancel := context.WithTimeout(ctx, rollbackTimeout)
	defer cancel()
	to, err := s.Refresher.Rollback(limited, zone.ID, serial, caller(c).ID)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return s.failRollback(c, zone.Apex(), serial, err)
	}
	return respond(c, rolledBack{to})
}

func errRollbacks() error {
	return refuse(codeBusy, "%d rollbacks are running already, or half as many of the account", maxRollbacks)
}

// wantedVersion reads which version is to be served; nil if that is not said.
func (s *Server) wantedVersion(c echo.Context) (*uint32, error) {
	if !hasBody(c.Request()) {
		return nil, nil
	}
	f, err := s.readForm(c)
	if err != nil {
		return nil, err
	}
	n, ok := f.optionalNumber("soa_serial", 0, 1<<32-1)
	if f.problems != nil {
		return nil, f.problems
	}
	if !ok {
		return nil, nil
	}
	return new(uint32(n)), nil
}

// hasBody reports whether a request has a body: some clients send an empty one in
// chunks.
func hasBody(r *http.Request) bool {
	body := bufio.NewReaderSize(r.Body, 16)
	_, err := body.Peek(1)
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return !errors.Is(err, io.EOF)
}

// failRollback says why a rollback was not made.
func (s *Server) failRollback(c echo.Context, apex string, serial *uint32, err error) error {
	switch {
	case errors.Is(err, ErrNoCopy):
		return refuse(codeNoCopy, "there is no copy of the zone yet")
	case errors.Is(err, ErrNoVersion) && serial == nil:
		return refuse(codeNoVersion, "no version before the served one is kept; zones.versions says how many are")
	case errors.Is(err, ErrNoVersion):
		return errNoVersion(*serial)
	case errors.Is(err, ErrServed):
		return failure{{codeVersionServed, "soa_serial: this is the version that the zone has now", pointer("soa_serial")}}
	case errors.Is(err, ErrOutOfTime):
		return refuse(codeOutOfTime, "no primary was heard for the SOA EXPIRE of that version: it would expire at once")
	}
	s.Log.Warn("zone not rolled back", zap.String("zone", apex), zap.String("request", requestID(c)), zap.Error(err))
	if errors.Is(err, ErrBusy) || errors.Is(err, context.DeadlineExceeded) {
		return refuse(codeBusy, "the zone could not be rolled back now: another order, or a transfer, is under way")
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return refuse(codeStore, "the zone could not be rolled back, and nothing was changed; the server's log says why")
}
