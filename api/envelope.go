package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// envelope is the form of every answer. Lists are never null.
type envelope struct {
	Result   any     `json:"result"`
	Success  bool    `json:"success"`
	Errors   []fault `json:"errors"`
	Messages []fault `json:"messages"`

	ResultInfo *resultInfo `json:"result_info,omitempty"` // of a list that has pages
}

// fault is an entry of the errors.
type fault struct {
	Code             code    `json:"code"`
	Message          string  `json:"message"`
	DocumentationURL string  `json:"documentation_url,omitempty"`
	Source           *source `json:"source,omitempty"`
}

// source says where in the request body the fault lies.
type source struct {
	Pointer string `json:"pointer"` // RFC 6901
}

// identifier is the result of a deletion.
type identifier struct {
	ID string `json:"id"`
}

// respond answers with a result.
func respond(c echo.Context, result any) error {
	return send(c, http.StatusOK, envelope{Result: result, Success: true, Errors: []fault{}, Messages: []fault{}})
}

func send(c echo.Context, status int, body envelope) error {
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	header.Set(echo.HeaderCacheControl, "no-store") // answers hold secrets and change at any time
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	encoder := json.NewEncoder(c.Response())
	encoder.SetEscapeHTML(false)
	return encoder.Encode(body)
}

// timestamp writes a time as RFC 3339 in UTC with microseconds.
type timestamp time.Time

// MarshalText implements encoding.TextMarshaler.
func (t timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000000Z07:00"), nil
}
