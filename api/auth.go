package api

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/zonestore/registry"
)

// Tokens is the set of tokens that admit an administrator whatever the registry
// holds: the way in to an empty server, and back in. It may be replaced while
// requests are served.
type Tokens struct {
	hashes atomic.Pointer[[]registry.TokenHash]
}

// NewTokens makes a set. Empty tokens admit nobody and are left out.
func NewTokens(tokens ...string) *Tokens {
	t := &Tokens{}
	t.Replace(tokens...)
	return t
}

// Replace makes these the only tokens.
func (t *Tokens) Replace(tokens ...string) {
	hashes := make([]registry.TokenHash, 0, len(tokens))
	for _, token := range tokens {
		if token != "" {
			hashes = append(hashes, registry.HashToken(token))
		}
	}
	t.hashes.Store(&hashes)
}

// valid compares with every token in constant time.
func (t *Tokens) valid(token string) bool {
	found := false
	for _, known := range *t.hashes.Load() {
		found = known.Matches(token) || found
	}
	return found && token != ""
}

// has reports whether a token with the hash is still one of them.
func (t *Tokens) has(hash registry.TokenHash) bool {
	return slices.Contains(*t.hashes.Load(), hash)
}

// fixedID is the id and the name, in answers and in the log, of whoever comes
// with one of the Tokens. It says nothing of the token, which may be short.
const fixedID = "bootstrap"

// callerKey is where the token of a request is kept.
const callerKey = "caller"

// caller is the token of a request; the zero Token if it needed none.
func caller(c echo.Context) registry.Token {
	token, _ := c.Get(callerKey).(registry.Token)
	return token
}

// authenticate is middleware that lets only valid tokens pass, each at its rate.
// It guards paths that do not exist too: a stranger learns nothing of what does.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.open[c.Path()] {
			return next(c)
		}
		var expired registry.Token
		for _, text := range credentials(c) {
			token, known := s.recognise(text)
			switch {
			case known && !token.Expired(s.Now()):
				s.recall(c, token)
				if wait := s.pace.take(token.ID, time.Since(s.started)); wait > 0 {
					return s.refuseForNow(c, wait)
				}
				return next(c)
			case known:
				expired = token
			}
		}
		s.logRefusal(c, expired)
		if strings.HasSuffix(c.Path(), "/tokens/verify") {
			return refuse(codeInvalidToken, "Invalid API Token")
		}
		return refuse(codeAuthentication, "Authentication error")
	}
}

// recall notes whose request it is: for the handlers, and for the audit log of
// what they change.
func (s *Server) recall(c echo.Context, token registry.Token) {
	c.Set(callerKey, token)
	r := c.Request()
	c.SetRequest(r.WithContext(registry.WithActor(r.Context(), registry.Actor{
		Token: token.ID, TokenName: token.Name, Client: c.RealIP(), Request: requestID(c), Method: r.Method, Route: c.Path(),
	})))
}

// recognise finds the token of a text: an administrator's for one of the fixed
// tokens, or one of the registry, found by the id in it.
func (s *Server) recognise(text string) (registry.Token, bool) {
	if s.Tokens.valid(text) {
		return registry.Token{ID: fixedID, Name: fixedID, Scope: registry.ScopeAdmin, Hash: registry.HashToken(text)}, true
	}
	id, ok := idOfToken(text)
	if !ok {
		return registry.Token{}, false
	}
	token, ok := s.Registry.Token(id)
	if !ok || !token.Hash.Matches(text) {
		return registry.Token{}, false
	}
	return token, true
}

// refuseForNow tells a client when to come back.
func (s *Server) refuseForNow(c echo.Context, wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.FormatInt(seconds, 10))
	if unlogged, ok := s.overRate.take(); ok {
		s.Log.Warn("api token is over its rate of requests", zap.String("token", caller(c).ID), zap.String("token_name", caller(c).Name),
			zap.String("client", c.RealIP()), zap.Uint64("unlogged", unlogged))
	}
	return refuse(codeOverRate, "the token has made more requests than it may in a second")
}

// credentials lists the tokens of a request: a bearer token (RFC 6750 section
// 2.1), and the key of the older pair of headers. Clients may send both.
func credentials(c echo.Context) (tokens []string) {
	header := c.Request().Header
	scheme, token, _ := strings.Cut(strings.TrimSpace(header.Get(echo.HeaderAuthorization)), " ")
	if strings.EqualFold(scheme, "Bearer") {
		tokens = append(tokens, strings.TrimSpace(token))
	}
	if key := header.Get("X-Auth-Key"); key != "" && header.Get("X-Auth-Email") != "" {
		tokens = append(tokens, key)
	}
	return tokens
}

// sparse bounds what clients can make us log.
type sparse struct {
	limit  *rate.Limiter
	silent *atomic.Uint64 // lines left out since the last one
}

func newSparse() sparse {
	return sparse{rate.NewLimiter(rate.Every(time.Second), 5), new(atomic.Uint64)}
}

// take reports whether a line may be logged, and how many were not before it.
func (l sparse) take() (unlogged uint64, ok bool) {
	if !l.limit.Allow() {
		l.silent.Add(1)
		return 0, false
	}
	return l.silent.Swap(0), true
}

// logRefusal logs a request without a valid token. An expired one is named: its
// owner is known.
func (s *Server) logRefusal(c echo.Context, expired registry.Token) {
	unlogged, ok := s.refusals.take()
	if !ok {
		return
	}
	fields := []zap.Field{
		zap.String("client", c.RealIP()),
		zap.String("method", c.Request().Method),
		zap.String("route", c.Path()),
		zap.Uint64("unlogged", unlogged),
	}
	if expired.ID != "" {
		fields = append(fields, zap.String("expired_token", expired.ID), zap.String("token_name", expired.Name))
	}
	s.Log.Warn("api authentication failed", fields...)
}
