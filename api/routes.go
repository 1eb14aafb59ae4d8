package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// route is one operation. Resources stand at the root and under basePath.
type route struct {
	method  string
	path    string // with :parameters
	who     access // may use it
	handler echo.HandlerFunc
}

// basePath is where the vendor's API has its resources.
const basePath = "/client/v4"

// Paths beside the API. They stand at the root only, and all but the metrics
// need no token ever.
const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
	docsPath    = "/docs"
	errorsPath  = "/docs/errors"
	openAPIPath = "/openapi.yaml"
)

func (s *Server) routes() *echo.Echo {
	e := s.newEcho()
	e.Use(s.observe, s.contain, s.authenticate, s.screen)
	for _, r := range s.resources() {
		handler := s.restrict(r.who, r.handler)
		e.Add(r.method, r.path, handler)
		e.Add(r.method, basePath+r.path, handler)
	}
	s.open = make(map[string]bool)
	for _, r := range append(s.plain(), assetRoutes()...) {
		handler := s.restrict(r.who, r.handler)
		e.Add(http.MethodGet, r.path, handler)
		e.Add(http.MethodHead, r.path, handler)
		s.open[r.path] = r.who == everybody
	}
	return e
}

// resources lists every operation that needs a token and answers with the
// envelope, and whose token it needs.
func (s *Server) resources() []route {
	const (
		incoming = "/zones/:zone_id/secondary_dns/incoming"
		force    = "/zones/:zone_id/secondary_dns/force_axfr"
		outgoing = "/zones/:zone_id/secondary_dns/outgoing"
	)
	routes := []route{
		{http.MethodGet, "/zones", ownReaders, s.listZones},
		{http.MethodPost, "/zones", ownEditors, s.createZone},
		{http.MethodPost, "/accounts/:account_id" + bulkPath, editors, s.changeInBulk},
		{http.MethodGet, "/zones/:zone_id", readers, s.getZone},
		{http.MethodPatch, "/zones/:zone_id", editors, s.updateZone},
		{http.MethodDelete, "/zones/:zone_id", editors, s.deleteZone},
		{http.MethodGet, "/zones/:zone_id/dns_records/export", readers, s.exportZone},
		{http.MethodGet, incoming, readers, s.getIncoming},
		{http.MethodPost, incoming, editors, s.createIncoming},
		{http.MethodPut, incoming, editors, s.updateIncoming},
		{http.MethodDelete, incoming, editors, s.deleteIncoming},
		{http.MethodPost, force, editors, s.forceAXFR},
		{http.MethodGet, incoming + "/status", readers, s.getStatus},
		{http.MethodPost, incoming + "/diagnose", editors, s.diagnose},
		{http.MethodPost, incoming + "/release", editors, s.releaseHeld},
		{http.MethodPost, incoming + "/discard", editors, s.discardHeld},
		{http.MethodGet, incoming + "/versions", readers, s.listVersions},
		{http.MethodGet, incoming + "/versions/:soa_serial/diff", readers, s.diffVersions},
		{http.MethodPost, incoming + "/rollback", editors, s.rollBack},
		{http.MethodGet, incoming + "/settings", readers, s.getSettings},
		{http.MethodPut, incoming + "/settings", editors, s.putSettings},
		{http.MethodGet, "/secondaryd/events", admins, s.events},
		{http.MethodGet, outgoing, readers, s.getOutgoing},
		{http.MethodPost, outgoing, editors, s.createOutgoing},
		{http.MethodPut, outgoing, editors, s.updateOutgoing},
		{http.MethodDelete, outgoing, editors, s.deleteOutgoing},
		{http.MethodPost, outgoing + "/enable", editors, s.enableOutgoing},
		{http.MethodPost, outgoing + "/disable", editors, s.disableOutgoing},
		{http.MethodGet, outgoing + "/status", readers, s.getOutgoingStatus},
		{http.MethodPost, outgoing + "/force_notify", editors, s.forceNotify},
		{http.MethodGet, userVerifyPath, holders, s.verifyToken},
		{http.MethodGet, accountVerifyPath, holders, s.verifyToken},
	}
	routes = append(routes, s.tokenRoutes()...)
	routes = append(routes, peers.routes(s)...)
	routes = append(routes, tsigs.routes(s)...)
	return append(routes, acls.routes(s)...)
}

// plain lists what is read by machines other than the API's clients.
func (s *Server) plain() []route {
	routes := []route{
		{http.MethodGet, healthPath, everybody, s.health},
		{http.MethodGet, readyPath, everybody, s.ready},
		{http.MethodGet, errorsPath, everybody, s.errorsPage},
		{http.MethodGet, openAPIPath, everybody, s.openAPI},
		{http.MethodGet, docsPath, everybody, viewerAssets[0].serve},
	}
	if s.Metrics != nil {
		who := everybody
		if s.MetricsNeedToken {
			who = scrapers
		}
		routes = append(routes, route{http.MethodGet, metricsPath, who, echo.WrapHandler(s.Metrics)})
	}
	return routes
}

// assetRoutes lists the files that the page at docsPath refers to. They are no part
// of the API, nor of its description.
func assetRoutes() (routes []route) {
	for _, a := range viewerAssets[1:] {
		routes = append(routes, route{http.MethodGet, a.path, everybody, a.serve})
	}
	return routes
}
