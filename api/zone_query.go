package api

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// Zones on a page.
const (
	defaultPerPage = 20
	maxPerPage     = 1000
)

// zoneQuery is what a list of zones was asked for.
type zoneQuery struct {
	page        int // from 1 on
	perPage     int
	order       string
	descending  bool
	needsStatus bool
	any         bool   // one filter is enough
	apex        string // that a zone must have; empty for no such filter
	filters     []func(zoneRow) bool
}

// admits reports whether a zone is in the list.
func (q *zoneQuery) admits(row zoneRow) bool {
	if len(q.filters) == 0 {
		return true
	}
	for _, passes := range q.filters {
		if passes(row) == q.any {
			return q.any
		}
	}
	return !q.any
}

// query reads the parameters of a request. Parameters nobody asks for are
// ignored, and an empty one is as good as none.
type query struct {
	values   url.Values
	problems failure
}

func (q *query) problem(name, format string, args ...any) {
	q.problems = append(q.problems, problem{code: codeParameter, message: name + ": " + fmt.Sprintf(format, args...)})
}

func (q *query) number(name string, otherwise, most int) int {
	text := q.values.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		q.problem(name, "%.32q is not a number from 1 to %d", text, most)
		return otherwise
	}
	return n
}

// words gives a parameter that may be repeated, or a list with commas.
func (q *query) words(name string, known []string) (found []string) {
	for _, text := range q.values[name] {
		for word := range strings.SplitSeq(text, ",") {
			switch {
			case word == "":
			case !slices.Contains(known, word):
				q.problem(name, "%.32q is not one of %s", word, strings.Join(known, ", "))
			default:
				found = append(found, word)
			}
		}
	}
	return found
}

// word gives a parameter that is one of several words, the first if it is not there.
func (q *query) word(name string, known ...string) string {
	text := q.values.Get(name)
	if text == "" {
		return known[0]
	}
	if !slices.Contains(known, text) {
		q.problem(name, "%.32q is not one of %s", text, strings.Join(known, ", "))
	}
	return text
}

// readZoneQuery reads how the zones are to be listed.
func (s *Server) readZoneQuery(c echo.Context) (zoneQuery, error) {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return zoneQuery{}, refuse(codeParameter, "the query is not URL-encoded")
	}
	q := &query{values: values}
	list := zoneQuery{
		page:       q.number("page", 1, math.MaxInt32),
		perPage:    q.number("per_page", defaultPerPage, maxPerPage),
		order:      q.word("order", "name", "status", "account.id", "account.name"),
		descending: q.word("direction", "asc", "desc") == "desc",
		any:        q.word("match", "all", "any") == "any",
	}
	list.needsStatus = list.order == "status"
	s.addFilters(q, &list)
	if q.problems != nil {
		return zoneQuery{}, q.problems
	}
	return list, nil
}

// addFilters reads which zones are wanted.
func (s *Server) addFilters(q *query, list *zoneQuery) {
	add := func(filter func(zoneRow) bool) { list.filters = append(list.filters, filter) }
	if text := q.values.Get("name"); text != "" {
		matches := q.operator("name", text)
		list.apex = wholeName(text)
		add(func(r zoneRow) bool { return matches(func() string { return s.nameOf(r) }, shownName(r.Apex)) })
	}
	if id := q.values.Get("account.id"); id != "" {
		add(func(r zoneRow) bool { return r.Account == id })
	}
	if text := q.values.Get("account.name"); text != "" {
		matches := q.operator("account.name", text)
		add(func(r zoneRow) bool { return matches(func() string { return r.Account }, strings.ToLower(r.Account)) })
	}
	if states := q.words("status", []string{zoneInitializing, zonePending, zoneActive, zoneMoved}); states != nil {
		list.needsStatus = true
		add(func(r zoneRow) bool { return slices.Contains(states, r.status) })
	}
	if types := q.words("type", zoneTypes); types != nil {
		add(func(zoneRow) bool { return slices.Contains(types, zoneType) })
	}
}

// splitOperator parts a text from the operator before it; equal is the default.
func splitOperator(text string) (op, operand string) {
	op, operand, found := strings.Cut(text, ":")
	if !found {
		return "equal", text
	}
	return op, operand
}

// wholeName is the apex that a filter for one name means; empty if it is none.
func wholeName(text string) string {
	op, operand := splitOperator(text)
	apex, err := registry.ApexKey(operand)
	if op != "equal" || err != nil {
		return ""
	}
	return apex
}

// nameOf gives a zone's name as it was sent.
func (s *Server) nameOf(row zoneRow) string {
	zone, _ := s.Registry.ListedZone(row.ID)
	return shownName(zone.Name)
}

// A matcher compares a text, which it asks for if the case counts, or its form
// in lower case.
type matcher func(exact func() string, lower string) bool

// operator reads a text with an operator before it. Whole names with escapes
// compare in their canonical form.
func (q *query) operator(parameter, text string) matcher {
	op, operand := splitOperator(text)
	exact, lower := operand, strings.ToLower(operand)
	insensitive := func(compare func(text, operand string) bool) matcher {
		return func(_ func() string, text string) bool { return compare(text, lower) }
	}
	sensitive := func(compare func(text, operand string) bool) matcher {
		return func(text func() string, _ string) bool { return compare(text(), exact) }
	}
	whole := canonical(operand)
	switch op {
	case "equal":
		return func(_ func() string, text string) bool { return text == whole }
	case "not_equal":
		return func(_ func() string, text string) bool { return text != whole }
	case "contains":
		return insensitive(strings.Contains)
	case "starts_with":
		return insensitive(strings.HasPrefix)
	case "ends_with":
		lower = shownName(lower)
		return insensitive(strings.HasSuffix)
	case "contains_case_sensitive":
		return sensitive(strings.Contains)
	case "starts_with_case_sensitive":
		return sensitive(strings.HasPrefix)
	case "ends_with_case_sensitive":
		exact = shownName(exact)
		return sensitive(strings.HasSuffix)
	}
	q.problem(parameter, "%.32q is no operator; equal, not_equal, contains, starts_with and ends_with are, "+
		"and the last three with _case_sensitive", op)
	return insensitive(strings.Contains)
}

// canonical is the form in which whole names are compared.
func canonical(name string) string {
	apex, err := registry.ApexKey(name)
	if err != nil {
		return strings.ToLower(name)
	}
	return shownName(apex)
}
