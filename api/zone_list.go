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
	known := knownTo(c)
	rows, total := s.selectZones(q, known)
	info := &resultInfo{
		Page: q.page, PerPage: q.perPage,
		TotalCount: total, TotalPages: (total + q.perPage - 1) / q.perPage,
	}
	shown := make([]zoneView, 0, len(rows))
	for _, row := range rows {
		if zone, ok := s.Registry.ListedZone(row.ID); ok && known(zone.Account) { // or it was deleted a moment ago
			shown = append(shown, s.showZone(zone))
		}
	}
	info.Count = len(shown)
	return send(c, http.StatusOK, envelope{Result: shown, Success: true, Errors: []fault{}, Messages: []fault{}, ResultInfo: info})
}

// selectZones gives the page that is asked for of the zones that pass the filters and
// are of an account that may be known, in the order asked for and by name where that
// leaves it open, and how many there are on all pages.
func (s *Server) selectZones(q zoneQuery, known func(account string) bool) (page []zoneRow, total int) {
	first, by := (q.page-1)*q.perPage, zoneOrders[q.order]
	inOrder := by == nil && !q.descending // as they come: no others need to be kept
	var rows []zoneRow
	for name := range s.candidates(q) {
		if !known(name.Account) {
			continue
		}
		row := zoneRow{ZoneName: name}
		if q.needsStatus {
			row.status = s.zoneStatus(name.ID)
		}
		if !q.admits(row) {
			continue
		}
		if total++; !inOrder || total > first && len(rows) < q.perPage {
			rows = append(rows, row)
		}
	}
	if inOrder {
		return rows, total
	}
	if by != nil {
		slices.SortStableFunc(rows, func(a, b zoneRow) int { return strings.Compare(by(a), by(b)) })
	}
	if q.descending {
		slices.Reverse(rows)
	}
	first = min(first, total)
	return rows[first:min(first+q.perPage, total)], total
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
