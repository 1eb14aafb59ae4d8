package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// fetch reads what needs no token.
func (w *world) fetch(t *testing.T, method, path, header, value string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	recorder := httptest.NewRecorder()
	w.http.Handler.ServeHTTP(recorder, r)
	return recorder
}

// The page refers to files of this server alone, each is answered, and the browser
// is told to load and run nothing else.
func TestViewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := w.fetch(t, "GET", "/docs", "", "")
	if page.Code != http.StatusOK || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", page.Code, page.Header())
	}
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || !strings.Contains(policy, "script-src 'self';") ||
		strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("policy %s", policy)
	}
	text := page.Body.String()
	if inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style| style=| on\w+=`).FindString(text); inline != "" {
		t.Errorf("the policy forbids %q", inline)
	}
	start := w.fetch(t, "GET", "/docs/start.js", "", "").Body.String()
	references := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1)
	references = append(references, regexp.MustCompile(`url: "([^"]*)"`).FindAllStringSubmatch(start, -1)...)
	answered := make(map[string]bool)
	for _, match := range references {
		if match[1] == "data:," { // no icon, or browsers would ask for one
			continue
		}
		if strings.Contains(match[1], ":") || strings.HasPrefix(match[1], "/") {
			t.Errorf("%s is not relative", match[1])
		}
		got := w.fetch(t, "GET", "/"+match[1], "", "")
		if got.Code != http.StatusOK || got.Body.Len() == 0 || got.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d", match[1], got.Code)
		}
		answered["/"+match[1]] = true
	}
	for _, a := range viewerAssets[1:] {
		if !answered[a.path] {
			t.Errorf("nothing refers to %s", a.path)
		}
	}
	if outside := regexp.MustCompile(`url\(["']?(?:https?:)?//|@import`).FindString(w.fetch(t, "GET", "/docs/swagger-ui.css", "", "").Body.String()); outside != "" {
		t.Errorf("the style sheet loads %q", outside)
	}
}

// Who takes gzip gets the same file packed, and who has the file gets none.
func TestViewerAssets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range viewerAssets {
		plain := w.fetch(t, "GET", a.path, "Accept-Encoding", "br, gzip;q=0")
		if plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() == 0 || plain.Header().Get("Content-Type") != a.kind {
			t.Errorf("%s: %v", a.path, plain.Header())
		}
		coded := w.fetch(t, "GET", a.path, "Accept-Encoding", "deflate, gzip;q=0.5")
		text := coded.Body.Bytes()
		if packed := coded.Header().Get("Content-Encoding") == "gzip"; packed != (a.content().packed != nil) {
			t.Errorf("%s is packed: %t", a.path, packed)
		} else if packed {
			text = unpacked(t, text)
			if coded.Header().Get("ETag") == plain.Header().Get("ETag") {
				t.Errorf("%s has one tag in both forms", a.path)
			}
		}
		if !bytes.Equal(text, plain.Body.Bytes()) {
			t.Errorf("%s: %d octets packed, %d not", a.path, len(text), plain.Body.Len())
		}
		if again := w.fetch(t, "GET", a.path, "If-None-Match", plain.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", a.path, again.Code)
		}
		for _, other := range []string{"If-Match", "Range"} { // mean nothing here
			if got := w.fetch(t, "GET", a.path, other, "bytes=0-1"); got.Code != http.StatusOK || got.Body.Len() != plain.Body.Len() {
				t.Errorf("%s with %s: %d", a.path, other, got.Code)
			}
		}
		if head := w.fetch(t, "HEAD", a.path, "", ""); head.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", a.path, head.Code)
		}
		if got := w.send(t, "POST", a.path, ""); got.status != 405 {
			t.Error(got.body)
		}
	}
	for path, want := range map[string]int{"/docs/": 404, "/docs/page.html": 404, "/docs/../viewer.go": 404, basePath + "/docs": 404} {
		r := w.request(t, "GET", path, "")
		if got := w.status(r); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func unpacked(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=1.0": true, "gzip ; q=0.1": true, "gzip;q=0": false, "gzip;q=0.000": false,
		"xgzip": false, "identity": false, "br;q=1,gzip;q=0": false,
	} {
		if got := takesGzip(accepted); got != want {
			t.Errorf("%q: %t", accepted, got)
		}
	}
}
