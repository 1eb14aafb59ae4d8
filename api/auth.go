package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// Tokens is the set of tokens that admit an administrator. It may be replaced
// while requests are served.
type Tokens struct {
	hashes atomic.Pointer[[][sha256.Size]byte]
}

// NewTokens makes a set. Empty tokens admit nobody and are left out.
func NewTokens(tokens ...string) *Tokens {
	t := &Tokens{}
	t.Replace(tokens...)
	return t
}

// Replace makes these the only tokens.
func (t *Tokens) Replace(tokens ...string) {
	hashes := make([][sha256.Size]byte, 0, len(tokens))
	for _, token := range tokens {
		if token != "" {
			hashes = append(hashes, sha256.Sum256([]byte(token)))
		}
	}
	t.hashes.Store(&hashes)
}

// valid compares with every token in constant time.
func (t *Tokens) valid(token string) bool {
	hash := sha256.Sum256([]byte(token))
	found := 0
	for _, known := range *t.hashes.Load() {
		found |= subtle.ConstantTimeCompare(hash[:], known[:])
	}
	return found == 1 && token != ""
}

// tokenID names a token without telling it.
func tokenID(token string) string {
	hash := sha256.Sum256([]byte("secondaryd token id\x00" + token))
	return hex.EncodeToString(hash[:16])
}

// tokenKey is where the token of a request is kept.
const tokenKey = "token"

// authenticate is middleware that lets only valid tokens pass. It guards paths
// that do not exist too: a stranger learns nothing of what does.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.open(c.Path()) {
			return next(c)
		}
		for _, token := range credentials(c) {
			if s.Tokens.valid(token) {
				c.Set(tokenKey, token)
				return next(c)
			}
		}
		s.logRefusal(c)
		if strings.HasSuffix(c.Path(), "/tokens/verify") {
			return refuse(codeInvalidToken, "Invalid API Token")
		}
		return refuse(codeAuthentication, "Authentication error")
	}
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

// refusals bounds what strangers can make us log.
type refusals struct {
	limit  *rate.Limiter
	silent *atomic.Uint64 // refusals not logged since the last line
}

func newRefusals() refusals {
	return refusals{rate.NewLimiter(rate.Every(time.Second), 5), new(atomic.Uint64)}
}

func (s *Server) logRefusal(c echo.Context) {
	if !s.refusals.limit.Allow() {
		s.refusals.silent.Add(1)
		return
	}
	s.Log.Warn("api authentication failed",
		zap.String("client", c.RealIP()),
		zap.String("method", c.Request().Method),
		zap.String("route", c.Path()),
		zap.Uint64("unlogged", s.refusals.silent.Swap(0)),
	)
}
