package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// maxWait is how long a request may wait for a zone, in seconds.
const maxWait = 60

// wait has a request for a zone's status wait as its query says, for a serial or
// the next change; it fails only if there is nothing to be shown then.
func (s *Server) wait(c echo.Context) error {
	seconds, serial, err := waitOf(c)
	if err != nil || seconds == 0 {
		return err
	}
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	most := time.Duration(seconds) * time.Second
	ctx, stop := s.long(c, most)
	defer stop()
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if errors.Is(s.Zones.WaitSerial(limited, zone.ID, serial), ErrBusy) {
		return refuse(codeWaiting, "too many requests wait already")
	}
	return context.Cause(ctx)
}

// waitOf reads how many seconds a request is to wait, and for which serial.
func waitOf(c echo.Context) (seconds uint64, serial *uint32, err error) {
	seconds, asked, err := queryNumber(c, "wait", maxWait)
	if err != nil {
		return 0, nil, err
	}
	n, ok, err := queryNumber(c, "serial", 1<<32-1)
	if err != nil {
		return 0, nil, err
	}
	if !ok {
		return seconds, nil, nil
	}
	if !asked {
		return 0, nil, refuse(codeQuery, "serial goes with wait")
	}
	return seconds, new(uint32(n)), nil
}

// queryNumber reads a parameter of the query that is a number.
func queryNumber(c echo.Context, name string, most uint64) (n uint64, ok bool, err error) {
	if !c.QueryParams().Has(name) {
		return 0, false, nil
	}
	n, err = strconv.ParseUint(c.QueryParam(name), 10, 64)
	if err != nil || n > most {
		return 0, false, refuse(codeQuery, "%s: a number from 0 to %d is needed", name, most)
	}
	return n, true, nil
}
