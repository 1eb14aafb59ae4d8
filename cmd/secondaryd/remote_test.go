package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secondaryd/configs"
)

func TestLocalURL(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:8080":     "http://127.0.0.1:8080",
		"0.0.0.0:8080":       "http://127.0.0.1:8080",
		"[::]:8080":          "http://[::1]:8080",
		":8080":              "http://127.0.0.1:8080",
		"[2001:db8::1]:8080": "http://[2001:db8::1]:8080",
	} {
		if got := localURL(configs.API{Listen: listen}); got != want {
			t.Errorf("%s: got %s, want %s", listen, got, want)
		}
	}
	if got := localURL(configs.API{Listen: "127.0.0.1:1", TLS: configs.TLS{CertFile: "c", KeyFile: "k"}}); got != "https://127.0.0.1:1" {
		t.Errorf("with TLS: got %s", got)
	}
}

// Where the token comes from, the first that there is. What the daemon of this
// machine keeps for itself goes to no other.
func TestFindToken(t *testing.T) {
	const here, there = "http://127.0.0.1:8080", "http://192.0.2.1:8080"
	dir := t.TempDir()
	file := filepath.Join(dir, "mine")
	for path, text := range map[string]string{file: "of-the-file\n", filepath.Join(dir, tokenFile): "of-data-dir\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name         string
		remote       remote
		env, ours    string
		to, dir      string
		want, refuse string
	}{
		{"flag", remote{token: "of-the-flag"}, "of-env", "of-daemon", here, dir, "of-the-flag", ""},
		{"file", remote{tokenFile: file}, "of-env", "of-daemon", here, dir, "of-the-file", ""},
		{"environment", remote{}, "of-env", "of-daemon", there, dir, "of-env", ""},
		{"the daemon's environment", remote{}, "", "of-daemon", here, dir, "of-daemon", ""},
		{"the daemon's file", remote{}, "", "", "http://localhost:1", dir, "of-data-dir", ""},
		{"elsewhere", remote{}, "", "of-daemon", there, dir, "", "no token"},
		{"a name like this machine's", remote{}, "", "of-daemon", "http://127.0.0.1.evil.test", dir, "", "no token"},
		{"none", remote{}, "", "", here, t.TempDir(), "", "no token"},
		{"no file", remote{tokenFile: file + "x"}, "of-env", "", here, dir, "", "--token-file"},
	} {
		t.Setenv(configs.ClientTokenEnv, test.env)
		t.Setenv(configs.TokenEnv, test.ours)
		got, err := test.remote.findToken(test.to, test.dir)
		if got != test.want || (err != nil) != (test.refuse != "") || err != nil && !strings.Contains(err.Error(), test.refuse) {
			t.Errorf("%s: got %q, %v, want %q, %q", test.name, got, err, test.want, test.refuse)
		}
	}
}
