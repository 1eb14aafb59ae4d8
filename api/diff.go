package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// Bounds on comparisons: both versions are in memory for as long as one takes.
const (
	maxDiffs       = 4
	maxChanges     = 10_000      // that an answer in JSON lists; all are counted
	maxChangesText = 4 << 20     // octets of them
	diffTimeout    = time.Minute // for an answer in JSON; a text is paced as an export
)

// comparison is two versions of a zone.
type comparison struct {
	zone     registry.Zone
	from, to *zone.Zone
}

// diffView is what makes one version of another.
type diffView struct {
	From      uint32       `json:"from_soa_serial"`
	To        uint32       `json:"to_soa_serial"`
	Removed   int          `json:"removed"`
	Added     int          `json:"added"`
	Truncated bool         `json:"truncated"`
	Changes   []changeView `json:"changes"`
}

type changeView struct {
	Change string `json:"change"` // removed or added
	Name   string `json:"name"`
	Type   string `json:"type"`
	TTL    uint32 `json:"ttl"`
	Data   string `json:"data"`
}

// diffVersions tells the differences between the version of the path and another
// one, the served version unless the query says which.
func (s *Server) diffVersions(c echo.Context) error {
	account, _ := confinedTo(c)
	if !s.diffs.begin(account) {
		return refuse(codeBusy, "%d comparisons are running already, or half as many of the account", maxDiffs)
	}
	defer s.diffs.end(account)
	asText, err := wantsText(c)
	if err != nil {
		return err
	}
	ctx, stop := s.long(c, diffTimeout)
	defer stop()
	cmp, err := s.compared(c)
	if err != nil {
		return err
	}
	if asText {
		return s.streamText(c, cmp.zone.Apex(), "differences of a zone cut off", cmp.write)
	}
	limited, cancel := context.WithTimeout(ctx, diffTimeout)
	defer cancel()
	view, err := cmp.view(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		return refuse(codeBusy, "the comparison took longer than %s; ask for it with format=text", diffTimeout)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return respond(c, view)
}

// wantsText reports whether the differences are wanted as a text: the query says
// so, or the header that names what the client takes.
func wantsText(c echo.Context) (bool, error) {
	switch format := c.QueryParam("format"); format {
	case "":
		accept := c.Request().Header.Get(echo.HeaderAccept)
		return strings.HasPrefix(strings.TrimSpace(accept), echo.MIMETextPlain), nil
	case "json", "text":
		return format == "text", nil
	default:
		return false, refuse(codeQuery, "format: %.20q is neither json nor text", format)
	}
}

// compared finds the versions that a request names.
func (s *Server) compared(c echo.Context) (cmp comparison, err error) {
	if cmp.zone, err = zoneOfPath(c, s.Registry.Zone); err != nil {
		return cmp, err
	}
	serial, err := serialOfPath(c)
	if err != nil {
		return cmp, err
	}
	to, said, err := queryNumber(c, "to", 1<<32-1)
	if err != nil {
		return cmp, err
	}
	if cmp.from, err = s.version(cmp.zone, serial); err != nil {
		return cmp, err
	}
	if said {
		cmp.to, err = s.version(cmp.zone, uint32(to))
		return cmp, err
	}
	var ok bool
	if cmp.to, ok = s.copyOf(cmp.zone.ID, cmp.zone.Apex()); !ok {
		return cmp, refuse(codeNoCopy, "no copy of the zone is served: say with ?to= which version is meant")
	}
	return cmp, nil
}

func (s *Server) version(of registry.Zone, serial uint32) (*zone.Zone, error) {
	z, err := s.Versions.Version(of.ID, serial)
	if errors.Is(err, ErrNoVersion) || err == nil && !isOf(of.Apex(), z) {
		return nil, errNoVersion(serial)
	}
	return z, err
}

// view counts all differences and lists the first.
func (cmp comparison) view(ctx context.Context) (diffView, error) {
	view := diffView{From: cmp.from.Serial(), To: cmp.to.Serial(), Changes: []changeView{}}
	w := &zoneText{}
	octets := 0
	for d := range zone.Differences(cmp.from, cmp.to) {
		change := "removed"
		if d.Added {
			change = "added"
			view.Added++
		} else {
			view.Removed++
		}
		if (view.Added+view.Removed)%1000 == 0 && ctx.Err() != nil {
			return diffView{}, ctx.Err()
		}
		if view.Truncated = view.Truncated || len(view.Changes) == maxChanges || octets > maxChangesText; view.Truncated {
			continue
		}
		v := changeView{Change: change, Name: d.Owner.String(), Type: typeText(d.Type), TTL: d.TTL, Data: w.dataText(d.Type, d.Rdata)}
		octets += len(v.Name) + len(v.Data)
		view.Changes = append(view.Changes, v)
	}
	return view, nil
}

// write writes the differences in the manner of a unified listing without
// context.
func (cmp comparison) write(to io.Writer) error {
	apex := cmp.from.Apex()
	if _, err := fmt.Fprintf(to, "--- %s %d\n+++ %s %d\n", apex, cmp.from.Serial(), apex, cmp.to.Serial()); err != nil {
		return err
	}
	w := &zoneText{to: to}
	for d := range zone.Differences(cmp.from, cmp.to) {
		sign := "-"
		if d.Added {
			sign = "+"
		}
		if err := w.record(sign+d.Owner.String(), d.Type, d.TTL, d.Rdata); err != nil {
			return err
		}
	}
	return nil
}
