package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is openapi.yaml as what judges answers: each that a test gets has to
// be described, with its status and its form.
type contract struct {
	compiler *jsonschema.Compiler
	root     map[string]any

	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema // by where they stand
}

// contractFile is what references into the document are relative to.
const contractFile = "openapi.yaml"

var theContract = sync.OnceValues(func() (*contract, error) {
	text, err := yaml.YAMLToJSON(openAPIDocument)
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := &contract{compiler: jsonschema.NewCompiler(), root: root.(map[string]any), compiled: make(map[string]*jsonschema.Schema)}
	c.compiler.AssertFormat()
	schemas := c.at("components", "schemas")
	for name, schema := range schemas {
		if name != "Success" { // it is one half of each envelope
			closeObjects(schema)
		}
	}
	return c, c.compiler.AddResource(contractFile, c.root)
})

func contractOf(t testing.TB) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// closeObjects has the members that a schema names be all there are: a client may
// meet others in a later release, a test must not.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if s["properties"] != nil && s["type"] != nil {
			s["additionalProperties"] = false
		}
		for _, inner := range s {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range s {
			closeObjects(inner)
		}
	}
}

// at is what stands in the document at a path of members, references followed;
// nil for nothing.
func (c *contract) at(path ...string) map[string]any {
	here := c.root
	for _, step := range path {
		here = c.follow(here[step])
	}
	return here
}

// follow gives what a reference refers to, and everything else as it is.
func (c *contract) follow(v any) map[string]any {
	m, _ := v.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		return c.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return m
}

// template finds the path of the document that a request's path is one of.
func (c *contract) template(path string) (template string, ok bool) {
	steps := strings.Split(strings.TrimPrefix(path, basePath), "/")
	for candidate := range c.at("paths") {
		if fits(strings.Split(candidate, "/"), steps) {
			return candidate, true
		}
	}
	return "", false
}

func fits(template, steps []string) bool {
	if len(template) != len(steps) {
		return false
	}
	for i, step := range template {
		if step != steps[i] && !strings.HasPrefix(step, "{") {
			return false
		}
	}
	return true
}

// judge fails the test if the answer to a request is not one of those that the
// document describes. What is no operation of the document is not its matter.
func (c *contract) judge(t testing.TB, method, path string, status int, header http.Header, body []byte) {
	t.Helper()
	template, ok := c.template(path)
	if !ok || c.at("paths", template, strings.ToLower(method)) == nil || status == http.StatusInternalServerError {
		return
	}
	number, _ := json.Marshal(status)
	response := c.at("paths", template, strings.ToLower(method), "responses", string(number))
	if response == nil {
		t.Errorf("%s %s: the answer %d is not described: %.300s", method, template, status, body)
		return
	}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	contents, _ := response["content"].(map[string]any)
	if contents == nil && len(body) == 0 {
		return
	}
	if contents[kind] == nil {
		t.Errorf("%s %s: the answer %d is of the type %q, which is not described", method, template, status, kind)
		return
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if header.Get(name) == "" {
			t.Errorf("%s %s: the answer %d has no %s, which is described", method, template, status, name)
		}
	}
	if kind != "application/json" {
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: %v", method, template, err)
		return
	}
	where := []string{"paths", template, strings.ToLower(method), "responses", string(number), "content", kind, "schema"}
	if ref, ok := c.at(where[:4]...)[string(number)].(map[string]any)["$ref"].(string); ok {
		where = append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), "content", kind, "schema")
	}
	if err := c.schema(t, pointer(where...)).Validate(v); err != nil {
		t.Errorf("%s %s: the answer %d is not as described: %v\n%s", method, template, status, err, body)
	}
}

// schema is what stands at a pointer into the document.
func (c *contract) schema(t testing.TB, at string) *jsonschema.Schema {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.compiled[at] == nil {
		schema, err := c.compiler.Compile(contractFile + "#" + at)
		if err != nil {
			t.Fatal(err)
		}
		c.compiled[at] = schema
	}
	return c.compiled[at]
}

// The judge is no rubber stamp: what is not as described is found.
func TestContractJudges(t *testing.T) {
	t.Parallel()
	s := seed(t)
	good := s.send(t, "GET", peersPath+"/"+s.peer, "")
	for name, change := range map[string]func(status *int, header http.Header, body *string){
		"another status":      func(status *int, _ http.Header, _ *string) { *status = 418 },
		"another type":        func(_ *int, header http.Header, _ *string) { header.Set("Content-Type", "text/plain") },
		"a header is missing": func(_ *int, header http.Header, _ *string) { header.Del("ETag") },
		"a member is missing": func(_ *int, _ http.Header, body *string) { *body = strings.Replace(*body, `"name":"one",`, "", 1) },
		"an unknown member":   func(_ *int, _ http.Header, body *string) { *body = strings.Replace(*body, `"name"`, `"x":1,"name"`, 1) },
		"a wrong type":        func(_ *int, _ http.Header, body *string) { *body = strings.Replace(*body, `"one"`, "1", 1) },
		"a number too large":  func(_ *int, _ http.Header, body *string) { *body = strings.Replace(*body, `:53,`, ":65536,", 1) },
		"no envelope":         func(_ *int, _ http.Header, body *string) { *body = string(good.env.Result) },
	} {
		status, header, body := good.status, good.header.Clone(), good.body
		change(&status, header, &body)
		quiet := &recordingT{TB: t}
		contractOf(t).judge(quiet, "GET", peersPath+"/"+s.peer, status, header, []byte(body))
		if !quiet.failed {
			t.Errorf("%s: not found", name)
		}
	}
}

// recordingT takes the errors of a test that is to fail.
type recordingT struct {
	testing.TB
	failed bool
}

func (r *recordingT) Errorf(string, ...any) { r.failed = true }
