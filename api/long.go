package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// long is for requests that take longer than others, at most so long: it moves
// the time limits of the connection, and returns a context that ends with the
// request, its token or the server, so that none of them has to wait for it. The
// caller calls stop at the end.
func (s *Server) long(c echo.Context, most time.Duration) (ctx context.Context, stop func()) {
	valid, leave := s.whileValid(c)
	ctx, cancel := context.WithCancel(valid)
	untie := context.AfterFunc(s.ending, cancel)
	connection := http.NewResponseController(c.Response())
	// What can't do this is no connection, as in tests. Past the time to read a
	// request, its context would end.
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Now().Add(most + writeTimeout))
	return ctx, func() {
		untie()
		cancel()
		leave()
	}
}

// whenDone runs fn when ctx has ended. After stop it neither runs nor will: by then
// the connection may be another request's.
func whenDone(ctx context.Context, fn func()) (stop func()) {
	ran := make(chan struct{})
	untie := context.AfterFunc(ctx, func() {
		defer close(ran)
		fn()
	})
	return func() {
		if !untie() {
			<-ran
		}
	}
}
