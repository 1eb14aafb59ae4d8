package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// nodeNeeded is the oldest Node.js that the SDK runs on.
const nodeNeeded = 20

// nodeLimit bounds a script; it is reached only by a test that fails.
const nodeLimit = time.Minute

// TestTypeScript runs ts/life.mjs against a daemon.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node(t, "life.mjs")
}

// TestTypeScriptZones runs ts/zones.mjs against a daemon.
func TestTypeScriptZones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node(t, "zones.mjs")
}

// node runs a script of ts, which fails by its exit code.
func (w *world) node(t *testing.T, script string) {
	t.Helper()
	node := findNode(t)
	addr := w.primary.Addr()
	settings := must(json.Marshal(map[string]any{
		"account": harness.AccountID,
		"zone":    harness.ZoneID(zoneName),
		"name":    zoneName,
		"daemon":  w.DNS.String(),
		"primary": map[string]any{"ip": addr.Addr().String(), "port": addr.Port()},
		"key":     map[string]string{"name": key.Name, "algo": key.Algorithm, "secret": key.Secret},
	}))(t)
	ctx, cancel := context.WithTimeout(t.Context(), nodeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, script)
	cmd.Dir = "ts"
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SECONDARYD_TEST=" + string(settings),
		"CLOUDFLARE_BASE_URL=" + w.base(), "CLOUDFLARE_API_TOKEN=" + w.Client.Token,
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// findNode returns the path of Node.js. Where it, or the SDK, is not installed
// the test is skipped.
func findNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node.js is not installed")
	}
	out := must(exec.CommandContext(t.Context(), node, "--version").Output())(t)
	var major int
	if _, err := fmt.Sscanf(string(out), "v%d.", &major); err != nil || major < nodeNeeded {
		missing(t, "Node.js %d or newer is not installed, only %s", nodeNeeded, bytes.TrimSpace(out))
	}
	if _, err := os.Stat(filepath.Join("ts", "node_modules", "cloudflare", "package.json")); err != nil {
		missing(t, "the npm package of the SDK is not installed (make clients does that)")
	}
	return node
}

// missing skips a test that needs something that is not installed, except in
// CI, where it fails it.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatal(text + ", and in CI it must be")
	}
	t.Skip(text + ", so this client is not tested")
}
