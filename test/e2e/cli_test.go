package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// cli is the command line of the built binary, for one daemon.
type cli struct{ binary, config string }

func cliOf(t *testing.T, d *harness.Daemon) cli { return cli{harness.Build(t), d.Config} }

// run returns what was printed to either, and the exit code.
func (c cli) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.binary, append(args, "--config", c.config)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SECONDARYD_ACCOUNT=" + harness.AccountID}
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), bad.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), bad.String(), 0
}

// must is run for what has to work.
func (c cli) must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := c.run(t, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s%s", args, code, stdout, stderr)
	}
	return stdout
}

// TestCommandLine takes a zone through its life with the command line alone, with
// the token that the daemon made for itself.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, key.Name, lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{NoToken: true})
	c := cliOf(t, d)
	secret := d.Config + ".secret"
	if err := os.WriteFile(secret, []byte(key.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must(t, "tsig", "add", key.Name, "--algo", key.Algorithm, "--secret-file", secret)
	c.must(t, "peer", "add", "first", "--ip", u.Addr().Addr().String())
	c.must(t, "peer", "set", "first", "--port", fmt.Sprint(u.Addr().Port()), "--tsig", strings.ToUpper(key.Name))
	c.must(t, "acl", "add", "office", "--range", "192.0.2.0/24")

	var in struct{ ID string }
	stdout := c.must(t, "zone", "add", zoneName, "--peer", "first", "--wait", "-o", "json")
	if err := json.Unmarshal([]byte(stdout), &in); err != nil {
		t.Fatal(err)
	}
	harness.WaitSerial(t, d.DNS, zoneName, 1)

	serial := u.bump(t, zoneName)
	if stdout, stderr, code := c.run(t, "zone", "transfer", in.ID, "--wait"); code != 0 || !strings.Contains(stdout, "serial 2") {
		t.Errorf("transfer: exit code %d: %s%s", code, stdout, stderr)
	}
	harness.WaitSerial(t, d.DNS, zoneName, serial)
	if stdout := c.must(t, "zone", "watch", in.ID, "--serial", "2"); !strings.Contains(stdout, "serving, serial 2") {
		t.Errorf("watch: %s", stdout)
	}
	if stdout := c.must(t, "zone", "status", in.ID); !strings.Contains(stdout, u.Addr().String()) || !strings.Contains(stdout, "axfr") {
		t.Errorf("status: %s", stdout)
	}
	if stdout := c.must(t, "zone", "settings", in.ID, "--max-shrink-percent", "90"); !strings.Contains(stdout, "90") {
		t.Errorf("settings: %s", stdout)
	}
	c.goBack(t, in.ID)
	harness.WaitSerial(t, d.DNS, zoneName, 2)
	c.must(t, "zone", "set", in.ID, "--refresh", "10m")
	if stdout := c.must(t, "zone", "show", in.ID); !strings.Contains(stdout, "every 600 s") {
		t.Errorf("show: %s", stdout)
	}
	if _, stderr, code := c.run(t, "peer", "rm", "first"); code != 4 || !strings.Contains(stderr, "2302") {
		t.Errorf("a peer in use: exit code %d: %s", code, stderr)
	}
	c.must(t, "zone", "rm", in.ID)
	for _, args := range [][]string{{"peer", "rm", "first"}, {"tsig", "rm", key.Name}, {"acl", "rm", "office"}} {
		c.must(t, args...)
	}
	if rcode := harness.Rcode(d.DNS, zoneName); rcode != dns.RcodeRefused {
		t.Errorf("the zone is answered with %s", dns.RcodeToString[rcode])
	}
	if _, stderr, code := c.run(t, "zone", "status", in.ID); code != 3 {
		t.Errorf("a zone that is gone: exit code %d: %s", code, stderr)
	}
}

// goBack goes back from version 2 of a zone to version 1, and on to it again.
func (c cli) goBack(t *testing.T, zone string) {
	t.Helper()
	for _, step := range []struct{ args, want string }{
		{"versions " + zone, "2       served"},
		{"diff " + zone, "--- 1\n+++ 2\n-" + zoneName},
		{"rollback " + zone, "version 1 is served again"},
		{"versions " + zone, "1       served"},
		{"status " + zone, "rolled back from version 2"},
		{"diff " + zone + " 2", "--- 2\n+++ 1\n-" + zoneName},
		{"release " + zone + " --serial 2", "released version 2"},
	} {
		if stdout := c.must(t, append([]string{"zone"}, strings.Fields(step.args)...)...); !strings.Contains(stdout, step.want) {
			t.Errorf("zone %s: %s, want %q", step.args, stdout, step.want)
		}
	}
}

// A first transfer that fails ends the wait, with the cause and the peer.
func TestCommandLineTellsOfAFailure(t *testing.T) {
	t.Parallel()
	u := startPrimary(t, primary.Options{Zones: []primary.Zone{{Name: "other.test.", Records: zoneOf(t, "other.test.", 1, lazy)}}})
	d := harness.StartDaemon(t, harness.DaemonOptions{NoToken: true})
	c := cliOf(t, d)
	c.must(t, "peer", "add", "first", "--ip", u.Addr().Addr().String(), "--port", fmt.Sprint(u.Addr().Port()))
	_, stderr, code := c.run(t, "zone", "add", zoneName, "--peer", "first", "--wait")
	if code != 1 || !strings.Contains(stderr, u.Addr().String()) || !strings.Contains(stderr, "tries again") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Many zones come in by a file, survive kill -9 right after it is said that they
// did, are there when the file comes again, and go by a file.
func TestManyZonesByCommandLine(t *testing.T) {
	t.Parallel()
	const zones = 3000
	u := primaryOf(t, zoneName, "", lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{NoToken: true, LogLevel: "info"})
	c := cliOf(t, d)
	c.must(t, "peer", "add", "first", "--ip", u.Addr().Addr().String(), "--port", fmt.Sprint(u.Addr().Port()))
	csv, names := d.Config+".csv", d.Config+".names"
	var rows, list strings.Builder
	rows.WriteString("name,refresh\n" + zoneName + ",10m\n")
	for i := range zones - 1 {
		fmt.Fprintf(&rows, "zone%d.many.test,\n", i)
		fmt.Fprintf(&list, "ZONE%d.many.test.\n", i)
	}
	for path, text := range map[string]string{csv: rows.String(), names: list.String()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := c.run(t, "zone", "import", csv, "--peer", "first")
	d.Kill()
	if code != 0 || stdout != "of 3000 zones, 3000 added\n" || !strings.Contains(stderr, "1000 added, 2000 not done") {
		t.Errorf("import: exit code %d: %s%s", code, stdout, stderr)
	}
	d.Start(t)
	if stdout := c.must(t, "zone", "import", csv, "--peer", "first"); stdout != "of 3000 zones, 3000 there already\n" {
		t.Errorf("import again: %s", stdout)
	}
	harness.WaitSerial(t, d.DNS, zoneName, 1)
	if stdout := c.must(t, "zone", "diagnose", zoneName); !strings.Contains(stdout, "nothing is wrong") || !strings.Contains(stdout, "full transfer") {
		t.Errorf("diagnose: %s", stdout)
	}
	if _, stderr, code := c.run(t, "zone", "diagnose", "zone7.many.test"); code != 1 || !strings.Contains(stderr, u.Addr().String()) {
		t.Errorf("diagnose what the peer has not: exit code %d: %s", code, stderr)
	}
	if stdout := c.must(t, "zone", "rm", "--file", names); stdout != "of 2999 zones, 2999 removed\n" {
		t.Errorf("rm: %s", stdout)
	}
	var left []struct{ Name string }
	if err := json.Unmarshal([]byte(c.must(t, "zone", "list", "-o", "json")), &left); err != nil || len(left) != 1 {
		t.Errorf("%d zones left, %v", len(left), err)
	}
	if _, _, code := c.run(t, "zone", "export", "zone7.many.test"); code != 3 {
		t.Errorf("export of a zone that is gone: exit code %d", code)
	}
	file := d.Config + ".zone"
	c.must(t, "zone", "export", zoneName, "--file", file)
	text, err := os.ReadFile(file)
	if stdout := c.must(t, "zone", "export", zoneName); err != nil || stdout != string(text) || !strings.HasPrefix(stdout, zoneName) {
		t.Errorf("%v: the file has %.200q, and standard output %.200q", err, text, stdout)
	}
}

// A token that the command line makes is good for what it is for, until it is revoked.
func TestTokensByCommandLine(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{NoToken: true})
	c := cliOf(t, d)
	file := d.Config + ".token"
	c.must(t, "token", "add", "reader", "--scope", "account", "--access", "read", "--expires", "1h", "--value-file", file)
	if stdout := c.must(t, "token", "list"); !strings.Contains(stdout, "reader") || !strings.Contains(stdout, "active") {
		t.Errorf("list: %s", stdout)
	}
	c.must(t, "peer", "list", "--token-file", file)
	for _, args := range [][]string{{"peer", "add", "p"}, {"token", "list"}} {
		if _, stderr, code := c.run(t, append(args, "--token-file", file)...); code != 4 || !strings.Contains(stderr, "9109") {
			t.Errorf("%q as the reader: exit code %d: %s", args, code, stderr)
		}
	}
	c.must(t, "token", "rm", "reader")
	if _, stderr, code := c.run(t, "peer", "list", "--token-file", file); code != 4 || !strings.Contains(stderr, "10000") {
		t.Errorf("with a token that was revoked: exit code %d: %s", code, stderr)
	}
}
