package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// wrongBody is a body with one thing wrong in it, and what must be said of it.
type wrongBody struct {
	body  string
	fault string // code and pointer
}

// wrongBodies works out, from the schema of a request body, what can be wrong
// with each of its members, and puts that into a body that is good.
func wrongBodies(t testing.TB, schema map[string]any, good string) []wrongBody {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(good), &members); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	w := &spoiler{t: t, contract: contractOf(t), good: members}
	w.object(schema, nil, members)
	return w.bodies
}

// spoiler collects bodies.
type spoiler struct {
	t        testing.TB
	contract *contract
	good     map[string]any
	bodies   []wrongBody
}

// object spoils the members of the object at a path of the body.
func (w *spoiler) object(schema map[string]any, path []string, members map[string]any) {
	required, _ := schema["required"].([]any)
	for _, name := range required {
		at := append(slices.Clone(path), name.(string))
		w.with(codeMissing, at, absentMember{})
		w.with(codeMissing, at, nil)
	}
	for name := range w.contract.follow(schema["properties"]) {
		at := append(slices.Clone(path), name)
		member := w.contract.follow(w.contract.follow(schema["properties"])[name])
		w.member(member, at, members[name])
	}
}

// member spoils one member, whose good value is given.
func (w *spoiler) member(schema map[string]any, at []string, good any) {
	schema = w.plain(schema)
	w.wrongType(schema, at)
	if n, ok := number(schema["minimum"]); ok {
		w.with(codeRange, at, n-1)
	}
	if n, ok := number(schema["maximum"]); ok {
		w.with(codeRange, at, n+1)
	}
	if n, ok := number(schema["maxLength"]); ok {
		w.with(codeTooLong, at, strings.Repeat("a", int(n)+1))
	}
	if n, ok := number(schema["minLength"]); ok && n == 1 {
		w.with(codeMissing, at, "")
	}
	if schema["enum"] != nil {
		w.with(codeMalformed, at, "none of them")
	}
	if schema["contentEncoding"] == "base64" {
		w.with(codeMalformed, at, "?")
	}
	if schema["format"] == "date-time" {
		w.with(codeMalformed, at, "tomorrow")
	}
	if n, ok := number(schema["maxItems"]); ok {
		entries := make([]any, int(n)+1)
		for i := range entries {
			entries[i] = fmt.Sprint("x", i)
		}
		w.with(codeTooMany, at, entries)
	}
	if n, ok := number(schema["minItems"]); ok && n == 1 {
		w.with(codeMissing, at, []any{})
	}
	switch good := good.(type) {
	case []any:
		if len(good) == 0 {
			break
		}
		w.with(codeType, append(slices.Clone(at), "0"), append([]any{7}, good...), at...)
		if schema["uniqueItems"] == true {
			w.with(codeDuplicate, append(slices.Clone(at), "1"), []any{good[0], good[0]}, at...)
		}
	case map[string]any:
		w.object(schema, at, good)
	}
}

// plain takes the one schema of several that is not that of null.
func (w *spoiler) plain(schema map[string]any) map[string]any {
	several, _ := schema["oneOf"].([]any)
	for _, one := range several {
		if one := w.contract.follow(one); one["type"] != "null" {
			return one
		}
	}
	return schema
}

// wrongType puts a value of each type that the schema does not take.
func (w *spoiler) wrongType(schema map[string]any, at []string) {
	for kind, v := range map[string]any{"integer": 7, "string": "text", "boolean": true, "array": []any{}, "object": map[string]any{}} {
		if types, _ := json.Marshal(schema["type"]); !strings.Contains(string(types), `"`+kind+`"`) {
			w.with(codeType, at, v)
		}
	}
	if types, _ := json.Marshal(schema["type"]); strings.Contains(string(types), `"integer"`) {
		w.with(codeType, at, json.Number("300.5"))
	}
}

// absentMember is the value of a member that is left out.
type absentMember struct{}

// with adds the good body with another value at a path, of which a code is to be
// said at the pointer. The value is put at another path if that is given.
func (w *spoiler) with(c code, at []string, v any, put ...string) {
	w.t.Helper()
	if put == nil {
		put = at
	}
	body, err := json.Marshal(replaced(w.good, put, v))
	if err != nil {
		w.t.Fatal(err)
	}
	w.bodies = append(w.bodies, wrongBody{string(body), fmt.Sprint(int(c), " ", pointer(at...))})
}

// replaced is a copy of an object with another value at a path.
func replaced(members map[string]any, path []string, v any) map[string]any {
	members = maps.Clone(members)
	if len(path) > 1 {
		inner, _ := members[path[0]].(map[string]any)
		if inner == nil {
			inner = make(map[string]any)
		}
		v = replaced(inner, path[1:], v)
	}
	if _, ok := v.(absentMember); ok {
		delete(members, path[0])
	} else if members == nil {
		members = map[string]any{path[0]: v}
	} else {
		members[path[0]] = v
	}
	return members
}

// number is a number of the document.
func number(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}
