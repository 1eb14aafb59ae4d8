package api

import (
	"context"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// reviewEvery is for how long, at most, a request that is running is of use to a
// token that is valid no longer.
const reviewEvery = time.Second

// tenures are the requests that run for long, each for as long as its token is
// valid. One review looks at all: revocation, expiry, a clock that was set and a
// replaced first token are then the same thing, and a request costs no timer.
// The zero value has none.
type tenures struct {
	mu   sync.Mutex
	open map[*tenure]struct{}
}

func (t *tenures) begin(one *tenure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[*tenure]struct{})
	}
	t.open[one] = struct{}{}
}

func (t *tenures) over(one *tenure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, one)
}

// tenure is one of them.
type tenure struct {
	token registry.Token // as it was when the request came
	end   context.CancelCauseFunc
}

// whileValid returns a context that ends with the request, or soon after the end
// of its token; the cause is the refusal then. The caller calls stop at the end.
func (s *Server) whileValid(c echo.Context) (ctx context.Context, stop func()) {
	ctx, end := context.WithCancelCause(c.Request().Context())
	t := &tenure{caller(c), end}
	s.tenures.begin(t)
	return ctx, func() {
		s.tenures.over(t)
		end(nil)
	}
}

// reviewTenures ends the requests whose tokens are no longer valid, until ctx ends.
func (s *Server) reviewTenures(ctx context.Context) {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.review()
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) review() {
	s.tenures.mu.Lock()
	defer s.tenures.mu.Unlock()
	for t := range s.tenures.open {
		if !s.admits(t.token) {
			t.end(errTokenEnded())
		}
	}
}

func errTokenEnded() error {
	return refuse(codeAuthentication, "the token is no longer valid: it has expired, was revoked, or permits something else now")
}

// admits reports whether a token is still what it was when a request came with it.
func (s *Server) admits(then registry.Token) bool {
	if then.ID == fixedID {
		return s.Tokens.has(then.Hash)
	}
	now, ok := s.Registry.Token(then.ID)
	return ok && now.Hash == then.Hash && now.Scope == then.Scope && now.Account == then.Account && now.Access == then.Access &&
		!now.Expired(s.Now())
}
