package configs

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaultsAreNotShared(t *testing.T) {
	t.Parallel()
	c := Default()
	c.DNS.Listen[0] = "192.0.2.1:1"
	if got := Default().DNS.Listen[0]; got != "0.0.0.0:53" {
		t.Errorf("a changed copy changed the default to %s", got)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Config)
		want   string // one line for each problem
	}{
		{"no folder", func(c *Config) { c.DataDir = "" }, "data_dir: must not be empty"},
		{"no address", func(c *Config) { c.DNS.Listen = nil }, "dns.listen: needs at least one address"},
		{"no port", func(c *Config) { c.DNS.Listen = []string{"192.0.2.1"} }, "dns.listen: \"192.0.2.1\" is not an address and port, as in 192.0.2.1:53 or [2001:db8::1]:53 (0.0.0.0 and [::] mean all)"},
		{"format", func(c *Config) { c.Log.Format = "text" }, `log.format: "text" is none of json, console`},
		{"large answers", func(c *Config) { c.DNS.UDPSize = 4097 }, "dns.udp_size: 4097 is more than 4096"},
		{"key alone", func(c *Config) { c.API.TLS.KeyFile = "k" }, "api.tls.cert_file: is missing: api.tls.key_file needs it"},
		{"no wait", func(c *Config) { c.Transfer.ConnectTimeout = 0 }, "transfer.connect_timeout: 0s is less than 1ms"},
		{"endless wait", func(c *Config) { c.Transfer.TotalTimeout = 25 * time.Hour }, "transfer.total_timeout: 25h is more than 24h"},
		{"long timer", func(c *Config) { c.Transfer.MaxExpire = maxTimer + time.Second }, "transfer.max_expire: 596523h14m8s is more than 596523h14m7s"},
		{"retry without a value", func(c *Config) { c.Transfer.MinRetry = 25 * time.Hour }, "transfer.min_retry: 25h is more than transfer.max_retry (24h)"},
		{"expire without a value", func(c *Config) { c.Transfer.MinExpire = 8761 * time.Hour }, "transfer.min_expire: 8761h is more than transfer.max_expire (8760h)"},
		{"one retry", func(c *Config) { c.Transfer.MinRetry, c.Transfer.MaxRetry = time.Hour, time.Hour }, ""},
		{"no such default", func(c *Config) { c.Transfer.MaxRetry = time.Minute }, "transfer.default_retry: 10m is more than transfer.max_retry (1m)"},
		{"small bulk body", func(c *Config) { c.API.MaxBulkBody = 12 }, "api.max_bulk_body: 12B is less than 1KiB"},
		{"small body", func(c *Config) { c.API.MaxBody = 12 }, "api.max_body: 12B is less than 1KiB"},
		{"long identity", func(c *Config) { c.DNS.Identity = strings.Repeat("a", 256) }, "dns.identity: has 256 octets, at most 255 fit a TXT record"},
		{"odd anchor", func(c *Config) { c.Transfer.TrustAnchors = []string{"example.org. A 192.0.2.1"} }, `transfer.trust_anchors: "example.org. A 192.0.2.1" is no DS or DNSKEY record, as in "example.org. DS 12345 13 2 0123..."`},
		{"unknown reaction", func(c *Config) { c.Transfer.OnBadZONEMD = "drop" }, `transfer.on_bad_zonemd: "drop" is not one of ignore, warn and hold`},
		{"source of the other family", func(c *Config) { c.Transfer.SourceIPv4 = "2001:db8::1" }, `transfer.source_ipv4: "2001:db8::1" is no address of this host in that family; leave it empty for the system's choice`},
		{"source without an address", func(c *Config) { c.Transfer.SourceIPv6 = "::" }, `transfer.source_ipv6: "::" is no address of this host in that family; leave it empty for the system's choice`},
		{"odd identity", func(c *Config) { c.DNS.Identity = "ns1\n" }, "dns.identity: may hold printable ASCII only"},
		{"odd NSID", func(c *Config) { c.DNS.NSID = "0x1" }, "dns.nsid: after 0x there must be pairs of hexadecimal digits"},
		{"secrets for nothing", func(c *Config) { c.DNS.Cookies, c.DNS.CookieSecretFile = false, "f" }, "dns.cookie_secret_file: is of no use while dns.cookies is false"},
		{"odd agent", func(c *Config) { c.DNS.ErrorReportingAgent = "a..b" }, `dns.error_reporting_agent: "a..b" is not a domain name of letters, digits, hyphens and underscores`},
		{"odd network", func(c *Config) { c.DNS.RateLimit.Exempt = []string{"192.0.2.0/24", "::1", "example.org"} }, `dns.rate_limit.exempt: "example.org" is not an address or network, as in 192.0.2.1 or 2001:db8::/32`},
		{"network with a host", func(c *Config) { c.DNS.RateLimit.Exempt = []string{"192.0.2.1/24"} }, "dns.rate_limit.exempt: 192.0.2.1/24 has bits set behind its prefix: 192.0.2.0/24 is the network"},
		{"odd ANY", func(c *Config) { c.DNS.Any = "all" }, `dns.any: "all" is none of minimal, full`},
		{"no versions", func(c *Config) { c.Zones.Versions = 0 }, "zones.versions: 0 is less than 1"},
		{"many versions", func(c *Config) { c.Zones.Versions = 101 }, "zones.versions: 101 is more than 100"},
		{"any rate", func(c *Config) { c.Transfer.MinRate = 0 }, ""},
		{"silent NOTIFY", func(c *Config) { c.Notify.LogLinesPerSecond = 0 }, ""},
		{"kernel's port", func(c *Config) { c.DNS.Listen = []string{"127.0.0.1:0"} }, ""},
		{"two", func(c *Config) {
			c.Notify.MaxPerSecondPerSource = 0
			c.ShutdownTimeout = -1
		}, "shutdown_timeout: -1ns is less than 0s\nnotify.max_per_second_per_source: 0 is less than 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := Default()
			test.change(&c)
			got := ""
			if err := c.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Every number has bounds: no key can be forgotten by Validate.
func TestValidateBoundsEveryNumber(t *testing.T) {
	t.Parallel()
	for _, s := range settings(new(Default())) {
		if s.field.CanInt() {
			t.Run(s.key, func(t *testing.T) {
				t.Parallel()
				c := Default()
				settingsByKey(&c)[s.key].field.SetInt(-2)
				if err := c.Validate(); err == nil || !strings.Contains(err.Error(), s.key+": ") {
					t.Errorf("-2: got %v, want a problem of %s", err, s.key)
				}
			})
		}
	}
}
