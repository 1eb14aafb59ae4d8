package configs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	withTLS := func(c *Config) { c.API.TLS = TLS{CertFile: "cert.pem", KeyFile: "key.pem"} }
	tests := []struct {
		name          string
		before, after func(*Config)
		want          Changes
	}{
		{"nothing", func(*Config) {}, func(*Config) {}, Changes{}},
		{"level", func(*Config) {}, func(c *Config) { c.Log.Level = "debug" }, Changes{Live: []string{"log.level"}}},
		{
			"other files", withTLS, func(c *Config) { c.API.TLS = TLS{CertFile: "new.pem", KeyFile: "key.pem"} },
			Changes{Live: []string{"api.tls.cert_file"}},
		},
		{"TLS on", func(*Config) {}, withTLS, Changes{Restart: []string{"api.tls.cert_file", "api.tls.key_file"}}},
		{"TLS off", withTLS, func(*Config) {}, Changes{Restart: []string{"api.tls.cert_file", "api.tls.key_file"}}},
		{
			"other cookie secrets", func(c *Config) { c.DNS.CookieSecretFile = "old" }, func(c *Config) { c.DNS.CookieSecretFile = "new" },
			Changes{Live: []string{"dns.cookie_secret_file"}},
		},
		{
			"cookie secrets first", func(*Config) {}, func(c *Config) { c.DNS.CookieSecretFile = "new" },
			Changes{Restart: []string{"dns.cookie_secret_file"}},
		},
		{"several", func(*Config) {}, func(c *Config) {
			c.Notify.LogLinesPerSecond = 1
			c.DNS.Listen = []string{"0.0.0.0:53"}
			c.Log = Log{Level: "warn", Format: "console"}
		}, Changes{
			Live:    []string{"log.level"},
			Restart: []string{"log.format", "dns.listen", "notify.log_lines_per_second"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before, after := Default(), Default()
			test.before(&before)
			test.after(&after)
			if diff := cmp.Diff(test.want, Diff(before, after)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
