package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"secondaryd/zonestore/registry"
)

// code identifies a kind of error to clients. Codes are documented and never
// change their meaning.
type code int

// The codes. Those that the vendor's clients know have the vendor's numbers.
const (
	codeInvalidToken   code = 1000
	codeNoZone         code = 1001
	codeZoneName       code = 1002
	codeZoneExists     code = 1061
	codeNoRoute        code = 7000
	codeMethod         code = 7001
	codeBadIdentifier  code = 7003
	codeScope          code = 9109
	codeAuthentication code = 10000

	codeNotJSON     code = 2001
	codeNotObject   code = 2002
	codeBodyTooLong code = 2003
	codeBodyTimeout code = 2004
	codeBadRequest  code = 2005

	codeType       code = 2101
	codeMissing    code = 2102
	codeMalformed  code = 2103
	codeRange      code = 2104
	codeForbidden  code = 2105
	codeUnknownRef code = 2106
	codeTooMany    code = 2107
	codeDuplicate  code = 2108
	codeNameTaken  code = 2109
	codeTooLong    code = 2110
	codeRepeated   code = 2111

	codeQuery        code = 2320
	codePrecondition code = 2330

	codeNoIncoming code = 2201
	codeNoPeer     code = 2202
	codeNoTSIG     code = 2203
	codeNoACL      code = 2204
	codeNoOutgoing code = 2205
	codeNoCopy     code = 2206
	codeNoVersion  code = 2212
	codeNoAccount  code = 2210
	codeNoToken    code = 2211

	codeIncomingExists code = 2301
	codePeerInUse      code = 2302
	codeTSIGInUse      code = 2303
	codeNothingHeld    code = 2304
	codeOtherHeld      code = 2305
	codeOutgoingExists code = 2306
	codeOtherName      code = 2307
	codeParameter      code = 2308
	codeOverRate       code = 2310
	codeVersionServed  code = 2311
	codeOutOfTime      code = 2312

	codeInternal code = 2401
	codeStore    code = 2402
	codeStopping code = 2403
	codeBusy     code = 2404

	codeDiagnosing code = 2410
	codeWaiting    code = 2411
	codeStreams    code = 2412
	codeBulk       code = 2413
)

// errorTable is the one place that ties a code to its HTTP status and its
// documentation.
var errorTable = []struct {
	code   code
	status int
	text   string
}{
	{codeInvalidToken, 401, "The token that was to be verified is not a valid one."},
	{codeNoZone, 404, "There is no zone of this id."},
	{codeZoneName, 400, "A zone can't have this name."},
	{codeZoneExists, 400, "A zone of this name exists already."},
	{codeNotJSON, 400, "The request body is missing, is not one JSON text in UTF-8, is nested too deeply, has too many values, or goes on after its end."},
	{codeNotObject, 400, "The request body is JSON, but not an object."},
	{codeBodyTooLong, 413, "The request body is longer than the server takes."},
	{codeBodyTimeout, 408, "The request body did not arrive in time."},
	{codeBadRequest, 400, "The request is not understood."},
	{codeType, 400, "A member has a value of the wrong JSON type; a number that has to be whole is not."},
	{codeMissing, 400, "A required member is missing, null or empty."},
	{codeMalformed, 400, "A value does not have the form it must have: a domain name, an address, a range, an algorithm, base64."},
	{codeRange, 400, "A number, or the width of a range, is outside its limits."},
	{codeForbidden, 400, "A value is well formed and not permitted, such as a multicast address for a peer."},
	{codeUnknownRef, 400, "A member refers to an object that does not exist in the account."},
	{codeTooMany, 400, "A list has more entries than permitted."},
	{codeDuplicate, 400, "A list has the same entry twice."},
	{codeNameTaken, 400, "The zone name is configured under another zone id."},
	{codeTooLong, 400, "A value is longer than permitted."},
	{codeRepeated, 400, "An object of the request body has the same member twice."},
	{codeNoIncoming, 404, "The zone has no incoming configuration."},
	{codeNoPeer, 404, "The account has no peer of this id."},
	{codeNoTSIG, 404, "The account has no tsig of this id."},
	{codeNoACL, 404, "The account has no acl of this id."},
	{codeNoOutgoing, 404, "The zone has no outgoing configuration."},
	{codeNoCopy, 404, "No copy of the zone is served."},
	{codeNoAccount, 404, "The account of the path is not the one that the token is for."},
	{codeNoToken, 404, "There is no token of this id."},
	{codeNoVersion, 404, "No version of the zone with this serial is kept."},
	{codeIncomingExists, 400, "The zone has an incoming configuration already; update or delete it."},
	{codePeerInUse, 400, "The peer is linked by zones and can't be deleted."},
	{codeTSIGInUse, 400, "The tsig is used by peers and can't be deleted."},
	{codeNothingHeld, 400, "No version of the zone is held."},
	{codeOtherHeld, 400, "The version that is held has another serial by now; look at it first."},
	{codeOutgoingExists, 400, "The zone has an outgoing configuration already; update or delete it."},
	{codeOtherName, 400, "The zone id has another name by the rest of its settings."},
	{codeParameter, 400, "A parameter in the query has a value that it can't have."},
	{codeOverRate, 429, "The token has made more requests than it may in a second; the Retry-After header says when to go on."},
	{codeVersionServed, 400, "The version is the one that the zone has now."},
	{codeOutOfTime, 400, "The version is too old to be served: no primary was heard for its SOA EXPIRE."},
	{codeQuery, 400, "A parameter behind the path has a value that it can't have."},
	{codePrecondition, 412, "The object is not, or no longer, the one that If-Match names; read it again."},
	{codeInternal, 500, "Something is wrong with the server; its log has the details."},
	{codeStore, 503, "The change could not be stored (a full or failing disk); nothing was changed."},
	{codeStopping, 503, "The server is stopping."},
	{codeBusy, 503, "The order could not be taken; try again."},
	{codeDiagnosing, 503, "The zone is being diagnosed already, or several others are; try again."},
	{codeWaiting, 503, "Too many requests wait for zones already; ask without waiting, or try again."},
	{codeStreams, 503, "Too many streams of events are read already; try again."},
	{codeBulk, 503, "The account has a bulk request running already, or several others have; try again."},
	{codeNoRoute, 404, "There is no such path."},
	{codeMethod, 405, "The path exists and does not have this method; the Allow header lists those it has."},
	{codeBadIdentifier, 404, "An identifier in the path can't be one."},
	{codeScope, 403, "The token is valid and does not permit this."},
	{codeAuthentication, 401, "The request carries no valid token."},
}

func (c code) status() int {
	for _, row := range errorTable {
		if row.code == c {
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// problem is one thing that is wrong with a request.
type problem struct {
	code    code
	message string
	pointer string // into the request body, if it lies there
}

// failure is the error of a refused request. Its first problem decides the
// status.
type failure []problem

func (f failure) Error() string {
	texts := make([]string, len(f))
	for i, p := range f {
		texts[i] = p.message
	}
	return strings.Join(texts, "; ")
}

func refuse(c code, format string, args ...any) error {
	return failure{{code: c, message: fmt.Sprintf(format, args...)}}
}

var reasonCodes = map[registry.Reason]code{
	registry.ReasonMissing:   codeMissing,
	registry.ReasonMalformed: codeMalformed,
	registry.ReasonRange:     codeRange,
	registry.ReasonForbidden: codeForbidden,
	registry.ReasonUnknown:   codeUnknownRef,
	registry.ReasonAccount:   codeUnknownRef,
	registry.ReasonTooMany:   codeTooMany,
	registry.ReasonDuplicate: codeDuplicate,
	registry.ReasonTaken:     codeNameTaken,
	registry.ReasonOtherName: codeOtherName,
	registry.ReasonTooLarge:  codeTooLong,
}

// failureOf gives what a client is told of an error. Errors that are not the
// client's fault are told without their text.
func failureOf(err error) failure {
	if f, ok := errors.AsType[failure](err); ok {
		return f
	}
	if f := problemsOf(err); f != nil {
		return f
	}
	if inUse, ok := errors.AsType[*registry.InUseError](err); ok {
		return failure{inUseProblem(inUse)}
	}
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		return failure{httpProblem(h)}
	}
	switch {
	case errors.Is(err, registry.ErrStore):
		return failure{{code: codeStore, message: "the change could not be stored; nothing was changed"}}
	case errors.Is(err, registry.ErrClosed), errors.Is(err, context.Canceled):
		return failure{{code: codeStopping, message: "the request was abandoned or the server is stopping"}}
	default:
		return failure{{code: codeInternal, message: "internal error"}}
	}
}

// problemsOf gives what the registry found wrong with members.
func problemsOf(err error) (f failure) {
	for _, p := range registry.Problems(err) {
		f = append(f, problem{reasonCodes[p.Reason], p.Error(), p.Pointer})
	}
	return f
}

func inUseProblem(e *registry.InUseError) problem {
	shown := e.Users[:min(len(e.Users), 5)]
	users := strings.Join(shown, ", ")
	if len(shown) < len(e.Users) {
		users = fmt.Sprintf("%s and %d more", users, len(e.Users)-len(shown))
	}
	if e.Kind == registry.KindTSIG {
		return problem{code: codeTSIGInUse, message: "the tsig is still used by these peers: " + users}
	}
	return problem{code: codePeerInUse, message: "the peer is still linked by these zones: " + users}
}

// httpProblem translates what echo's router says.
func httpProblem(h *echo.HTTPError) problem {
	switch h.Code {
	case http.StatusNotFound:
		return problem{code: codeNoRoute, message: "no such path"}
	case http.StatusMethodNotAllowed:
		return problem{code: codeMethod, message: "the path does not have this method"}
	case http.StatusRequestEntityTooLarge:
		return problem{code: codeBodyTooLong, message: "the request body is too long"}
	default:
		return problem{code: codeBadRequest, message: "the request is not understood"}
	}
}

// fail is echo's error handler: it answers every error with the envelope.
func (s *Server) fail(err error, c echo.Context) {
	f := failureOf(err)
	status := f[0].code.status()
	if status >= http.StatusInternalServerError {
		s.Log.Error("request failed", zap.String("request", requestID(c)), zap.Int("code", int(f[0].code)), zap.Error(err))
	}
	if c.Response().Committed {
		return
	}
	switch status {
	case http.StatusUnauthorized:
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, "Bearer")
	case http.StatusServiceUnavailable:
		c.Response().Header().Set(echo.HeaderRetryAfter, "1")
	}
	if err := send(c, status, envelope{Errors: f.faults(c), Messages: []fault{}}); err != nil {
		s.Log.Debug("answer not written", zap.String("request", requestID(c)), zap.Error(err))
	}
}

// faults is the failure as clients see it.
func (f failure) faults(c echo.Context) []fault {
	list := make([]fault, len(f))
	for i, p := range f {
		list[i] = fault{Code: p.code, Message: p.message, DocumentationURL: documentationURL(c, p.code)}
		if p.pointer != "" {
			list[i].Source = &source{p.pointer}
		}
	}
	return list
}

// plainHost is a Host header, of maxHost octets at most, that can go into a URL
// as it is. The length is no part of it: it would take long to compile.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-]+(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?$`)

const maxHost = 253 + len(":65535")

// documentationURL points at the server's own page on a code, by the name that
// the client used for the server. It is empty if that name is odd.
func documentationURL(c echo.Context, code code) string {
	if host := c.Request().Host; len(host) > maxHost || !plainHost.MatchString(host) {
		return ""
	}
	u := url.URL{Scheme: c.Scheme(), Host: c.Request().Host, Path: errorsPath, Fragment: fmt.Sprint(int(code))}
	if c.Request().TLS == nil {
		u.Scheme = "http" // whatever a header claims
	}
	return u.String()
}

// errorsPage documents the codes.
func (s *Server) errorsPage(c echo.Context) error {
	var page strings.Builder
	page.WriteString("Error codes\n\nCode   Status  Meaning\n")
	for _, row := range errorTable {
		fmt.Fprintf(&page, "%-5d  %d     %s\n", row.code, row.status, row.text)
	}
	return c.String(http.StatusOK, page.String())
}
