package api

import (
	"errors"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/zone"
)

// What can't be done with versions.
var (
	ErrNoCopy    = errors.New("there is no copy of the zone")
	ErrNoVersion = errors.New("no such version of the zone is kept")
	ErrServed    = errors.New("the version is the present one")
	ErrOutOfTime = errors.New("the version would have expired by now")
)

// Versions gives the versions of zones, those that are held and earlier ones.
type Versions interface {
	// Versions lists those of a zone, the newest first.
	Versions(zoneID string) ([]Version, error)
	// Version gives the one with that serial; it fails with ErrNoVersion if there
	// is none. It may take as long as to read the zone from disk.
	Version(zoneID string, serial uint32) (*zone.Zone, error)
}

// Version is a version of a zone.
type Version struct {
	Serial   uint32
	Received time.Time // zero for not known
	State    string    // served, expired, held or kept
	Records  int       // 0 for not known
	Changes  bool      // it is kept as its differences from the one before
}

type versionView struct {
	Serial   uint32     `json:"soa_serial"`
	State    string     `json:"state"`
	Received *timestamp `json:"received_time"`
	Records  *int       `json:"records"`
	Changes  bool       `json:"incremental"`
}

// listVersions shows what there is to be compared and to go back to.
func (s *Server) listVersions(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	list, err := s.Versions.Versions(zone.ID)
	if err != nil {
		return err
	}
	views := make([]versionView, len(list))
	for i, v := range list {
		views[i] = versionView{Serial: v.Serial, State: v.State, Received: moment(v.Received), Changes: v.Changes}
		if v.Records > 0 {
			views[i].Records = &v.Records
		}
	}
	return respond(c, views)
}

// serialOfPath reads the serial of a version from the path.
func serialOfPath(c echo.Context) (uint32, error) {
	text := c.Param("soa_serial")
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, refuse(codeNoVersion, "%.20q is no serial, a number from 0 to 4294967295", text)
	}
	return uint32(n), nil
}

func errNoVersion(serial uint32) error {
	return refuse(codeNoVersion, "version %d of the zone is not kept; GET .../incoming/versions lists those that are", serial)
}
