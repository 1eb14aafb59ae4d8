package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// TestRefusesSecondInstance starts a second daemon on the first one's ports, and
// on its data.
func TestRefusesSecondInstance(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	for _, tt := range []struct {
		name                string
		dns, api, data, say string
	}{
		{"DNS address", d.DNS.String(), harness.FreeAddr(t).String(), t.TempDir(), d.DNS.String()},
		{"API address", harness.FreeAddr(t).String(), d.API.String(), t.TempDir(), d.API.String()},
		{"data_dir", harness.FreeAddr(t).String(), harness.FreeAddr(t).String(), d.DataDir, d.DataDir},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "second.yaml")
			text := fmt.Sprintf("data_dir: %q\ndns:\n  listen: [%q]\napi:\n  listen: %q\n", tt.data, tt.dns, tt.api)
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code := runToEnd(t, d.Command(t, config))
			if code == 0 || !strings.Contains(out, tt.say) || strings.Contains(out, "goroutine ") {
				t.Errorf("exit code %d, want another than 0 and a message with %s:\n%s", code, tt.say, out)
			}
			if !d.Running() || !d.Client.Ready() {
				t.Error("the first daemon suffers from it")
			}
		})
	}
}

// runToEnd waits for a command that should end by itself, 15 seconds at most.
func runToEnd(t *testing.T, cmd *exec.Cmd) (output string, code int) {
	t.Helper()
	timer := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return string(out), code
	}
	t.Fatalf("did not end by itself: %v\n%s", err, out)
	return "", 0
}

func TestSignalTERM(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	begin := time.Now()
	d.Stop(t)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("an idle daemon took %v to end", took)
	}
}

// TestSignalHUP starts with few log lines, turns on more, and changes a key that
// needs a restart.
func TestSignalHUP(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "error"})
	d.Zone(t, zoneName, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	// A version is served before the log says so: the first is over for certain when
	// the second is there.
	second := u.announce(t, d, zoneName)
	harness.WaitSerial(t, d.DNS, zoneName, second)

	d.Options.LogLevel = "info"
	d.Options.Config = "shutdown_timeout: 3s"
	d.WriteConfig(t)
	d.Signal(syscall.SIGHUP)
	d.WaitLog(t, mentions("shutdown_timeout"), "the key that needs a restart")
	transferred := func(serial uint32) func(harness.Entry) bool {
		return func(e harness.Entry) bool {
			return event("zone transferred", zoneName)(e) && e.Text("serial") == fmt.Sprint(serial)
		}
	}
	if early := d.Log.Find(0, transferred(1)); len(early) > 0 {
		t.Errorf("level error logs %v", early)
	}
	serial := u.announce(t, d, zoneName)
	harness.WaitSerial(t, d.DNS, zoneName, serial)
	d.WaitLog(t, transferred(serial), "zone transferred")

	// A bad file changes nothing and is named.
	from := d.Log.Len()
	d.Options.Config = "no_such_key: 1"
	d.WriteConfig(t)
	d.Signal(syscall.SIGHUP)
	d.Log.WaitFrom(t, from, mentions("no_such_key"), "the unknown key")
	if !d.Client.Ready() {
		t.Error("not ready after a bad reload")
	}
	d.Stop(t)
}

// mentions matches lines that have the text in any field.
func mentions(text string) func(harness.Entry) bool {
	return func(e harness.Entry) bool {
		line, err := json.Marshal(e)
		return err == nil && strings.Contains(string(line), text)
	}
}

// TestTokenMade starts without a token anywhere.
func TestTokenMade(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{NoToken: true})
	path := d.DataDir + string(filepath.Separator)
	line := d.WaitLog(t, func(e harness.Entry) bool {
		return strings.Contains(e.Message(), "token") && pathIn(e, path) != ""
	}, "where the token is")
	file := pathIn(line, path)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("token file has mode %v, %v, want 0600", info.Mode(), err)
	}
	made := strings.TrimSpace(string(text))
	if len(made) < 20 {
		t.Errorf("token has only %d characters", len(made))
	}
	if lines := d.Log.Find(0, mentions(made)); len(lines) > 0 {
		t.Errorf("the token is logged: %v", lines)
	}
	wantStatus(t, d, "", http.StatusUnauthorized)
	wantStatus(t, d, made+"x", http.StatusUnauthorized)
	wantStatus(t, d, made, http.StatusOK)
	d.Restart(t)
	wantStatus(t, d, made, http.StatusOK)
}

// pathIn is the field of the line that is a file below dir.
func pathIn(line harness.Entry, dir string) string {
	for field := range line {
		if text := line.Text(field); strings.HasPrefix(text, dir) {
			return text
		}
	}
	return ""
}

// wantStatus asks for the list of peers with a token.
func wantStatus(t *testing.T, d *harness.Daemon, token string, want int) {
	t.Helper()
	c := harness.Client{Base: d.Client.Base, Token: token}
	a, err := c.Do(http.MethodGet, "/accounts/"+harness.AccountID+"/secondary_dns/peers", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != want || a.Success != (want == http.StatusOK) || (len(a.Errors) == 0) != a.Success {
		t.Errorf("token of %d characters: got %d, %+v, want %d", len(token), a.Status, a.Errors, want)
	}
}

// TestBothMounts has the API at / and under /client/v4/.
func TestBothMounts(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	peer := d.Peer(t, "p", harness.FreeAddr(t), &key)
	c := harness.Client{Base: d.Client.Base + "/client/v4", Token: d.Client.Token}
	a, err := c.Do(http.MethodGet, "/accounts/"+harness.AccountID+"/secondary_dns/peers", nil)
	if err != nil {
		t.Fatal(err)
	}
	var peers []harness.Peer
	if err := json.Unmarshal(a.Result, &peers); err != nil || !slices.Contains(peers, peer) {
		t.Errorf("got %v, %v, want %v among them", peers, err, peer)
	}
}
