package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secondaryd/zonestore/registry"
)

// audited makes a configuration with a history, and a file of settings for it.
// The clock moves by an hour with each change.
func audited(t *testing.T) (config, dir string) {
	t.Helper()
	base := t.TempDir()
	config, dir = filepath.Join(base, "secondaryd.yaml"), filepath.Join(base, "data")
	if err := os.WriteFile(config, []byte("data_dir: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r, err := registry.Open(registry.Options{Dir: dir, Now: func() time.Time {
		now = now.Add(time.Hour)
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	alice := registry.WithActor(t.Context(), registry.Actor{
		Token: "0123", TokenName: "alice\x1b[2J", Client: "192.0.2.9", Request: "r1", Method: "PUT", Route: "/zones/:zone_id",
	})
	key := registry.TSIG{ID: "k1", Account: testAccount, Name: "key.test.", Algorithm: "hmac-sha256.", Secret: "bm90IHRvIGJlIHNlZW4="}
	zone := registry.Zone{ID: zoneID, Name: "Example.test.", AutoRefresh: 3600, Peers: []string{peerID}}
	peer := registry.Peer{ID: peerID, Account: testAccount, Name: "primary", IP: new("192.0.2.53"), TSIG: new("k1")}
	for _, change := range []func(tx *registry.Tx) error{
		func(tx *registry.Tx) error { return errors.Join(tx.PutTSIG(key), tx.PutPeer(peer)) },
		func(tx *registry.Tx) error { return tx.PutZone(zone) },
		func(tx *registry.Tx) error { zone.AutoRefresh = 7200; return tx.PutZone(zone) },
		func(tx *registry.Tx) error { key.Secret = "YW5vdGhlciBvbmU="; return tx.PutTSIG(key) },
		func(tx *registry.Tx) error { return tx.PutZone(zone) },
		func(tx *registry.Tx) error { return tx.DeleteZone(zoneID) },
	} {
		if err := r.Update(alice, change); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return config, dir
}

func TestAudit(t *testing.T) {
	t.Parallel()
	config, _ := audited(t)
	for _, test := range []struct {
		args string
		code int
		want []string // lines, or the error
	}{
		{"", 0, []string{"key.test. (k1)", "primary", "created", "3600 → 7200", "secret: *** → ***", "put again as it was", "deleted"}},
		{"--zone example.TEST", 0, []string{"created", "3600 → 7200", "put again as it was", "deleted"}},
		{"--zone " + zoneID, 0, []string{"created", "3600 → 7200", "put again as it was", "deleted"}},
		{"--zone k1", exitNotFound, []string{`"k1"`}},
		{"--id k1", 0, []string{"created", "secret: *** → ***"}},
		{"--id none", exitNotFound, []string{`"none"`}},
		{"--since 2026-01-02T07:30:00Z", 0, []string{"put again as it was", "deleted"}},
		{"--since 2026-01-02T08:00:00+01:00 --id k1", 0, []string{"secret: *** → ***"}},
		{"--since yesterday", exitUsage, []string{"2026-11-28"}},
		{"-o yaml", exitUsage, []string{"neither table nor json"}},
		{"x", exitUsage, []string{"unexpected argument"}},
	} {
		out, err := execute("", append([]string{"audit", "--config", config}, strings.Fields(test.args)...)...)
		if exitCode(err) != test.code && (err != nil || test.code != 0) {
			t.Errorf("%s: exit code %d, %v", test.args, exitCode(err), err)
			continue
		}
		text := out
		if err != nil {
			text = err.Error()
		}
		rest := text
		for _, want := range test.want {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%s: want %q, then %q, in\n%s", test.args, test.want, want, text)
				break
			}
			rest = after
		}
		if strings.Contains(text, "bm90IHR") || strings.Contains(text, "YW5vdGh") || strings.Contains(text, "\x1b") {
			t.Errorf("%s: shows what it must not:\n%q", test.args, text)
		}
		if lines := strings.Count(out, "alice"); err == nil && test.args != "" && lines != len(test.want) {
			t.Errorf("%s: %d lines, want %d:\n%s", test.args, lines, len(test.want), out)
		}
	}
}

func TestAuditJSON(t *testing.T) {
	t.Parallel()
	config, _ := audited(t)
	out, err := execute("", "audit", "--config", config, "--id", zoneID, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var lines []auditLine
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var line auditLine
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if len(lines) != 4 || lines[0].Actor.Token != "0123" || lines[0].Actor.Route != "/zones/:zone_id" {
		t.Fatalf("got %s", out)
	}
	change := lines[1].Changes[0]
	delete(change.Before, "modified")
	delete(change.After, "modified")
	want := auditChange{"zone", zoneID, "changed", map[string]any{"auto_refresh": 3600.0}, map[string]any{"auto_refresh": 7200.0}}
	if diff := cmp.Diff(want, change); diff != "" {
		t.Error(diff)
	}
	for i, action := range []string{"created", "changed", "changed", "deleted"} {
		if got := lines[i].Changes[0]; got.Action != action || len(got.After) == 0 != (action == "deleted") {
			t.Errorf("line %d: %+v", i, got)
		}
	}
}

// What can't be read is said, and the rest shown.
func TestAuditOfADamagedLog(t *testing.T) {
	t.Parallel()
	config, dir := audited(t)
	log := filepath.Join(dir, "audit", "00000001.log")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	damage := func(octets []byte) (out, notes string, err error) {
		t.Helper()
		if err := os.WriteFile(log, octets, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		q := auditQuery{config: config, output: outputTable}
		err = q.run(&stdout, &stderr, time.Now())
		return stdout.String(), stderr.String(), err
	}
	inner := bytes.Replace(whole, []byte(`"auto_refresh":7200`), []byte(`"auto_refresh":7201`), 1)
	out, notes, err := damage(inner)
	if exitCode(err) != exitError || !strings.Contains(notes, log) || !strings.Contains(notes, "revisions 3 to 3 are not in the log") || !strings.Contains(out, "deleted") || strings.Contains(out, "7201") {
		t.Errorf("%v\n%s\n%s", err, notes, out)
	}
	out, notes, err = damage(whole[:len(whole)-5])
	if err != nil || !strings.Contains(notes, "no whole record") || strings.Contains(out, "deleted") {
		t.Errorf("%v\n%s\n%s", err, notes, out)
	}
	if err := os.RemoveAll(filepath.Dir(log)); err != nil {
		t.Fatal(err)
	}
	q := auditQuery{config: config, output: outputTable}
	if err := q.run(&bytes.Buffer{}, &bytes.Buffer{}, time.Now()); exitCode(err) != exitError || !strings.Contains(err.Error(), dir) {
		t.Errorf("without a log: %v", err)
	}
}

// A change that a crash kept from the log is shown, by nobody.
func TestAuditOfAnUnloggedChange(t *testing.T) {
	t.Parallel()
	config, dir := audited(t)
	log := filepath.Join(dir, "audit", "00000001.log")
	whole, err := os.ReadFile(log)
	if err == nil {
		err = os.WriteFile(log, whole[:len(whole)-5], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(registry.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string][]string{
		"table": {"6-6", "unknown", "zone Example.test. (" + zoneID + ")", "deleted"},
		"json":  {`{"revision":6,"missing":6,"changes":[{"kind":"zone"`, `"action":"deleted"`},
	} {
		var out, notes bytes.Buffer
		q := auditQuery{config: config, output: format, zone: "example.test"}
		if err := q.run(&out, &notes, time.Now()); err != nil || !strings.Contains(notes.String(), "revisions 6 to 6") {
			t.Errorf("%s: %v, %s", format, err, notes.String())
		}
		rest := out.String()
		for _, text := range want {
			_, after, ok := strings.Cut(rest, text)
			if !ok {
				t.Errorf("%s: want %q in\n%s", format, text, out.String())
			}
			rest = after
		}
	}
}
