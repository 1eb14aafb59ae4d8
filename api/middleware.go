package api

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"secondaryd/zonestore/registry"
)

const (
	requestKey = "request"
	createdKey = "created" // the id of the object that a request has made, for the log
	countsKey  = "counts"  // how many zones a bulk request has changed, as fields of the log
)

// requestID is the id that ties the log lines of a request to its answer.
func requestID(c echo.Context) string {
	id, _ := c.Get(requestKey).(string)
	return id
}

// newID makes an id of an object: 32 lower-case hex characters.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// observe is middleware that writes one line a request: changes at info, all
// else at debug. It answers errors itself, so that it knows the status.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		c.Set(requestKey, newID())
		c.Response().Header().Set(echo.HeaderXRequestID, requestID(c))
		zone := s.zoneName(c)
		if err := next(c); err != nil {
			c.Error(err)
		}
		if line := s.Log.Check(logLevel(c), "api request"); line != nil {
			line.Write(s.describe(c, zone, start)...)
		}
		return nil
	}
}

// logLevel is info for a change that was made.
func logLevel(c echo.Context) zapcore.Level {
	switch c.Request().Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		if c.Response().Status < http.StatusBadRequest {
			return zap.InfoLevel
		}
	}
	return zap.DebugLevel
}

// describe gives the fields of the line. The path itself is not among them: it
// may be anything, a token pasted by mistake included.
func (s *Server) describe(c echo.Context, zone string, start time.Time) []zap.Field {
	fields := append(make([]zap.Field, 0, usualFields),
		zap.String("request", requestID(c)),
		zap.String("client", c.RealIP()),
		zap.String("method", c.Request().Method),
		zap.String("route", c.Path()),
		zap.Int("status", c.Response().Status),
		zap.Duration("duration", time.Since(start)),
	)
	if token := caller(c); token.ID != "" {
		fields = append(fields, zap.String("token", token.ID), zap.String("token_name", token.Name))
	}
	if zone == "" {
		zone = s.zoneName(c)
	}
	if zone != "" {
		fields = append(fields, zap.String("zone", zone))
	}
	for _, name := range c.ParamNames() {
		if registry.ValidID(c.Param(name)) {
			fields = append(fields, zap.String(name, c.Param(name)))
		}
	}
	if id, ok := c.Get(createdKey).(string); ok {
		fields = append(fields, zap.String("id", id))
	}
	if counts, ok := c.Get(countsKey).([]zap.Field); ok {
		fields = append(fields, counts...)
	}
	return fields
}

// usualFields is how many fields a line has at most, as a rule.
const usualFields = 12

// zoneName is the name of the zone that a request is about, if it is known.
func (s *Server) zoneName(c echo.Context) string {
	if zone, ok := s.Registry.ListedZone(c.Param("zone_id")); ok {
		return zone.Apex()
	}
	return ""
}

// contain is middleware that turns a panic of a handler into an answer.
func (s *Server) contain(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("api handler panicked", zap.String("request", requestID(c)),
				zap.String("panic", fmt.Sprint(p)), zap.ByteString("stack", debug.Stack()))
			err = refuse(codeInternal, "internal error")
		}()
		return next(c)
	}
}

// screen is middleware that refuses what no handler needs to see: bodies said
// to be too long, ids that can't be any, and OPTIONS, which nothing has.
func (s *Server) screen(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if most := s.maxBody(c); c.Request().ContentLength > most {
			return bodyTooLong(most)
		}
		if c.Request().Method == http.MethodOptions {
			if allow, ok := c.Get(echo.ContextKeyHeaderAllow).(string); ok {
				c.Response().Header().Set(echo.HeaderAllow, allow)
				return echo.ErrMethodNotAllowed
			}
		}
		for _, name := range c.ParamNames() {
			if !registry.ValidID(c.Param(name)) && c.Path() != "" {
				return refuse(codeBadIdentifier, "the %s in the path can't be one", name)
			}
		}
		return next(c)
	}
}
