package apiclient

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Codes of the API that are told apart here.
const (
	codeNoRoute = 7000 // there is no such path
	codeBulk    = 2413 // the account has a bulk request running
)

// Error is a request that the server did not carry out.
type Error struct {
	Method, Path string
	Status       int // of HTTP
	Faults       []Fault

	retryAfter time.Duration // for a rate limit
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Source  struct {
		Pointer string `json:"pointer"` // into the request body, or empty
	} `json:"source"`
}

// Error gives each fault a line.
func (e *Error) Error() string {
	if len(e.Faults) == 0 {
		return fmt.Sprintf("%s %s: status %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	}
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	if e.Status == http.StatusUnauthorized {
		lines = append(lines, "give a token with --token-file or in SECONDARYD_TOKEN")
	}
	return strings.Join(lines, "\n")
}

func (f Fault) String() string {
	if f.Source.Pointer == "" {
		return fmt.Sprintf("%s (code %d)", f.Message, f.Code)
	}
	return fmt.Sprintf("%s (at %s, code %d)", f.Message, f.Source.Pointer, f.Code)
}

// notNow reports whether nothing was done, and the same request may be sent again
// soon.
func (e *Error) notNow() bool {
	return e.Status == http.StatusTooManyRequests || len(e.Faults) > 0 && e.Faults[0].Code == codeBulk
}

// NoSuchPath reports whether the server does not know the path at all, rather
// than the object.
func (e *Error) NoSuchPath() bool {
	return e.Status == http.StatusNotFound && len(e.Faults) > 0 && e.Faults[0].Code == codeNoRoute
}

// NotFoundError is a name that no object has.
type NotFoundError struct{ Kind, Name string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no %s %q", e.Kind, e.Name)
}

// AmbiguousError is a name that several objects have.
type AmbiguousError struct {
	Kind, Name string
	Candidates []string // a line each, beginning with the id
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("there is more than one %s %q; say which by its id:\n  %s", e.Kind, e.Name, strings.Join(e.Candidates, "\n  "))
}
