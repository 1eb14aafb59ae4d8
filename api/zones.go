package api

import (
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// zoneType is the only type of zone there is here.
const zoneType = "secondary"

// zoneTypes are those that the vendor has.
var zoneTypes = []string{"full", "partial", zoneType, "internal"}

// The states of a zone in the vendor's words.
const (
	zoneInitializing = "initializing" // nothing says where it comes from
	zonePending      = "pending"      // no copy, or an expired one
	zoneActive       = "active"       // served
	zoneMoved        = "moved"        // no zone here ever is
)

// zoneStatus tells what becomes of a zone.
func (s *Server) zoneStatus(id string) string {
	if _, ok := s.Registry.Zone(id); !ok {
		return zoneInitializing
	}
	if status, _ := s.Zones.Status(id); status.State == "serving" {
		return zoneActive
	}
	return zonePending
}

// shownName is a zone's name in the form of these paths: without the last dot,
// but for the root's.
func shownName(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// zoneTag is the entity tag of a zone as a whole.
func (s *Server) zoneTag(zone registry.ListedZone) string {
	return s.entityTag(zone.Revisions[:]...)
}

func errNoZone() error { return refuse(codeNoZone, "Invalid zone identifier: there is no such zone") }

func (s *Server) getZone(c echo.Context) error {
	zone, err := listedOfPath(c, s.Registry.ListedZone)
	if err != nil {
		return err
	}
	return respondTagged(c, s.zoneTag(zone), s.showZone(zone))
}

// createZone gives a name an id of its own. What is fetched and handed out is
// configured under it later.
func (s *Server) createZone(c echo.Context) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	zone := registry.Registration{ID: newID(), Name: f.text("name"), Vanity: f.optionalTexts("vanity_name_servers")}
	if f.required("account", kindObject) != nil {
		f.optionalObject("account", func(inner *form) {
			if zone.Account = inner.text("id"); zone.Account != "" && !mayUse(c, zone.Account) {
				inner.problem(codeUnknownRef, inner.pointer("id"), "the token is not for this account")
			}
		})
	}
	f.zoneType()
	if paused := f.optionalBool("paused"); paused != nil {
		zone.Paused = *paused
	}
	return s.storeZone(c, f, zone.ID, func(tx *registry.Tx) error {
		return f.join(tx.PutRegistration(zone))
	})
}

// zoneType notes a problem with a type that zones can't have here.
func (f *form) zoneType() {
	switch v := f.textOrEmpty("type"); v {
	case "", zoneType:
	case "full", "partial", "internal":
		f.problem(codeForbidden, f.pointer("type"), "this server has zones of the type %s only", zoneType)
	default:
		f.problem(codeMalformed, f.pointer("type"), "%.32q is no type of zone", v)
	}
}

// updateZone changes the members of a zone that the body has, and no others. A
// zone that is known by its configuration alone gets a registration by it.
func (s *Server) updateZone(c echo.Context) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	f.zoneType()
	id := strings.Clone(c.Param("zone_id")) // or it would keep the whole request
	return s.storeZone(c, f, id, func(tx *registry.Tx) error {
		before, err := listedOfPath(c, tx.ListedZone)
		if err != nil {
			return err
		}
		if err := precondition(c, s.zoneTag(before)); err != nil {
			return err
		}
		zone := registry.Registration{ID: id, Account: before.Account, Name: before.Name, Paused: before.Paused, Vanity: before.Vanity}
		if !f.changeZone(&zone) {
			return f.join(nil)
		}
		return f.join(tx.PutRegistration(zone))
	})
}

// changeZone sets what the form has, null being the default, and reports
// whether it has anything.
func (f *form) changeZone(zone *registry.Registration) bool {
	_, pause := f.members["paused"]
	if pause {
		paused := f.optionalBool("paused")
		zone.Paused = paused != nil && *paused
	}
	_, vanity := f.members["vanity_name_servers"]
	if vanity {
		zone.Vanity = f.optionalTexts("vanity_name_servers")
	}
	return pause || vanity
}

// storeZone runs put, and answers with what the zone is then.
func (s *Server) storeZone(c echo.Context, f *form, id string, put func(*registry.Tx) error) error {
	var zone registry.ListedZone
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if err := put(tx); err != nil {
			return err
		}
		zone, _ = tx.ListedZone(id)
		return nil
	})
	if err != nil {
		return zoneError(err)
	}
	return respondTagged(c, s.zoneTag(zone), s.showZone(zone))
}

// zoneError gives what is wrong with a zone's name the codes that the vendor
// has for it at these paths.
func zoneError(err error) error {
	f, ok := errors.AsType[failure](err)
	if !ok {
		if f = problemsOf(err); f == nil {
			return err
		}
	}
	for i, p := range f {
		switch {
		case p.pointer == "/name" && p.code == codeNameTaken:
			f[i].code, f[i].message = codeZoneExists, p.message+": it already exists"
		case p.pointer == "/name" && p.code == codeMalformed:
			f[i].code = codeZoneName
		}
	}
	return f
}

// deleteZone removes a zone with both its configurations: it is served no longer.
func (s *Server) deleteZone(c echo.Context) error {
	id := c.Param("zone_id")
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		zone, err := listedOfPath(c, tx.ListedZone)
		if err != nil {
			return err
		}
		if err := precondition(c, s.zoneTag(zone)); err != nil {
			return err
		}
		return tx.DeleteListedZone(id)
	})
	if err != nil {
		return err
	}
	return respond(c, identifier{id})
}
