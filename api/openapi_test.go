package api

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"secondaryd/internal/certtest"
	"secondaryd/zonestore/zone"
)

// document is the part of an OpenAPI document that the tests look at.
type document struct {
	OpenAPI    string                    `yaml:"openapi"`
	Paths      map[string]map[string]any `yaml:"paths"`
	Components map[string]map[string]any `yaml:"components"`
}

func parsed(t *testing.T) document {
	t.Helper()
	var d document
	if err := yaml.Unmarshal(openAPIDocument, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every operation served is described, and the other way round.
func TestDocumentMatchesRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x 1\n") })
	})
	var served []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, r := range slices.Concat(w.resources(), w.plain()) {
		served = append(served, strings.ToLower(r.method)+" "+parameter.ReplaceAllString(r.path, "{$1}"))
	}
	d := parsed(t)
	var described []string
	for path, item := range d.Paths {
		for method := range item {
			if method != "parameters" && method != "servers" {
				described = append(described, method+" "+path)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("served (-), described (+):\n%s", diff)
	}
	if d.OpenAPI != "3.1.0" {
		t.Errorf("version %q", d.OpenAPI)
	}
}

// An operation that needs a token says how it is refused to the wrong one.
func TestDocumentHasRefusals(t *testing.T) {
	t.Parallel()
	d := parsed(t)
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, r := range newWorld(t).resources() {
		operation, _ := d.Paths[parameter.ReplaceAllString(r.path, "{$1}")][strings.ToLower(r.method)].(map[string]any)
		responses, _ := operation["responses"].(map[string]any)
		for _, status := range []string{"401", "403", "429"} {
			if responses[status] == nil {
				t.Errorf("%s %s: %s is not described", r.method, r.path, status)
			}
		}
		if strings.Contains(r.path, ":") && responses["404"] == nil {
			t.Errorf("%s %s: 404 is not described", r.method, r.path)
		}
	}
}

// Parameters in a path are declared, and every reference leads somewhere.
func TestDocumentIsSound(t *testing.T) {
	t.Parallel()
	d := parsed(t)
	for path, item := range d.Paths {
		declared, _ := item["parameters"].([]any)
		if got := strings.Count(path, "{"); got != len(declared) {
			t.Errorf("%s: %d parameters declared", path, len(declared))
		}
	}
	for _, match := range regexp.MustCompile(`#/components/(\w+)/(\w+)`).FindAllSubmatch(openAPIDocument, -1) {
		if d.Components[string(match[1])][string(match[2])] == nil {
			t.Errorf("%s leads nowhere", match[0])
		}
	}
}

// What the document requires of a result is in the result.
func TestDocumentDescribesResults(t *testing.T) {
	t.Parallel()
	s := seed(t)
	d := parsed(t)
	s.copies[zoneOne], s.earlier[zoneOne] = copyOf(t), []*zone.Zone{copyOf(t)}
	s.must(t, "PUT", peersPath+"/"+s.bare, peerWithTLS(t))
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	_, token := s.tokenAndID(t, callers["edit"]+`,"expires_on":"2027-01-02T03:04:05Z"`)
	for path, name := range map[string]string{
		incomingPath(zoneOne) + "/diagnose": "Diagnosis", rollbackPath(zoneOne): "RolledBack", diffPath(zoneOne, 7, ""): "Diff",
		incomingPath(zoneOne): "Incoming", incomingPath(zoneOne) + "/status": "Status", incomingPath(zoneOne) + "/settings": "Settings",
		"/zones/" + zoneOne:      "Zone",
		outgoingPath(zoneOne):    "Outgoing",
		peersPath + "/" + s.peer: "Peer", peersPath + "/" + s.bare: "Peer",
		tsigsPath + "/" + s.key: "TSIG", aclsPath + "/" + s.acl: "ACL",
		tokensPath + "/" + token: "APIToken",
	} {
		var result map[string]any
		if err := yaml.Unmarshal(s.send(t, methodOf(path), path, "").env.Result, &result); err != nil {
			t.Fatal(err)
		}
		if inner, ok := result["tls"].(map[string]any); ok {
			properties := d.Components["schemas"]["PeerTLS"].(map[string]any)["properties"].(map[string]any)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(inner))); diff != "" {
				t.Errorf("tls described (-), given (+):\n%s", diff)
			}
		}
		schema := d.Components["schemas"][name].(map[string]any)
		properties := schema["properties"].(map[string]any)
		for member := range result {
			if properties[member] == nil {
				t.Errorf("%s: %s is not described", name, member)
			}
		}
		for _, member := range schema["required"].([]any) {
			if _, ok := result[member.(string)]; !ok {
				t.Errorf("%s: %s is missing", name, member)
			}
		}
	}
}

// methodOf is how the result at a path is had.
func methodOf(path string) string {
	if strings.HasSuffix(path, "/diagnose") || strings.HasSuffix(path, "/rollback") {
		return "POST"
	}
	return "GET"
}

// peerWithTLS is a body with all that can be set of TLS.
func peerWithTLS(t *testing.T) string {
	t.Helper()
	ca := certtest.Authority(t)
	body, err := json.Marshal(map[string]any{"name": "n", "tls": map[string]any{
		"name": "primary.example", "pins": []string{ca.Pin()}, "ca_certificate": ca.PEM(),
		"client_certificate": ca.PEM(), "client_key": ca.KeyPEM(t),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
