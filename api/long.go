package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// long is for requests that take longer than others, at most so long: it moves
// the time limits of the connection, and returns a context that ends with the
// request or with the server, so that neither has to wait for them. The caller
// calls stop at the end.
func (s *Server) long(c echo.Context, most time.Duration) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(c.Request().Context())
	untie := context.AfterFunc(s.ending, cancel)
	connection := http.NewResponseController(c.Response())
	// What can't do this is no connection, as in tests. Past the time to read a
	// request, its context would end.
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Now().Add(most + writeTimeout))
	return ctx, func() {
		untie()
		cancel()
	}
}
