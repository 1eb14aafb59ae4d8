package configs

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		want  Size
		print string
	}{
		{"0", 0, "0"},
		{"0B", 0, "0"},
		{"1", 1, "1B"},
		{"1000B", 1000, "1000B"},
		{"1024", KiB, "1KiB"},
		{"512MiB", 512 * MiB, "512MiB"},
		{"512 MiB", 512 * MiB, "512MiB"},
		{"1536MiB", 1536 * MiB, "1536MiB"},
		{"2048MiB", 2 * GiB, "2GiB"},
		{"8388607TiB", 8388607 * TiB, "8388607TiB"},
	}
	for _, test := range tests {
		got, err := ParseSize(test.text)
		if err != nil || got != test.want {
			t.Errorf("ParseSize(%q): got %d, %v, want %d", test.text, got, err, test.want)
		}
		if got.String() != test.print {
			t.Errorf("%q prints %s, want %s", test.text, got, test.print)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "-1MiB", "1MB", "1M", "1mib", "1.5MiB", "1MiBMiB", "8388608TiB", "99999999999999999999", "0x10"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q): got %d, want an error", text, got)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		want  time.Duration
		print string
	}{
		{"0", 0, "0s"},
		{"10s", 10 * time.Second, "10s"},
		{"600s", 10 * time.Minute, "10m"},
		{"90m", 90 * time.Minute, "1h30m"},
		{"168h", 168 * time.Hour, "168h"},
		{"1h0m5s", time.Hour + 5*time.Second, "1h0m5s"},
		{"250ms", 250 * time.Millisecond, "250ms"},
	}
	for _, test := range tests {
		got, err := parseDuration(test.text)
		if err != nil || got != test.want {
			t.Errorf("parseDuration(%q): got %s, %v, want %s", test.text, got, err, test.want)
		}
		if print := formatDuration(got); print != test.print {
			t.Errorf("%q prints %s, want %s", test.text, print, test.print)
		}
	}
	for _, text := range []string{"", "10", "1.5", "s", "10 s", "1d", "ten"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q): got %s, want an error", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"data_dir", "log.level", "dns.listen", "api.listen", "transfer.max_records", "transfer"}
	for name, want := range map[string]string{
		"datadir":              "data_dir",
		"log-level":            "log.level",
		"LOG.LEVEL":            "log.level",
		"level":                "log.level",
		"transfer.max_record":  "transfer.max_records",
		"tranfser.max_records": "transfer.max_records",
		"colour":               "",
		"":                     "",
		"x":                    "",
	} {
		if got := nearest(name, candidates); got != want {
			t.Errorf("nearest(%q): got %q, want %q", name, got, want)
		}
	}
}
