package api

import (
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// forceAXFR orders a full transfer. Clients send nothing, an empty chunked
// body, null or an object: the body is not looked at.
func (s *Server) forceAXFR(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	if err := s.Refresher.ForceTransfer(zone.ID); err != nil {
		s.Log.Warn("forced transfer not queued", zap.String("zone", zone.Apex()), zap.String("request", requestID(c)), zap.Error(err))
		return refuse(codeBusy, "the transfer could not be queued")
	}
	return respond(c, "OK")
}
