package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestCookieSecrets(t *testing.T) {
	t.Parallel()
	const secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"
	tests := []struct {
		name   string
		text   string
		mode   os.FileMode
		count  int
		err    string
		warned bool
	}{
		{"private", secret + "\n", 0o600, 1, "", false},
		{"for the group", secret + "\n" + secret + "\n", 0o640, 2, "", false},
		{"for everybody", secret + "\n", 0o644, 1, "", true},
		{"damaged", secret + "00\n", 0o600, 0, "line 1", false},
		{"empty", "", 0o600, 0, "no cookie secret", false},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "secrets")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zap.WarnLevel)
		got, err := cookieSecrets(path, zap.New(core))
		if len(got) != test.count || (err == nil) != (test.err == "") || (logs.Len() > 0) != test.warned {
			t.Errorf("%s: got %d secrets, %v, %d warnings", test.name, len(got), err, logs.Len())
		}
		if err != nil && (!strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: got %q", test.name, err)
		}
	}
	if got, err := cookieSecrets("", zap.NewNop()); got != nil || err != nil {
		t.Errorf("without a path: got %d secrets, %v", len(got), err)
	}
	if _, err := cookieSecrets(filepath.Join(t.TempDir(), "none"), zap.NewNop()); err == nil {
		t.Error("a file that is not there is no error")
	}
}
