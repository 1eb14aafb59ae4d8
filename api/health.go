package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// health says that the process is alive.
func (s *Server) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether the listeners are bound and the stored copies loaded.
func (s *Server) ready(c echo.Context) error {
	if !s.Ready() {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "starting"})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
}
