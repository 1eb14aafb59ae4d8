package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secondaryd/internal/apiclient"
)

// write makes a file of a test.
func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadImport(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want []importRow
		bad  string // what is said of a file that can't be read, with commas between
	}{
		{
			"name,peers,refresh,id\na.test,primary,3600,one\n# a remark\nb.test., primary ; second ,15m,\n",
			[]importRow{{2, "a.test", "one", []string{"primary"}, 3600}, {4, "b.test.", "", []string{"primary", "second"}, 900}},
			"",
		},
		{"refresh,name\n,a.test\n", []importRow{{line: 2, name: "a.test"}}, ""},
		{"name\na.test\n\nb.test", []importRow{{line: 2, name: "a.test"}, {line: 4, name: "b.test"}}, ""},
		{
			`{"name":"a.test","peers":["p"],"auto_refresh_seconds":600,"id":"x","of_tomorrow":1}` + "\n\n" + `{"name":"b.test"}`,
			[]importRow{{1, "a.test", "x", []string{"p"}, 600}, {line: 3, name: "b.test"}},
			"",
		},
		{"", nil, "name the columns"},
		{"a.test,primary\n", nil, `name the columns|"a.test"`},
		{"peers\nx\n", nil, "no column name"},
		{"name,refresh\na.test,x\nb.test,1500ms\n,1\nc.test,1\nC.test.,2\n", nil, `line 2: refresh "x"|line 3: refresh "1500ms"|line 4: the zone has no name|line 6: C.test. is in line 5 already`},
		{"name,id\na.test,no id\n", nil, `line 2: "no id" can't be an id`},
		{"name\na.test,b\n", nil, "line 2|wrong number of fields"},
		{`{"name":1}` + "\n" + `{"name":"a.test"` + "\n", nil, "line 1|line 2"},
		{"{" + strings.Repeat(" ", maxLine) + "}", nil, "longer than"},
		{"name,refresh\n" + strings.Repeat("x,x\n", 30), nil, "and 10 lines more"},
	} {
		got, err := readImport(strings.NewReader(test.text))
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(importRow{})); diff != "" || (err != nil) != (test.bad != "") {
			t.Errorf("%.60q: %v\n%s", test.text, err, diff)
		}
		for text := range strings.SplitSeq(test.bad, "|") {
			if err != nil && (!strings.Contains(err.Error(), text) || exitCode(err) != exitUsage) {
				t.Errorf("%.60q: %v, code %d, want %q", test.text, err, exitCode(err), text)
			}
		}
	}
}

// An import sends what is not there yet; what is, but as a mere name, keeps its id.
func TestImport(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	f.objects["/zones"] = `[{"id":"` + zoneID + `","name":"example.test","status":"active"},{"id":"r","name":"Registered.test","status":"initializing"}]`
	f.answers[bulkPath] = `{"delete":[],"create":[{"id":"n"},{"id":"r"},{"errors":[{"code":2109,"message":"taken","source":{"pointer":"/create/2/name"}}]}]}`
	file := write(t, "name,peers,refresh\nEXAMPLE.test.,,\nnew.test,"+peerID+",\nregistered.test,,600\ntaken.test,tls;primary,\n")
	out, err := f.run("zone", "import", file, "--peer", "primary", "--refresh", "1h")
	want := `{"create":[` +
		`{"auto_refresh_seconds":3600,"name":"new.test","peers":["` + peerID + `"]},` +
		`{"auto_refresh_seconds":600,"id":"r","name":"registered.test","peers":["` + peerID + `"]},` +
		`{"auto_refresh_seconds":3600,"name":"taken.test","peers":["tls","` + peerID + `"]}]}`
	if len(f.sent) != 1 || f.sent[0] != (sentRequest{"POST", bulkPath, want}) {
		t.Errorf("sent %q", f.sent)
	}
	if want := "line 5: taken.test: refused: taken (at /name, code 2109)\nof 4 zones, 2 added, 1 there already, 1 refused\n"; out != want || exitCode(err) != exitRefused {
		t.Errorf("%v, code %d:\n%s", err, exitCode(err), out)
	}
	out, _ = f.run("zone", "import", file, "--peer", "primary", "-o", "json")
	var got []bulkZone
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantZones := []bulkZone{
		{Line: 2, Name: "EXAMPLE.test.", ID: zoneID, Result: outcomeThere},
		{Line: 3, Name: "new.test", ID: "n", Result: outcomeAdded},
		{Line: 4, Name: "registered.test", ID: "r", Result: outcomeAdded},
		{Line: 5, Name: "taken.test", Result: outcomeRefused, Errors: []string{"taken (at /name, code 2109)"}},
	}
	if diff := cmp.Diff(wantZones, got, cmp.AllowUnexported(bulkZone{})); diff != "" {
		t.Error(diff)
	}
}

// What is wrong with a file is said before anything is sent.
func TestImportRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		code int
		text string
	}{
		"name\nnew.test\n": {exitUsage, "line 2: from which primary is new.test"},
		"name,peers\nnew.test,none\nb.test,nothing\n": {exitNotFound, "line 2: there is no peer \"none\"\nline 3: there is no peer \"nothing\""},
		"new.test\n": {exitUsage, "name the columns"},
	} {
		f := newFakeAPI(t)
		_, err := f.run("zone", "import", write(t, text))
		if exitCode(err) != want.code || !strings.Contains(err.Error(), want.text) || len(f.sent) > 0 {
			t.Errorf("%q: %v, code %d, sent %v", text, err, exitCode(err), f.sent)
		}
	}
}

// Many zones go in chunks, and an end midway says how far it came.
func TestImportIsCutShort(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("name\n")
	for i := range bulkChunk + 1 {
		fmt.Fprintf(&text, "zone%d.test\n", i)
	}
	f := newFakeAPI(t)
	full := strings.Repeat(`{"id":"n"},`, bulkChunk-2) + `{"errors":[{"code":2109,"message":"taken"}]}`
	f.answers[bulkPath] = `{"delete":[],"create":[` + full + `,{"errors":[{"code":2402,"message":"no disk"}]}]}`
	out, err := f.run("zone", "import", write(t, text.String()), "--peer", "primary")
	if len(f.sent) != 1 || exitCode(err) != exitError || out != "" || !strings.Contains(err.Error(), "no disk") ||
		!strings.Contains(err.Error(), "of 1001 zones, 998 added, 1 refused, 2 not done; the same command may be given again") {
		t.Errorf("%d requests, code %d, %v, %q", len(f.sent), exitCode(err), err, out)
	}
}

// Zones that are removed together are found in one list, whatever their account.
func TestRemoveMany(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	zone := func(id, name, account string) string {
		return `{"id":"` + id + `","name":"` + name + `","account":{"id":"` + account + `"}}`
	}
	f.objects["/zones"] = "[" + zone("1", "a.test", testAccount) + "," + zone("2", "b.test", "other") + "," + zone("3", "c.test", testAccount) + "," +
		zone("b.test", "d.test", testAccount) + "]"
	f.answers[bulkPath] = `{"delete":[{"id":"1"},{"id":"3"}],"create":[]}`
	f.answers[strings.Replace(bulkPath, testAccount, "other", 1)] = `{"delete":[{"errors":[{"code":1001,"message":"gone"}]}],"create":[]}`
	out, err := execute("# some\n 3 \n\nnone.test\n1\n", "zone", "rm", "A.test.", "2", "a.test", "--file", "-", "--url", f.URL, "--token", testToken)
	var sent []string
	for _, s := range f.sent {
		sent = append(sent, s.path+" "+s.body)
	}
	want := []string{
		bulkPath + ` {"delete":[{"id":"1"},{"id":"3"}]}`,
		strings.Replace(bulkPath, testAccount, "other", 1) + ` {"delete":[{"id":"2"}]}`,
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	if want := "2: refused: gone (code 1001)\nline 4: none.test: not found\nof 4 zones, 2 removed, 1 not found, 1 refused\n"; out != want || exitCode(err) != exitRefused {
		t.Errorf("%v, code %d:\n%s", err, exitCode(err), out)
	}
	if _, err := f.run("zone", "rm", "a.test", "b.test"); exitCode(err) != exitUsage || len(f.sent) != 2 {
		t.Errorf("a name and an id of two zones: %v", err)
	}
}

// A file is there as a whole or as it was.
func TestWriteWhole(t *testing.T) {
	t.Parallel()
	path := write(t, "before")
	failed := errors.New("cut off")
	err := writeWhole(path, 0o644, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 1<<16))
		return failed
	})
	if text, _ := os.ReadFile(path); !errors.Is(err, failed) || string(text) != "before" {
		t.Errorf("%v, the file has %.10q", err, text)
	}
	link := filepath.Join(filepath.Dir(path), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(link, 0o640, func(w io.Writer) error { _, err := io.WriteString(w, "after"); return err }); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	info, err := os.Stat(path)
	if err != nil || string(text) != "after" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q, %v, %v", text, info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A new token is shown once, or only in a file for its owner.
func TestTokenValue(t *testing.T) {
	t.Parallel()
	const value = "secondaryd_x_secret"
	f := newFakeAPI(t)
	f.answers["/secondaryd/tokens"] = `{"id":"x","name":"n","scope":"admin","status":"active","issued_on":"2026-01-02T03:04:05Z","value":"` + value + `"}`
	if out, err := f.run("token", "add", "n", "--scope", "admin"); err != nil || !strings.Contains(out, value) {
		t.Errorf("%v: %s", err, out)
	}
	file := filepath.Join(t.TempDir(), "token")
	for _, form := range []string{"table", "json"} {
		out, err := f.run("token", "add", "n", "--scope", "admin", "--value-file", file, "-o", form)
		text, _ := os.ReadFile(file)
		info, statErr := os.Stat(file)
		if err != nil || strings.Contains(out, value) || !strings.Contains(out, "admin") || string(text) != value+"\n" || statErr != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %q in the file, %v: %s", err, text, statErr, out)
		}
	}
	if _, err := f.run("token", "add", "n", "--scope", "admin", "--value-file", filepath.Join(file, "x")); err == nil || len(f.sent) != 3 {
		t.Errorf("a file that can't be: %v, %d tokens made", err, len(f.sent))
	}
}

func TestExpiryOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"1d": now.AddDate(0, 0, 1), "12h": now.Add(12 * time.Hour), "2027-01-02T03:04:05+01:00": now.AddDate(1, 0, 0).Add(-time.Hour),
		"0d": {}, "-1d": {}, "0s": {}, "d": {}, "99999999999d": {}, "2027-01-02": {}, "": {},
	} {
		if got, err := expiryOf(text, now); !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// The steps of a diagnosis, with what to do about those that failed.
func TestDiagnosisInWords(t *testing.T) {
	t.Parallel()
	f := newFakeAPI(t)
	step := apiclient.DiagnosisStep{Name: "tcp", Result: "failed", Cause: "connection refused", Detail: "connect: refused\x1b", Advice: "start the primary", Seconds: 0.0015}
	d := apiclient.Diagnosis{ID: zoneID, Name: "example.test.", Peers: []apiclient.PeerDiagnosis{
		{ID: peerID, Address: "192.0.2.53:5353", Result: "failed", Summary: "tcp: connection refused", Steps: []apiclient.DiagnosisStep{
			{Name: "address", Result: "ok"}, step, {Name: "of_tomorrow", Result: "skipped"},
		}},
		{ID: "tls", Result: "ok", Summary: "nothing is wrong"},
	}}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	f.answers[apiclient.DiagnosePath(zoneID)] = string(text)
	out, err := f.run("zone", "diagnose", "example.test")
	golden(t, "diagnosis.txt", out)
	if exitCode(err) != exitError || !strings.Contains(err.Error(), "192.0.2.53:5353: tcp: connection refused") {
		t.Errorf("got %v", err)
	}
	event := apiclient.StepEvent{Peer: peerID, Address: "192.0.2.53:5353", DiagnosisStep: step}
	if got, want := stepText(event, map[string]string{peerID: "primary"}), "primary: connection by TCP failed: connect: refused?"; got != want {
		t.Errorf("a step as it is done: %q, want %q", got, want)
	}
}
