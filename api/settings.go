package api

import (
	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// zoneSettings is what can be set for a zone beside the vendor's members. Null
// means the setting of the server.
type zoneSettings struct {
	MaxShrink *uint8 `json:"max_shrink_percent"`
}

func (s *Server) getSettings(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(zone.Revision), zoneSettings{zone.MaxShrink})
}

func (s *Server) putSettings(c echo.Context) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	var settings zoneSettings
	var tag string
	if n, ok := f.optionalNumber("max_shrink_percent", 0, 100); ok {
		settings.MaxShrink = new(uint8(n))
	}
	err = s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		zone, err := zoneOfPath(c, tx.Zone)
		if err != nil {
			return err
		}
		if err := precondition(c, s.entityTag(zone.Revision)); err != nil {
			return err
		}
		zone.MaxShrink = settings.MaxShrink
		if err := f.join(tx.PutZone(zone)); err != nil {
			return err
		}
		zone, _ = tx.Zone(zone.ID)
		tag = s.entityTag(zone.Revision)
		return nil
	})
	if err != nil {
		return err
	}
	return respondTagged(c, tag, settings)
}
