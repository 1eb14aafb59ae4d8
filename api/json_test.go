package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhole(t *testing.T) {
	t.Parallel()
	for number, want := range map[string][3]any{
		"300": {int64(300), true, true}, "300.0": {int64(300), true, true}, "3e2": {int64(300), true, true},
		"3E+2": {int64(300), true, true}, "30000e-2": {int64(300), true, true}, "0.3e3": {int64(300), true, true},
		"0": {int64(0), true, true}, "-0": {int64(0), true, true}, "0.000": {int64(0), true, true}, "0e99": {int64(0), true, true},
		"-300": {int64(-300), true, true}, "0.5": {int64(0), false, false}, "3e-1": {int64(0), false, false},
		"1e18": {int64(0), true, false}, "1e99999999999999999999": {int64(0), true, false},
		"1e-99999999999999999999": {int64(0), false, false}, "123456789012345678": {int64(123456789012345678), true, true},
		"300.00000000000000000000000000000000001": {int64(0), false, false},
	} {
		n, isWhole, fits := whole(number)
		if diff := cmp.Diff(want, [3]any{n, isWhole, fits}); diff != "" {
			t.Errorf("%s: %s", number, diff)
		}
	}
}

func TestPointer(t *testing.T) {
	t.Parallel()
	if got := pointer("a/b", "c~d", "0"); got != "/a~1b/c~0d/0" {
		t.Error(got)
	}
}

// plain turns a value into what encoding/json makes of the same text.
func (v value) plain() any {
	switch v.kind {
	case kindBool:
		return v.text == "true"
	case kindNumber:
		return json.Number(v.text)
	case kindString:
		return v.text
	case kindList:
		list := make([]any, len(v.list))
		for i, entry := range v.list {
			list[i] = entry.plain()
		}
		return list
	case kindObject:
		object := make(map[string]any)
		for name, member := range v.members {
			object[name] = member.plain()
		}
		return object
	default:
		return nil
	}
}

// What parseJSON takes, encoding/json takes too and reads the same. The other
// way round parseJSON may only be stricter on purpose.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,2.5e-3,-0,true,false,null,"\u00e9\ud83d\ude00\n"]}`, ` [ ] `, `"\ud800"`, "\"\xff\"", `01`, `1.`, `-`, `{"a":1,"a":2}`,
		`{"a"}`, `[1,]`, "\"\x01\"", `nul`, `"\x"`, `"\u12g4"`, "\ufeff{}", `{} {}`, `"\u0000"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parseJSON(data, maxWeight)
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var want any
		wantErr := decoder.Decode(&want)
		if err == nil {
			if wantErr != nil {
				t.Fatalf("%q is taken, and %v", data, wantErr)
			}
			if diff := cmp.Diff(want, v.plain()); diff != "" {
				t.Fatalf("%q: %s", data, diff)
			}
			return
		}
		message := err.Error()
		for _, strict := range []string{"UTF-8", "surrogate", "twice", "nested", "after the end", "more values"} {
			if strings.Contains(message, strict) {
				return
			}
		}
		if json.Valid(data) {
			t.Fatalf("%q is JSON, but %v", data, err)
		}
	})
}

// No body makes the server fail or leave the envelope.
func FuzzBody(f *testing.F) {
	s := seed(f)
	for _, body := range []string{
		s.zoneBody("a.example"), `{"name":"n","ip":"192.0.2.1","port":53,"ixfr_enable":true,"tsig_id":"` + s.key + `"}`,
		`{"name":"k","algo":"hmac-sha256","secret":"c2VjcmV0"}`, `{"name":"n","ip_range":"192.0.2.0/24"}`,
		`{"peers":[{}],"auto_refresh_seconds":1e400}`, `null`, ``, `{"name":"\ud83d"}`,
	} {
		f.Add(uint8(0), body)
	}
	const bulk = 18 // POST of the last path
	f.Add(uint8(bulk), `{"delete":[{"name":"example.org"},{"id":"x"},7],"create":[`+s.zoneBody("b.example")+`,{"id":"y"}]}`)
	paths := []string{
		incomingPath(zoneOne), incomingPath(zoneTwo), forcePath(zoneOne), peersPath, peersPath + "/" + s.peer,
		tsigsPath, tsigsPath + "/" + s.key, aclsPath, aclsPath + "/" + s.acl, bulkOfA,
	}
	f.Fuzz(func(t *testing.T, choice uint8, body string) {
		path := paths[int(choice/2)%len(paths)]
		method := []string{"POST", "PUT"}[choice%2]
		if got := s.send(t, method, path, body); got.status >= 500 {
			t.Fatalf("%s %s %q: %s", method, path, body, got.body)
		}
	})
}
