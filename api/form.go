package api

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// form is a request body, taken member by member. Members of a wrong type are
// collected as problems, so that a client learns of all of them at once;
// members nobody asks for are ignored.
type form struct {
	at       string // pointer to the object of the members
	members  map[string]value
	problems failure
}

// readForm reads the body of a request, which has to be a JSON object.
func (s *Server) readForm(c echo.Context) (*form, error) { return s.readFormOf(c, maxWeight) }

// readFormOf is readForm for a body whose values have that weight at most.
func (s *Server) readFormOf(c echo.Context, weight int) (*form, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, s.maxBody(c)))
	if err != nil {
		return nil, bodyError(err)
	}
	if len(body) == 0 {
		return nil, refuse(codeNotJSON, "the request has no body; a JSON object is needed")
	}
	v, err := parseJSON(body, weight)
	if err != nil {
		return nil, err
	}
	if v.kind != kindObject {
		return nil, refuse(codeNotObject, "the body is %s; a JSON object is needed", v.kind)
	}
	return &form{members: v.members}, nil
}

// maxBody is how long the body of a request may be, in octets.
func (s *Server) maxBody(c echo.Context) int64 {
	if strings.HasSuffix(c.Path(), bulkPath) {
		return s.MaxBulkBody
	}
	return s.MaxBody
}

func bodyError(err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return bodyTooLong(e.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(codeBodyTimeout, "the request body did not arrive in time")
	}
	return refuse(codeBadRequest, "the request body could not be read")
}

func bodyTooLong(most int64) error {
	return refuse(codeBodyTooLong, "the request body is longer than %d octets", most)
}

// pointer points at a member, or at what is in it.
func (f *form) pointer(path ...string) string { return f.at + pointer(path...) }

// problem notes that a member is wrong.
func (f *form) problem(c code, pointer, format string, args ...any) {
	message := strings.TrimPrefix(pointer, "/") + ": " + fmt.Sprintf(format, args...)
	f.problems = append(f.problems, problem{c, message, pointer})
}

func (f *form) wrongType(pointer string, found value, want string) {
	f.problem(codeType, pointer, "found %s, %s is needed", found.kind, want)
}

// optional gives a member that has to be of a type; nil if it is not there or
// null or wrong.
func (f *form) optional(name string, k kind) *value {
	v, ok := f.members[name]
	if !ok || v.kind == kindNull {
		return nil
	}
	if v.kind != k {
		f.wrongType(f.pointer(name), v, k.String())
		return nil
	}
	return &v
}

// required notes a problem if a member is not there or null.
func (f *form) required(name string, k kind) *value {
	switch v, ok := f.members[name]; {
	case !ok:
		f.problem(codeMissing, f.pointer(name), "the member is missing; %s is needed", k)
	case v.kind == kindNull:
		f.problem(codeMissing, f.pointer(name), "found null, %s is needed", k)
	}
	return f.optional(name, k)
}

// text is a required string.
func (f *form) text(name string) string {
	if v := f.required(name, kindString); v != nil {
		return v.text
	}
	return ""
}

// optionalText is a string; nil if it is unset, which an empty one means too.
func (f *form) optionalText(name string) *string {
	v := f.optional(name, kindString)
	if v == nil || v.text == "" {
		return nil
	}
	return &v.text
}

// textOrEmpty is a string; empty if it is unset.
func (f *form) textOrEmpty(name string) string {
	if v := f.optional(name, kindString); v != nil {
		return v.text
	}
	return ""
}

func (f *form) optionalBool(name string) *bool {
	v := f.optional(name, kindBool)
	if v == nil {
		return nil
	}
	return new(v.text == "true")
}

// optionalNumber is a whole number within limits.
func (f *form) optionalNumber(name string, least, most int64) (n int64, ok bool) {
	v := f.optional(name, kindNumber)
	if v == nil {
		return 0, false
	}
	n, isWhole, fits := whole(v.text)
	switch {
	case !isWhole:
		f.problem(codeType, f.pointer(name), "%.32s is not a whole number", v.text)
	case !fits || n < least || n > most:
		f.problem(codeRange, f.pointer(name), "%.32s is not between %d and %d", v.text, least, most)
	default:
		return n, true
	}
	return 0, false
}

// requiredNumber notes a problem if the number is not there.
func (f *form) requiredNumber(name string, least, most int64) int64 {
	if f.required(name, kindNumber) == nil {
		return 0
	}
	n, _ := f.optionalNumber(name, least, most)
	return n
}

func (f *form) optionalPort(name string) *uint16 {
	if n, ok := f.optionalNumber(name, 0, math.MaxUint16); ok {
		return new(uint16(n))
	}
	return nil
}

// optionalTime is a time (RFC 3339); nil if it is unset.
func (f *form) optionalTime(name string) *time.Time {
	text := f.optionalText(name)
	if text == nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		f.problem(codeMalformed, f.pointer(name), "%.64q is not a time such as 2026-01-02T03:04:05Z", *text)
		return nil
	}
	return &at
}

// texts is a required list of strings.
func (f *form) texts(name string) []string {
	return f.textsOf(name, f.required(name, kindList))
}

// optionalTexts is a list of strings; nil if it is unset.
func (f *form) optionalTexts(name string) []string {
	return f.textsOf(name, f.optional(name, kindList))
}

func (f *form) textsOf(name string, v *value) []string {
	if v == nil {
		return nil
	}
	texts := make([]string, len(v.list))
	for i, entry := range v.list {
		if entry.kind != kindString {
			f.wrongType(f.pointer(name, strconv.Itoa(i)), entry, "a string")
		}
		texts[i] = entry.text
	}
	return texts
}

// optionalObject has read take the members of an object, and reports whether
// there is one.
func (f *form) optionalObject(name string, read func(*form)) bool {
	v := f.optional(name, kindObject)
	if v == nil {
		return false
	}
	inner := &form{at: f.pointer(name), members: v.members}
	read(inner)
	f.problems = append(f.problems, inner.problems...)
	return true
}

// join adds what the registry says of the object made from the form. Where the
// form is wrong itself, the registry saw a substitute and is not believed.
func (f *form) join(err error) error {
	if len(f.problems) == 0 {
		return err
	}
	all := f.problems
	for _, p := range problemsOf(err) {
		if !f.covers(p.pointer) {
			all = append(all, p)
		}
	}
	return all
}

// covers reports whether a member, or an entry of it, is known to be wrong.
func (f *form) covers(at string) bool {
	member, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	for _, p := range f.problems {
		if p.pointer == "/"+member || strings.HasPrefix(p.pointer, "/"+member+"/") {
			return true
		}
	}
	return false
}
