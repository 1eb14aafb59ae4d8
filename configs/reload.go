package configs

import (
	"reflect"
	"strings"
)

// Changes says what a reload does with the keys that differ. The API's tokens
// and the content of the TLS files and of the cookie secrets are read again on
// every reload, changed keys or not.
type Changes struct {
	Live    []string // keys that take effect at once
	Restart []string // keys that take effect when the daemon is started again
}

// Diff sorts the keys that differ between two valid configurations, in the
// order of the struct.
func Diff(before, after Config) Changes {
	var changes Changes
	is := settingsByKey(&after)
	for _, was := range settings(&before) {
		if reflect.DeepEqual(was.field.Interface(), is[was.key].field.Interface()) {
			continue
		}
		if live(was.key, before, after) {
			changes.Live = append(changes.Live, was.key)
			continue
		}
		changes.Restart = append(changes.Restart, was.key)
	}
	return changes
}

// live tells whether a changed key takes effect without a restart. Other TLS
// files can be taken at once; turning TLS on or off needs another listener. So
// with cookie secrets: random ones are only made at start.
func live(key string, before, after Config) bool {
	if key == "dns.cookie_secret_file" {
		return before.DNS.CookieSecretFile != "" && after.DNS.CookieSecretFile != ""
	}
	if strings.HasPrefix(key, "api.tls.") {
		return before.API.TLS.On() && after.API.TLS.On()
	}
	return key == "log.level"
}

// On tells whether HTTPS is spoken.
func (t TLS) On() bool {
	return t.CertFile != "" && t.KeyFile != ""
}
