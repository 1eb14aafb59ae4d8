package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secondaryd/test/harness"
)

// TestConfigurationIsRebuilt kills the daemon, spoils config.db or takes it away,
// and wants the daemon to come back with all it knew, and to say what happened.
func TestConfigurationIsRebuilt(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, key.Name, lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	want := d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), &key))
	serial := uint32(1)
	harness.WaitSerial(t, d.DNS, zoneName, serial)
	config := filepath.Join(d.DataDir, "config.db")
	for what, spoil := range map[string]func() error{
		"spoilt": func() error { return os.Truncate(config, 8192) },
		"gone":   func() error { return os.Remove(config) },
	} {
		d.Kill()
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		from := d.Log.Len()
		d.Start(t)
		line := d.Log.WaitFrom(t, from, mentions("rebuilt from the audit log"), "what happened")
		if line.Text("level") != "error" {
			t.Errorf("%s: said as %v", what, line)
		}
		if diff := cmp.Diff(want, d.Client.GetIncoming(t, zoneName), configured); diff != "" {
			t.Errorf("%s (-before +after):\n%s", what, diff)
		}
		harness.WaitSerial(t, d.DNS, zoneName, serial)
		// The key's secret is the same too: a transfer works.
		serial = u.bump(t, zoneName)
		d.Client.ForceAXFR(t, zoneName)
		harness.WaitSerial(t, d.DNS, zoneName, serial)
	}
}

// TestKill9WhileWritten kills the daemon while clients write, and wants all that
// was acknowledged from each copy alone.
func TestKill9WhileWritten(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "error"})
	known := map[string]harness.Peer{}
	for round := range 3 {
		for _, p := range writeUntilKilled(t, d, round) {
			known[p.ID] = p
		}
		log := filepath.Join(d.DataDir, "audit")
		for _, lost := range []string{filepath.Join(d.DataDir, "config.db"), log} {
			if err := os.RemoveAll(lost); err != nil {
				t.Fatal(err)
			}
			d.Start(t)
			for _, p := range peersOf(t, d) {
				if want, ok := known[p.ID]; ok && p != want {
					t.Errorf("got %+v, want %+v", p, want)
				}
				delete(known, p.ID)
			}
			if len(known) > 0 {
				t.Fatalf("round %d: without %s %d peers are gone that were acknowledged", round, lost, len(known))
			}
			for _, p := range peersOf(t, d) {
				known[p.ID] = p
			}
			d.Kill()
		}
		d.Start(t)
	}
}

// writeUntilKilled has clients create peers, kills the daemon amidst that, and
// returns what was acknowledged.
func writeUntilKilled(t *testing.T, d *harness.Daemon, round int) (acknowledged []harness.Peer) {
	t.Helper()
	const clients, enough = 4, 60
	made := make(chan harness.Peer)
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			for n := 0; ; n++ {
				a, err := d.Client.Do(http.MethodPost, peersPath, harness.Peer{Name: fmt.Sprintf("p%d-%d-%d", round, i, n), IP: "192.0.2.1", Port: 53})
				var p harness.Peer
				if err != nil || json.Unmarshal(a.Result, &p) != nil || a.Status != http.StatusOK {
					return
				}
				made <- p
			}
		})
	}
	go func() {
		running.Wait()
		close(made)
	}()
	var killed sync.WaitGroup
	for p := range made {
		if acknowledged = append(acknowledged, p); len(acknowledged) == enough {
			killed.Go(d.Kill)
		}
	}
	if killed.Wait(); len(acknowledged) < enough {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}
	return acknowledged
}

const peersPath = "/accounts/" + harness.AccountID + "/secondary_dns/peers"

func peersOf(t *testing.T, d *harness.Daemon) (peers []harness.Peer) {
	t.Helper()
	a, err := d.Client.Do(http.MethodGet, peersPath, nil)
	if err == nil {
		err = json.Unmarshal(a.Result, &peers)
	}
	if err != nil {
		t.Fatal(err)
	}
	return peers
}

// TestBackupOfTheLog copies the audit log while the daemon runs, and starts
// another daemon from the copy and the key.
func TestBackupOfTheLog(t *testing.T) {
	t.Parallel()
	keyFile := filepath.Join(t.TempDir(), "secrets.key")
	options := harness.DaemonOptions{Config: fmt.Sprintf("secrets_key: %q", keyFile)}
	d := harness.StartDaemon(t, options)
	want := d.Zone(t, zoneName, d.Peer(t, "nowhere", harness.FreeAddr(t), &key))
	backup := os.DirFS(filepath.Join(d.DataDir, "audit"))

	other := harness.StartDaemon(t, options)
	other.Stop(t)
	audit := filepath.Join(other.DataDir, "audit")
	for _, path := range []string{audit, filepath.Join(other.DataDir, "config.db")} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(audit, backup); err != nil {
		t.Fatal(err)
	}
	other.Start(t)
	if diff := cmp.Diff(want, other.Client.GetIncoming(t, zoneName), configured); diff != "" {
		t.Errorf("restored (-saved +restored):\n%s", diff)
	}
}

// TestSecretsAreEncrypted looks for the secret of a key in every file of the
// daemon.
func TestSecretsAreEncrypted(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Peer(t, "p", harness.FreeAddr(t), &key)
	clear, err := base64.StdEncoding.DecodeString(key.Secret)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(d.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(key.Secret)) || bytes.Contains(data, clear) {
			t.Errorf("the secret lies in clear in %s", path)
		}
		if bytes.Contains(data, []byte(strings.TrimSuffix(key.Name, "."))) {
			seen++
		}
		return err
	})
	if err != nil || seen < 2 {
		t.Errorf("the key lies in %d files, %v, want both copies of the configuration", seen, err)
	}
}

// TestAuditCommand asks who changed what while the daemon runs.
func TestAuditCommand(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	in := d.Zone(t, zoneName, d.Peer(t, "p", harness.FreeAddr(t), nil))
	in.AutoRefreshSeconds = 777
	d.Client.PutIncoming(t, in)
	out := cliOf(t, d).must(t, "audit", "--zone", zoneName)
	for _, text := range []string{"bootstrap", "127.0.0.1", "PUT /zones/:zone_id/secondary_dns/incoming", "auto_refresh: 86400 → 777"} {
		if !strings.Contains(out, text) {
			t.Errorf("want %s in\n%s", text, out)
		}
	}
	if strings.Contains(out, "peer p ") {
		t.Errorf("asked for one zone, got\n%s", out)
	}
}
