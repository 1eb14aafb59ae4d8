package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// route is one operation. Resources stand at the root and under basePath.
type route struct {
	method  string
	path    string // with :parameters
	handler echo.HandlerFunc
}

// basePath is where the vendor's API has its resources.
const basePath = "/client/v4"

// Paths that need no token. They stand at the root only.
const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
	errorsPath  = "/docs/errors"
	openAPIPath = "/openapi.yaml"
)

func (s *Server) routes() *echo.Echo {
	e := s.newEcho()
	e.Use(s.observe, s.contain, s.authenticate, s.screen)
	for _, r := range s.resources() {
		e.Add(r.method, r.path, r.handler)
		e.Add(r.method, basePath+r.path, r.handler)
	}
	for _, r := range s.plain() {
		e.Add(http.MethodGet, r.path, r.handler)
		e.Add(http.MethodHead, r.path, r.handler)
	}
	return e
}

// resources lists every operation that needs a token and answers with the
// envelope.
func (s *Server) resources() []route {
	const (
		incoming = "/zones/:zone_id/secondary_dns/incoming"
		force    = "/zones/:zone_id/secondary_dns/force_axfr"
		outgoing = "/zones/:zone_id/secondary_dns/outgoing"
	)
	routes := []route{
		{http.MethodGet, "/zones", s.listZones},
		{http.MethodPost, "/zones", s.createZone},
		{http.MethodGet, "/zones/:zone_id", s.getZone},
		{http.MethodPatch, "/zones/:zone_id", s.updateZone},
		{http.MethodDelete, "/zones/:zone_id", s.deleteZone},
		{http.MethodGet, "/zones/:zone_id/dns_records/export", s.exportZone},
		{http.MethodGet, incoming, s.getIncoming},
		{http.MethodPost, incoming, s.createIncoming},
		{http.MethodPut, incoming, s.updateIncoming},
		{http.MethodDelete, incoming, s.deleteIncoming},
		{http.MethodPost, force, s.forceAXFR},
		{http.MethodGet, incoming + "/status", s.getStatus},
		{http.MethodPost, incoming + "/release", s.releaseHeld},
		{http.MethodPost, incoming + "/discard", s.discardHeld},
		{http.MethodGet, incoming + "/settings", s.getSettings},
		{http.MethodPut, incoming + "/settings", s.putSettings},
		{http.MethodGet, outgoing, s.getOutgoing},
		{http.MethodPost, outgoing, s.createOutgoing},
		{http.MethodPut, outgoing, s.updateOutgoing},
		{http.MethodDelete, outgoing, s.deleteOutgoing},
		{http.MethodPost, outgoing + "/enable", s.enableOutgoing},
		{http.MethodPost, outgoing + "/disable", s.disableOutgoing},
		{http.MethodGet, outgoing + "/status", s.getOutgoingStatus},
		{http.MethodPost, outgoing + "/force_notify", s.forceNotify},
		{http.MethodGet, userVerifyPath, s.verifyToken},
		{http.MethodGet, accountVerifyPath, s.verifyToken},
	}
	routes = append(routes, peers.routes(s)...)
	routes = append(routes, tsigs.routes(s)...)
	return append(routes, acls.routes(s)...)
}

// plain lists what is read by machines other than the API's clients.
func (s *Server) plain() []route {
	routes := []route{
		{http.MethodGet, healthPath, s.health},
		{http.MethodGet, readyPath, s.ready},
		{http.MethodGet, errorsPath, s.errorsPage},
		{http.MethodGet, openAPIPath, s.openAPI},
	}
	if s.Metrics != nil {
		routes = append(routes, route{http.MethodGet, metricsPath, echo.WrapHandler(s.Metrics)})
	}
	return routes
}

// open reports whether a route is served to everybody.
func (s *Server) open(path string) bool {
	switch path {
	case healthPath, readyPath, errorsPath, openAPIPath:
		return true
	case metricsPath:
		return !s.MetricsNeedToken
	default:
		return false
	}
}
