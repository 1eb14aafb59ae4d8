package api

import (
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// defaultAutoRefresh is the vendor's, in seconds.
const defaultAutoRefresh = 86400

// incoming is a zone as clients see it.
type incoming struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Peers       []string  `json:"peers"`
	AutoRefresh uint32    `json:"auto_refresh_seconds"`
	Serial      uint32    `json:"soa_serial"`
	Created     timestamp `json:"created_time"`
	Modified    timestamp `json:"modified_time"`
	Checked     timestamp `json:"checked_time"`
}

// showIncoming joins a zone's configuration with the state of its copy.
func (s *Server) showIncoming(zone registry.Zone) incoming {
	status, _ := s.Zones.Status(zone.ID)
	if status.Checked.IsZero() {
		status.Checked = zone.Created
	}
	return incoming{
		ID: zone.ID, Name: zone.Name, Peers: zone.Peers, AutoRefresh: zone.AutoRefresh,
		Serial: status.Serial, Checked: timestamp(status.Checked),
		Created: timestamp(zone.Created), Modified: timestamp(zone.Modified),
	}
}

// zoneOf reads a zone from a request body. Its account is left to the
// registry, which takes that of the peers.
func zoneOf(f *form, id string) registry.Zone {
	zone := registry.Zone{ID: id, Name: f.text("name"), Peers: f.texts("peers"), AutoRefresh: defaultAutoRefresh}
	if n, ok := f.optionalNumber("auto_refresh_seconds", registry.MinAutoRefresh, registry.MaxAutoRefresh); ok {
		zone.AutoRefresh = uint32(n)
	}
	return zone
}

func errNoIncoming() error {
	return refuse(codeNoIncoming, "the zone has no incoming configuration")
}

func (s *Server) getIncoming(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(zone.Revision), s.showIncoming(zone))
}

func (s *Server) createIncoming(c echo.Context) error { return s.putIncoming(c, isNew) }

// isNew refuses to create what is there already.
func isNew(before registry.Zone) error {
	if before.Revision > 0 {
		return refuse(codeIncomingExists, "the zone has an incoming configuration already")
	}
	return nil
}

func (s *Server) updateIncoming(c echo.Context) error { return s.putIncoming(c, isThere) }

// isThere refuses to replace what is not there.
func isThere(before registry.Zone) error {
	if before.Revision == 0 {
		return errNoIncoming()
	}
	return nil
}

// putIncoming stores the zone of the body if neither may nor a precondition objects.
func (s *Server) putIncoming(c echo.Context, may func(before registry.Zone) error) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	zone := zoneOf(f, strings.Clone(c.Param("zone_id"))) // or it would keep the whole request
	mayNow := func(before registry.Zone) error {
		if err := may(before); err != nil {
			return err
		}
		return precondition(c, s.entityTag(before.Revision))
	}
	err = s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if err := f.putZone(tx, zone, knownTo(c), mayNow); err != nil {
			return err
		}
		zone, _ = tx.Zone(zone.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(zone.Revision), s.showIncoming(zone))
}

// putZone puts the zone that was read from the form, for somebody who knows of
// some accounts, if may does not object to doing so to the one before, the zero
// Zone if there is none.
func (f *form) putZone(tx *registry.Tx, zone registry.Zone, known func(account string) bool, may func(before registry.Zone) error) error {
	if whole, ok := tx.ListedZone(zone.ID); ok && !known(whole.Account) {
		return errNoIncoming()
	}
	before, _ := tx.Zone(zone.ID)
	if err := may(before); err != nil {
		return err
	}
	zone.Peers = ownPeers(known, tx, zone.Peers)
	zone.MaxShrink = before.MaxShrink // a setting of its own
	return f.join(tx.PutZone(zone))
}

func (s *Server) deleteIncoming(c echo.Context) error {
	id := c.Param("zone_id")
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		zone, err := zoneOfPath(c, tx.Zone)
		if err != nil {
			return err
		}
		if err := precondition(c, s.entityTag(zone.Revision)); err != nil {
			return err
		}
		return tx.DeleteZone(id)
	})
	if err != nil {
		return err
	}
	return respond(c, identifier{id})
}
