package configs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each key is set by its variable alone, to a valid value that is not the
// default, and nothing else changes with it.
func TestEnvironmentSetsEveryKey(t *testing.T) {
	t.Parallel()
	for _, s := range settings(new(Default())) {
		t.Run(s.env(), func(t *testing.T) {
			t.Parallel()
			value, with := otherValue(t, s)
			got, err := Load("", append(with, s.env()+"="+value))
			if err != nil {
				t.Fatal(err)
			}
			if text := settingsByKey(&got)[s.key].String(); text != value {
				t.Errorf("%s=%s: got %s", s.env(), value, text)
			}
			changes := Diff(Default(), got)
			changed := append(changes.Live, changes.Restart...)
			if len(changed) != 1+len(with) {
				t.Errorf("%s=%s changed %q", s.env(), value, changed)
			}
		})
	}
}

// otherValue returns a valid value that differs from s's, and what else must
// be set for it to be valid.
func otherValue(t *testing.T, s setting) (string, []string) {
	t.Helper()
	switch s.key {
	case "log.level":
		return "debug", nil
	case "log.format":
		return "console", nil
	case "dns.any":
		return AnyFull, nil
	case "dns.rate_limit.exempt":
		return "192.0.2.0/24,2001:db8::1", nil
	case "transfer.on_faults", "transfer.on_bad_dnssec":
		return ReactionHold, nil
	case "transfer.on_bad_zonemd":
		return ReactionWarn, nil
	case "transfer.trust_anchors":
		return "example.org. DS 1 13 2 00", nil
	case "transfer.source_ipv4":
		return "192.0.2.1", nil
	case "transfer.source_ipv6":
		return "2001:db8::1", nil
	case "api.listen":
		return "[::1]:8053", nil
	case "api.tls.cert_file":
		return "/cert.pem", []string{"SECONDARYD_API_TLS_KEY_FILE=/key.pem"}
	case "api.tls.key_file":
		return "/key.pem", []string{"SECONDARYD_API_TLS_CERT_FILE=/cert.pem"}
	}
	switch v := s.field.Interface().(type) {
	case string:
		return v + "x", nil
	case []string:
		return "192.0.2.1:53,[2001:db8::1]:53", nil
	case bool:
		return format(!v), nil
	case int:
		return format(v + 1), nil
	case time.Duration:
		return format(v + time.Second), nil
	case Size:
		return format(v/2 + 1024), nil
	}
	t.Fatalf("%s: no other value for %s", s.key, s.field.Type())
	return "", nil
}

func TestEnvironmentNames(t *testing.T) {
	t.Parallel()
	byName := map[string]string{}
	for _, s := range settings(new(Default())) {
		if other, taken := byName[s.env()]; taken {
			t.Errorf("%s means both %s and %s", s.env(), s.key, other)
		}
		if slices.Contains(others(), s.env()) {
			t.Errorf("%s would be set by %s, which means something else", s.key, s.env())
		}
		byName[s.env()] = s.key
	}
	// A contract with outside tools.
	for name, key := range map[string]string{
		"SECONDARYD_DATA_DIR":             "data_dir",
		"SECONDARYD_LOG_LEVEL":            "log.level",
		"SECONDARYD_LOG_FORMAT":           "log.format",
		"SECONDARYD_DNS_LISTEN":           "dns.listen",
		"SECONDARYD_API_LISTEN":           "api.listen",
		"SECONDARYD_TRANSFER_MAX_RECORDS": "transfer.max_records",
	} {
		if byName[name] != key {
			t.Errorf("%s sets %q, want %s", name, byName[name], key)
		}
	}
}

func TestUnknownEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		entry, want string // want is empty where the variable is no business of ours
	}{
		{"SECONDARYD_API_TOKEN=secret", ""},
		{"SECONDARYD_TOKEN=secret", ""},
		{"SECONDARYD_URL=http://192.0.2.1:8080", ""},
		{"SECONDARYD_ACCOUNT=01a7362d577a6c3019a474fd6f485823", ""},
		{"SECONDARYD_APITOKEN=secret", "unknown environment variable SECONDARYD_APITOKEN, did you mean SECONDARYD_API_TOKEN?"},
		{"SECONDARYD_DNS_LISTENS=x", "unknown environment variable SECONDARYD_DNS_LISTENS, did you mean SECONDARYD_DNS_LISTEN?"},
		{"SECONDARYD_LOG=debug", "unknown environment variable SECONDARYD_LOG"},
		{"SECONDARYD_=", "unknown environment variable SECONDARYD_"},
		{"SECONDARYD_API_PORT=8080", "unknown environment variable SECONDARYD_API_PORT"},
		{"SECONDARYD_PORT=udp://10.0.0.7:53", ""},
		{"SECONDARYD_SERVICE_HOST=10.0.0.7", ""},
		{"SECONDARYD_SERVICE_PORT_DNS_TCP=53", ""},
		{"SECONDARYD_API_PORT_8080_TCP_ADDR=10.0.0.7", ""},
		{"SECONDARYD_API_SERVICE_PORT=8080", ""},
	}
	for _, test := range tests {
		t.Run(test.entry, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := Load("", []string{test.entry}); err != nil {
				got = err.Error()
			}
			if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if strings.Contains(got, "secret") {
				t.Error("the message shows the value")
			}
		})
	}
}

func TestLastOfTwoVariablesWins(t *testing.T) {
	t.Parallel()
	got, err := Load("", []string{"SECONDARYD_LOG_LEVEL=warn", "SECONDARYD_LOG_LEVEL=error"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Log.Level != "error" {
		t.Errorf("got level %s, want error", got.Log.Level)
	}
}

func TestListInEnvironment(t *testing.T) {
	t.Parallel()
	got, err := Load("", []string{"SECONDARYD_DNS_LISTEN= 127.0.0.1:53 , [::1]:53,"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"127.0.0.1:53", "[::1]:53"}, got.DNS.Listen); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
