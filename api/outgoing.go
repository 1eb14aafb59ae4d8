package api

import (
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// outgoing is whom a zone is handed out to, as clients see it.
type outgoing struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Peers       []string  `json:"peers"`
	Serial      uint32    `json:"soa_serial"`
	Created     timestamp `json:"created_time"`
	Checked     timestamp `json:"checked_time"`
	Transferred timestamp `json:"last_transferred_time"`
}

// showOutgoing joins the configuration with the serial that is held. Nothing is
// handed out: the times are those before the first check and transfer.
func (s *Server) showOutgoing(o registry.Outgoing) outgoing {
	status, _ := s.Zones.Status(o.ID)
	return outgoing{
		ID: o.ID, Name: o.Name, Peers: o.Peers, Serial: status.Serial,
		Created: timestamp(o.Created), Checked: timestamp(o.Created), Transferred: timestamp(o.Created),
	}
}

func errNoOutgoing() error {
	return refuse(codeNoOutgoing, "the zone has no outgoing configuration")
}

func (s *Server) getOutgoing(c echo.Context) error {
	o, err := outgoingOfPath(c, s.Registry.Outgoing)
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(o.Revision), s.showOutgoing(o))
}

func (s *Server) createOutgoing(c echo.Context) error {
	return s.putOutgoing(c, func(exists bool) error {
		if exists {
			return refuse(codeOutgoingExists, "the zone has an outgoing configuration already")
		}
		return nil
	})
}

func (s *Server) updateOutgoing(c echo.Context) error {
	return s.putOutgoing(c, func(exists bool) error {
		if !exists {
			return errNoOutgoing()
		}
		return nil
	})
}

// putOutgoing stores the configuration of the body if may does not object.
func (s *Server) putOutgoing(c echo.Context, may func(exists bool) error) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	o := registry.Outgoing{ID: strings.Clone(c.Param("zone_id")), Name: f.text("name"), Peers: f.texts("peers")}
	err = s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if whole, ok := tx.ListedZone(o.ID); ok && !mayUse(c, whole.Account) {
			return errNoOutgoing()
		}
		before, exists := tx.Outgoing(o.ID)
		if err := may(exists); err != nil {
			return err
		}
		if err := precondition(c, s.entityTag(before.Revision)); err != nil {
			return err
		}
		o.Peers = ownPeers(knownTo(c), tx, o.Peers)
		o.Enabled = before.Enabled // switched by requests of its own
		if err := f.join(tx.PutOutgoing(o)); err != nil {
			return err
		}
		o, _ = tx.Outgoing(o.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(o.Revision), s.showOutgoing(o))
}

func (s *Server) deleteOutgoing(c echo.Context) error {
	id := c.Param("zone_id")
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		o, err := outgoingOfPath(c, tx.Outgoing)
		if err != nil {
			return err
		}
		if err := precondition(c, s.entityTag(o.Revision)); err != nil {
			return err
		}
		return tx.DeleteOutgoing(id)
	})
	if err != nil {
		return err
	}
	return respond(c, identifier{id})
}

func (s *Server) enableOutgoing(c echo.Context) error  { return s.switchOutgoing(c, true) }
func (s *Server) disableOutgoing(c echo.Context) error { return s.switchOutgoing(c, false) }

// switchOutgoing stores whether a zone may be handed out. The body is not looked
// at, as with force_axfr.
func (s *Server) switchOutgoing(c echo.Context, on bool) error {
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		o, err := outgoingOfPath(c, tx.Outgoing)
		if err != nil {
			return err
		}
		if err := precondition(c, s.entityTag(o.Revision)); err != nil {
			return err
		}
		if o.Enabled == on {
			return nil
		}
		o.Enabled = on
		return tx.PutOutgoing(o)
	})
	if err != nil {
		return err
	}
	return respond(c, outgoingState(on))
}

func (s *Server) getOutgoingStatus(c echo.Context) error {
	o, err := outgoingOfPath(c, s.Registry.Outgoing)
	if err != nil {
		return err
	}
	return respond(c, outgoingState(o.Enabled))
}

// outgoingState is the word for it.
func outgoingState(enabled bool) string {
	if enabled {
		return "Enabled"
	}
	return "Disabled"
}

// forceNotify takes an order to tell the peers. Nothing is handed out, so there
// is nobody to tell.
func (s *Server) forceNotify(c echo.Context) error {
	if _, err := outgoingOfPath(c, s.Registry.Outgoing); err != nil {
		return err
	}
	return respond(c, "OK")
}
