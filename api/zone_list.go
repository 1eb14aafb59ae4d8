package api

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// resultInfo tells where a page stands in a list.
type resultInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// zoneRow is what a list is filtered and ordered by.
type zoneRow struct {
	registry.ZoneName
	status string // only if the request is about it
}

// listZones shows a page of the zones that a request asks for. Their order is
// the same from page to page, and a page behind the last is empty.
func (s *Server) listZones(c echo.Context) error {
	q, err := s.readZoneQuery(c)
	if err != nil {
		return err
	}
	rows := s.selectZones(q, func(account string) bool { return mayUse(c, account) })
	info := &resultInfo{
		Page: q.page, PerPage: q.perPage,
		TotalCount: len(rows), TotalPages: (len(rows) + q.perPage - 1) / q.perPage,
	}
	first := min((q.page-1)*q.perPage, len(rows))
	shown := make([]zoneView, 0, q.perPage)
	for _, row := range rows[first:min(first+q.perPage, len(rows))] {
		if zone, ok := s.Registry.ListedZone(row.ID); ok && mayUse(c, zone.Account) { // or it was deleted a moment ago
			shown = append(shown, s.showZone(zone))
		}
	}
	info.Count = len(shown)
	return send(c, http.StatusOK, envelope{Result: shown, Success: true, Errors: []fault{}, Messages: []fault{}, ResultInfo: info})
}

// selectZones gives the zones that pass the filters and are of an account that
// may be known, in the order asked for and by name where that leaves it open.
func (s *Server) selectZones(q zoneQuery, known func(account string) bool) []zoneRow {
	var rows []zoneRow
	for name := range s.candidates(q) {
		if !known(name.Account) {
			continue
		}
		row := zoneRow{ZoneName: name}
		if q.needsStatus {
			row.status = s.zoneStatus(name.ID)
		}
		if q.admits(row) {
			rows = append(rows, row)
		}
	}
	if by := zoneOrders[q.order]; by != nil {
		slices.SortStableFunc(rows, func(a, b zoneRow) int { return strings.Compare(by(a), by(b)) })
	}
	if q.descending {
		slices.Reverse(rows)
	}
	return rows
}

// candidates yields the zones among which those that are asked for must be: one
// at most if a name is.
func (s *Server) candidates(q zoneQuery) iter.Seq[registry.ZoneName] {
	if q.apex == "" || q.any {
		return s.Registry.ZoneNames()
	}
	return func(yield func(registry.ZoneName) bool) {
		if name, ok := s.Registry.ZoneName(q.apex); ok {
			yield(name)
		}
	}
}

// zoneOrders gives what a list can be ordered by; nil is the order it has.
var zoneOrders = map[string]func(zoneRow) string{
	"name":         nil,
	"status":       func(r zoneRow) string { return r.status },
	"account.id":   func(r zoneRow) string { return r.Account },
	"account.name": func(r zoneRow) string { return r.Account },
}
