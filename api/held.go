package api

import (
	"errors"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
)

// releaseHeld has a held version served. One that was gone back from is read from
// disk, as an earlier one is for a rollback.
func (s *Server) releaseHeld(c echo.Context) error {
	return s.orderHeld(c, func(zoneID string, serial uint32) error {
		account, _ := confinedTo(c)
		if !s.rollbacks.begin(account) {
			return errRollbacks()
		}
		defer s.rollbacks.end(account)
		_, stop := s.long(c, rollbackTimeout)
		defer stop()
		return s.Refresher.Release(zoneID, serial)
	})
}

// discardHeld drops a held version.
func (s *Server) discardHeld(c echo.Context) error { return s.orderHeld(c, s.Refresher.Discard) }

// orderHeld carries out an order about the version with the serial of the body:
// it names what the operator has looked at, which may be held no longer.
func (s *Server) orderHeld(c echo.Context, order func(zoneID string, serial uint32) error) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	serial := f.requiredNumber("soa_serial", 0, 1<<32-1)
	if f.problems != nil {
		return f.problems
	}
	err = order(zone.ID, uint32(serial))
	if f, ok := errors.AsType[failure](err); ok {
		return f
	}
	switch {
	case errors.Is(err, ErrNothingHeld):
		return refuse(codeNothingHeld, "no version of the zone is held")
	case errors.Is(err, ErrOtherHeld):
		return failure{{codeOtherHeld, "soa_serial: another version is held by now", pointer("soa_serial")}}
	case errors.Is(err, ErrOutOfTime), errors.Is(err, ErrNoVersion):
		return s.failRollback(c, zone.Apex(), new(uint32(serial)), err)
	case err != nil:
		s.Log.Warn("order about a held version not taken", zap.String("zone", zone.Apex()), zap.String("request", requestID(c)), zap.Error(err))
		return refuse(codeBusy, "the order could not be taken")
	}
	return respond(c, "OK")
}
