package api

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

const (
	userVerifyPath    = "/user/tokens/verify"
	accountVerifyPath = "/accounts/:account_id/tokens/verify"
	tokensPath        = "/secondaryd/tokens"
	tokenPath         = tokensPath + "/:id"
)

// tokenRoutes are for whoever hands out tokens.
func (s *Server) tokenRoutes() []route {
	return []route{
		{http.MethodGet, tokensPath, admins, s.listTokens},
		{http.MethodPost, tokensPath, admins, s.createToken},
		{http.MethodGet, tokenPath, admins, s.getToken},
		{http.MethodDelete, tokenPath, admins, s.deleteToken},
	}
}

// A token is tokenMark, its id, an underscore and tokenSecret random octets in
// base64 (RFC 4648 section 5). Clients of the vendor's API want the characters
// of that alphabet, and 40 of them at least.
const (
	tokenMark   = "secondaryd_"
	tokenSecret = 32
)

func newToken(id string) string {
	var secret [tokenSecret]byte
	_, _ = rand.Read(secret[:]) // never fails
	return tokenMark + id + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
}

// idOfToken gives the id in a token, which is not known to be a good one.
func idOfToken(text string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenMark)
	if !ok {
		return "", false
	}
	id, _, ok = strings.Cut(rest, "_")
	return id, ok
}

// tokenView is a token as clients see it. The token itself is in the answer to
// its creation only: nobody knows it afterwards.
type tokenView struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Status  string          `json:"status"`
	Scope   registry.Scope  `json:"scope"`
	Account string          `json:"account_id,omitempty"`
	Access  registry.Access `json:"access,omitempty"`
	Issued  timestamp       `json:"issued_on"`
	Expires *timestamp      `json:"expires_on,omitempty"`
	Value   string          `json:"value,omitempty"`
}

func (s *Server) showToken(t registry.Token) tokenView {
	v := tokenView{
		ID: t.ID, Name: t.Name, Status: "active", Scope: t.Scope, Account: t.Account, Access: t.Access,
		Issued: timestamp(t.Created), Expires: expiry(t),
	}
	if t.Expired(s.Now()) {
		v.Status = "expired"
	}
	return v
}

func expiry(t registry.Token) *timestamp {
	if t.Expires == nil {
		return nil
	}
	return new(timestamp(*t.Expires))
}

// verifyToken tells a client that its token is good; the others were refused
// before.
func (s *Server) verifyToken(c echo.Context) error {
	token := caller(c)
	return respond(c, struct {
		ID      string     `json:"id"`
		Status  string     `json:"status"`
		Expires *timestamp `json:"expires_on,omitempty"`
	}{token.ID, "active", expiry(token)})
}

func (s *Server) listTokens(c echo.Context) error {
	tokens := s.Registry.Tokens()
	shown := make([]tokenView, len(tokens))
	for i, token := range tokens {
		shown[i] = s.showToken(token)
	}
	return respond(c, shown)
}

func (s *Server) getToken(c echo.Context) error {
	token, ok := s.Registry.Token(c.Param("id"))
	if !ok {
		return errNoToken()
	}
	return respondTagged(c, s.entityTag(token.Revision), s.showToken(token))
}

func errNoToken() error { return refuse(codeNoToken, "no such token") }

func (s *Server) createToken(c echo.Context) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	id := newID()
	value := newToken(id)
	token := registry.Token{
		ID: id, Name: f.text("name"), Scope: registry.Scope(f.text("scope")),
		Account: f.textOrEmpty("account_id"), Access: registry.Access(f.textOrEmpty("access")),
		Expires: f.optionalTime("expires_on"), Hash: registry.HashToken(value),
	}
	err = s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if err := f.join(tx.PutToken(token)); err != nil {
			return err
		}
		token, _ = tx.Token(id)
		return nil
	})
	if err != nil {
		return err
	}
	c.Set(createdKey, id)
	shown := s.showToken(token)
	shown.Value = value
	return respondTagged(c, s.entityTag(token.Revision), shown)
}

// deleteToken revokes a token: the next request with it is refused.
func (s *Server) deleteToken(c echo.Context) error {
	id := c.Param("id")
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		token, ok := tx.Token(id)
		if !ok {
			return errNoToken()
		}
		if err := precondition(c, s.entityTag(token.Revision)); err != nil {
			return err
		}
		return tx.DeleteToken(id)
	})
	if err != nil {
		return err
	}
	return respond(c, identifier{id})
}
