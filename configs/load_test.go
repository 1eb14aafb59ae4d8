package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoadGoodFiles(t *testing.T) {
	t.Parallel()
	changed := func(change func(*Config)) Config {
		c := Default()
		change(&c)
		return c
	}
	want := map[string]Config{
		"empty.yaml":        Default(),
		"comment.yaml":      Default(),
		"empty_values.yaml": Default(),
		"markers.yaml":      changed(func(c *Config) { c.Log.Level = "warn" }),
		"bom.yaml":          changed(func(c *Config) { c.Log.Level = "error" }),
		"crlf.yaml": changed(func(c *Config) {
			c.Log.Level = "error"
			c.DNS.Workers = 2
		}),
		"flow.yaml": changed(func(c *Config) {
			c.DataDir = "/srv/dns"
			c.Log = Log{Level: "debug", Format: "console"}
			c.DNS.Listen = []string{"192.0.2.53:53", "[2001:db8::53]:5353"}
		}),
		"quoted.yaml": changed(func(c *Config) {
			c.DNS.Listen = []string{"192.0.2.53:53"}
			c.DNS.Workers = 4
			c.DNS.Identity = "53"
			c.Metrics.PerZone = false
		}),
	}
	for _, path := range glob(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			expected, ok := want[filepath.Base(path)]
			if !ok {
				t.Fatal("the file has no expected configuration in this test")
			}
			got, err := Load(path, nil)
			if err != nil {
				t.Fatalf("got error:\n%v", err)
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Each bad file stands beside one with the messages, in order, without the
// path that precedes them.
func TestLoadBadFiles(t *testing.T) {
	t.Parallel()
	for _, path := range glob(t, "testdata/bad/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".want")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Load(path, nil)
			problems, ok := errors.AsType[Problems](err)
			if !ok {
				t.Fatalf("got error %v, want problems", err)
			}
			if diff := cmp.Diff(Config{}, got); diff != "" {
				t.Errorf("a failed load gave settings:\n%s", diff)
			}
			text := strings.ReplaceAll(problems.Error(), path+":", "")
			if diff := cmp.Diff(strings.TrimSpace(string(want)), text); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error that says the file does not exist", err)
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	got, err := Load("", []string{"HOME=/root", "SECONDARYD=1", "secondaryd_log_level=debug"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLoadReportsFileEnvironmentAndChecksTogether(t *testing.T) {
	t.Parallel()
	path := write(t, "dns:\n  udp_sise: 5\n  workers: x\n  tcp_max_in_flight: 0\n")
	_, err := Load(path, []string{"SECONDARYD_API_LISTEN=8080", "SECONDARYD_LOGLEVEL=info", "SECONDARYD_DNS_TCP_IDLE_TIMEOUT=9"})
	want := path + ":2:3: unknown key dns.udp_sise, did you mean dns.udp_size?\n" +
		path + `:3:12: dns.workers: "x" is not a whole number` + "\n" +
		"unknown environment variable SECONDARYD_LOGLEVEL, did you mean SECONDARYD_LOG_LEVEL?\n" +
		`SECONDARYD_DNS_TCP_IDLE_TIMEOUT: dns.tcp_idle_timeout: "9" needs a unit, as in 9s` + "\n" +
		path + ":4:22: dns.tcp_max_in_flight: 0 is less than 1\n" +
		`SECONDARYD_API_LISTEN: api.listen: "8080" is not an address and port, as in 192.0.2.1:53 or [2001:db8::1]:53 (0.0.0.0 and [::] mean all)`
	if err == nil {
		t.Fatal("got no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	t.Parallel()
	path := write(t, "log:\n  level: warn\n  format: console\ntransfer:\n  max_backoff: 2h\n")
	got, err := Load(path, []string{"SECONDARYD_LOG_LEVEL=debug", "SECONDARYD_TRANSFER_MAX_BACKOFF=30m"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Log = Log{Level: "debug", Format: "console"}
	want.Transfer.MaxBackoff = 30 * time.Minute
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A value that is out of bounds in the file does no harm once the environment
// replaced it.
func TestEnvironmentRepairsFile(t *testing.T) {
	t.Parallel()
	path := write(t, "dns:\n  udp_size: 9\n")
	if _, err := Load(path, []string{"SECONDARYD_DNS_UDP_SIZE=1400"}); err != nil {
		t.Error(err)
	}
}

// No text may do worse than be refused, and each refusal is one line that
// begins with the place.
func FuzzFile(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "*.yaml"} {
		for _, path := range glob(f, pattern) {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Default()
		for _, problem := range applyFile(&c, "f.yaml", text, map[string]string{}) {
			line := problem.String()
			if strings.ContainsAny(line, "\n\r\x00\x1b") || !strings.HasPrefix(line, "f.yaml:") {
				t.Errorf("got problem %q, want one line that begins with the file", line)
			}
		}
	})
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secondaryd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no file matches %s", pattern)
	}
	return paths
}
