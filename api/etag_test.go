package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secondaryd/zonestore/registry"
)

// ifMatch makes a request that names what it is about by its tag.
func (w *world) ifMatch(t testing.TB, tag, method, path, body string) answer {
	t.Helper()
	r := w.request(t, method, path, body)
	r.Header.Set("If-Match", tag)
	return w.do(t, r)
}

// objectsOf lists the path of one object of every kind, with a body that changes it.
func (s seeded) objectsOf(t testing.TB) map[string]string {
	t.Helper()
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	_, token := s.tokenAndID(t, callers["edit"])
	return map[string]string{
		incomingPath(zoneOne):               s.zoneBody("Example.org"),
		incomingPath(zoneOne) + "/settings": `{"max_shrink_percent":7}`,
		outgoingPath(zoneOne):               s.outgoingBody("Example.org"),
		"/zones/" + zoneOne:                 `{"paused":true}`,
		peersPath + "/" + s.bare:            `{"name":"other"}`,
		tsigsPath + "/" + s.key:             `{"name":"k","algo":"hmac-sha1","secret":"YQ=="}`,
		aclsPath + "/" + s.acl:              `{"name":"other","ip_range":"192.0.2.0/24"}`,
		tokensPath + "/" + token:            "", // can't be changed
	}
}

// changing is the method that changes what is at a path.
func changing(path string) string {
	if path == "/zones/"+zoneOne {
		return "PATCH"
	}
	return "PUT"
}

// A change names what it is about by the tag that was read; the tag of before
// the change is worth nothing after it.
func TestIfMatch(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for path, body := range s.objectsOf(t) {
		read := s.send(t, "GET", path, "")
		tag := read.header.Get("ETag")
		if len(tag) < 3 || !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) {
			t.Errorf("%s has the tag %q", path, tag)
			continue
		}
		if body == "" {
			continue
		}
		changed := s.ifMatch(t, tag, changing(path), path, body)
		now := changed.header.Get("ETag")
		if changed.status != 200 || now == tag || now == "" {
			t.Errorf("%s: %s, tag %s became %s", path, changed.body, tag, now)
		}
		if again := s.send(t, "GET", path, ""); again.header.Get("ETag") != now || string(again.env.Result) != string(changed.env.Result) {
			t.Errorf("%s: read %s of %s, changed to %s of %s", path, again.body, again.header.Get("ETag"), changed.body, now)
		}
		before := s.Registry.Revision()
		for _, stale := range []string{tag, "W/" + now, `""`, `"*"`, `"0"`, tag + `, "x"`, ""} {
			got := s.ifMatch(t, stale, changing(path), path, body)
			if got.status != 412 || got.faults() != "2330" || strings.Contains(got.body, "proxy") != strings.HasPrefix(stale, "W/") {
				t.Errorf("%s with %q: %s", path, stale, got.body)
			}
		}
		for _, odd := range []string{strings.Trim(now, `"`), now + now, now + ` x`, `"`, `W/`, `*, ` + now, `w/` + now} {
			if got := s.ifMatch(t, odd, changing(path), path, body); got.status != 400 || got.faults() != "2005" {
				t.Errorf("%s with %q: %s", path, odd, got.body)
			}
		}
		if s.Registry.Revision() != before {
			t.Errorf("%s: a refused request changed something", path)
		}
		for _, good := range []string{"*", "NOW, " + tag, ` , "a,b" ,, NOW`} {
			good = strings.Replace(good, "NOW", now, 1)
			changed := s.ifMatch(t, good, changing(path), path, body)
			if changed.status != 200 {
				t.Errorf("%s with %q: %s", path, good, changed.body)
			}
			now = changed.header.Get("ETag")
		}
	}
}

// A switch keeps to the tag of what it switches, and changes it.
func TestSwitchIfMatch(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := outgoingPath(zoneOne)
	s.must(t, "POST", path, s.outgoingBody("example.org"))
	for _, verb := range []string{"/enable", "/disable"} {
		tag, before := s.send(t, "GET", path, "").header.Get("ETag"), s.Registry.Revision()
		if got := s.ifMatch(t, `"1000000"`, "POST", path+verb, ""); got.status != 412 || got.faults() != "2330" || s.Registry.Revision() != before {
			t.Errorf("%s: %s", verb, got.body)
		}
		if got := s.ifMatch(t, tag, "POST", path+verb, ""); got.status != 200 {
			t.Errorf("%s: %s", verb, got.body)
		}
		if got := s.ifMatch(t, tag, "POST", path+verb, ""); got.status != 412 {
			t.Errorf("%s again: %s", verb, got.body)
		}
	}
}

// A deletion keeps to the tag as well.
func TestDeleteIfMatch(t *testing.T) {
	t.Parallel()
	s := seed(t)
	_, token := s.tokenAndID(t, callers["edit"])
	s.must(t, "POST", outgoingPath(zoneOne), s.outgoingBody("example.org"))
	for _, path := range []string{
		incomingPath(zoneOne), outgoingPath(zoneOne), "/zones/" + s.must(t, "POST", "/zones", `{"name":"a.example","account":{"id":"`+accountA+`"}}`),
		peersPath + "/" + s.peer, tsigsPath + "/" + s.key, aclsPath + "/" + s.acl, tokensPath + "/" + token,
	} {
		tag, before := s.send(t, "GET", path, "").header.Get("ETag"), s.Registry.Revision()
		if got := s.ifMatch(t, `"1000000"`, "DELETE", path, ""); got.status != 412 || got.faults() != "2330" || s.Registry.Revision() != before {
			t.Errorf("%s: %s", path, got.body)
		}
		if got := s.ifMatch(t, tag, "DELETE", path, ""); got.status != 200 {
			t.Errorf("%s: %s", path, got.body)
		}
		// That nothing is there is said as it is without the header.
		if got := s.ifMatch(t, "*", "DELETE", path, ""); got.status != 404 {
			t.Errorf("%s once more: %s", path, got.body)
		}
	}
}

// The tag of a zone as a whole changes with any part of it, the deletion of one
// that was not changed last included; that of another object does not.
func TestTagOfWholeZone(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := "/zones/" + zoneOne
	seen := make(map[string]string)
	for _, step := range []struct {
		method, path, body string
		same               bool
	}{
		{"GET", path, "", false},
		{"PUT", incomingPath(zoneOne), s.zoneBody("example.org."), false},
		{"POST", outgoingPath(zoneOne), s.outgoingBody("example.org"), false},
		{"POST", outgoingPath(zoneOne) + "/enable", "", false},
		{"PATCH", path, `{"paused":true}`, false},
		{"PATCH", path, `{}`, true},
		{"PUT", peersPath + "/" + s.bare, `{"name":"other"}`, true},
		{"PUT", incomingPath(zoneOne) + "/settings", `{}`, false},
		{"DELETE", outgoingPath(zoneOne), "", false},
		{"DELETE", incomingPath(zoneOne), "", false},
	} {
		s.must(t, step.method, step.path, step.body)
		tag := s.send(t, "GET", path, "").header.Get("ETag")
		if before, ok := seen[tag]; ok != step.same {
			t.Errorf("after %s %s the tag is %s, as after %q", step.method, step.path, tag, before)
		}
		seen[tag] = step.method + " " + step.path
	}
}

// Where nothing is there yet, nothing is what a creation could be meant for.
func TestCreateIfMatch(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for path, body := range map[string]string{incomingPath(zoneTwo): s.zoneBody("a.example"), outgoingPath(zoneTwo): s.outgoingBody("a.example")} {
		if got := s.ifMatch(t, "*", "POST", path, body); got.status != 412 {
			t.Error(got.body)
		}
		r := s.request(t, "POST", path, body)
		r.Header.Set("If-None-Match", "*")
		made := s.do(t, r)
		if made.status != 200 {
			t.Error(made.body)
		}
		for _, excluded := range []string{"*", "W/" + made.header.Get("ETag")} {
			r := s.request(t, "PUT", path, body)
			r.Header.Set("If-None-Match", excluded)
			if got := s.do(t, r); got.status != 412 {
				t.Errorf("%s: %s", excluded, got.body)
			}
		}
		r = s.request(t, "PUT", path, body)
		r.Header.Set("If-None-Match", `"1000000"`)
		if got := s.do(t, r); got.status != 200 {
			t.Error(got.body)
		}
	}
}

// Tags don't tell an account how many changes the others make.
func TestTagsTellNothing(t *testing.T) {
	t.Parallel()
	s := seed(t)
	tag := s.send(t, "GET", incomingPath(zoneOne), "").header.Get("ETag")
	zone, _ := s.Registry.Zone(zoneOne)
	if len(tag) != 2+2*tagLength || strings.Contains(tag, fmt.Sprintf(`"%d"`, zone.Revision)) {
		t.Errorf("the tag of revision %d is %s", zone.Revision, tag)
	}
	if other := newWorld(t).entityTag(zone.Revision); other == tag {
		t.Errorf("another run has the tag %s too", other)
	}
	if a, b := s.entityTag(1, 0), s.entityTag(0, 1); a == b || s.entityTag(0, 0) != "" {
		t.Errorf("parts are mixed up: %s, %s", a, b)
	}
}

// What moves by itself is no change.
func TestTagStandsForTheConfiguration(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for _, path := range []string{incomingPath(zoneOne), "/zones/" + zoneOne} {
		tag := s.send(t, "GET", path, "").header.Get("ETag")
		s.mu.Lock()
		s.statuses[zoneOne] = Status{State: "serving", Serial: s.statuses[zoneOne].Serial + 1, Checked: s.now}
		s.mu.Unlock()
		if got := s.send(t, "GET", path, "").header.Get("ETag"); got != tag {
			t.Errorf("%s: %s became %s", path, tag, got)
		}
	}
}

// A configuration that was restored gets the same revisions again, for other changes:
// the tags of before mean nothing to it.
func TestTagsOfARestoredConfiguration(t *testing.T) {
	t.Parallel()
	dir, backup := t.TempDir(), t.TempDir()
	var path string
	run := func(dir, change, tag string) answer {
		t.Helper()
		reg, err := registry.Open(registry.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		w := newWorld(t, func(o *Options) { o.Registry = reg })
		if path == "" {
			var made struct{ ID string }
			w.mustAs(t, testToken, "POST", peersPath, `{"name":"n"}`).result(t, &made)
			path = peersPath + "/" + made.ID
			return answer{}
		}
		changed := w.mustAs(t, testToken, "PUT", path, change)
		if tag != "" {
			return w.ifMatch(t, tag, "PUT", path, change)
		}
		return changed
	}
	run(dir, "", "")
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	changed := run(dir, `{"name":"before"}`, "")
	if got := run(backup, `{"name":"after"}`, changed.header.Get("ETag")); got.status != http.StatusPreconditionFailed {
		t.Errorf("got %d %s, want 412: the tag is of another change", got.status, got.body)
	}
}

// Writers that read, change and put back under the tag lose no update, however
// many there are.
func TestNoUpdateIsLost(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := incomingPath(zoneOne) + "/settings"
	s.must(t, "PUT", path, `{"max_shrink_percent":0}`)
	const writers, each = 4, 20
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				read := s.send(t, "GET", path, "")
				var settings zoneSettings
				if err := json.Unmarshal(read.env.Result, &settings); err != nil {
					t.Error(err)
					return
				}
				got := s.ifMatch(t, read.header.Get("ETag"), "PUT", path, fmt.Sprintf(`{"max_shrink_percent":%d}`, *settings.MaxShrink+1))
				switch got.status {
				case http.StatusOK:
					done++
				case http.StatusPreconditionFailed:
				default:
					t.Error(got.body)
					return
				}
			}
		})
	}
	wg.Wait()
	want := fmt.Sprintf(`{"max_shrink_percent":%d}`, writers*each)
	if diff := cmp.Diff(want, string(s.send(t, "GET", path, "").env.Result)); diff != "" {
		t.Error(diff)
	}
}
