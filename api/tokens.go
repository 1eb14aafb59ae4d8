package api

import "github.com/labstack/echo/v4"

const (
	userVerifyPath    = "/user/tokens/verify"
	accountVerifyPath = "/accounts/:account_id/tokens/verify"
)

// verifyToken tells a client that its token is good; the others were refused
// before.
func (s *Server) verifyToken(c echo.Context) error {
	token, _ := c.Get(tokenKey).(string)
	return respond(c, struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}{tokenID(token), "active"})
}
