package api

import (
	"io"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/zone"
)

// Copies gives the copies of zones.
type Copies interface {
	// Copy returns the copy of a zone that is served; false if none is.
	Copy(zoneID string) (*zone.Zone, bool)
}

// copyOf finds the copy of a zone. One with another name is of the zone that had
// the id before, perhaps in another account: who serves copies learns of a change
// a moment after it is stored.
func (s *Server) copyOf(id, apex string) (*zone.Zone, bool) {
	z, ok := s.Copies.Copy(id)
	return z, ok && isOf(apex, z)
}

func isOf(apex string, z *zone.Zone) bool { return z.Apex().Fold().String() == apex }

// maxExports bounds exports: a reader that is slow keeps a version of a zone in memory.
const maxExports = 8

// exportZone writes the copy that is served as a zone file, record by record.
func (s *Server) exportZone(c echo.Context) error {
	listed, err := listedOfPath(c, s.Registry.ListedZone)
	if err != nil {
		return err
	}
	z, ok := s.copyOf(listed.ID, listed.Apex())
	if !ok {
		return refuse(codeNoCopy, "no copy of the zone is served: there was no transfer yet, or it has expired")
	}
	account, _ := confinedTo(c)
	if !s.exports.begin(account) {
		return refuse(codeBusy, "%d exports are running already, or half as many of the account", maxExports)
	}
	defer s.exports.end(account)
	return s.streamText(c, listed.Apex(), "zone export cut off", func(to io.Writer) error { return writeZone(to, z) })
}
