package configs

import (
	"regexp"
	"slices"
	"strings"
)

const envPrefix = "SECONDARYD_"

// TokenEnv holds the first administrator's token. It is no setting: a secret
// has no place in a file of settings, so only the environment carries it.
const TokenEnv = envPrefix + "API_TOKEN"

// What the commands that speak to a running daemon read. They are no settings
// of it, and may stand in the same environment.
const (
	ClientURLEnv     = envPrefix + "URL"
	ClientTokenEnv   = envPrefix + "TOKEN"
	ClientAccountEnv = envPrefix + "ACCOUNT"
)

// others lists the variables that are not a setting's.
func others() []string { return []string{TokenEnv, ClientURLEnv, ClientTokenEnv, ClientAccountEnv} }

// serviceLink matches what Kubernetes and Docker put into the environment of
// every container beside a service named secondaryd or secondaryd-something.
// A daemon that called these unknown could not start there.
var serviceLink = regexp.MustCompile(
	`^SECONDARYD_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)=` +
		`|^SECONDARYD_(.+_)?PORT=[a-z]+://`)

// envName is the environment variable of a key.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// applyEnv sets every setting that the environment names, and notes where
// each came from. env is in the form of os.Environ: the last of two wins.
func applyEnv(c *Config, env []string, sources map[string]string) Problems {
	byName := map[string]setting{}
	for _, s := range settings(c) {
		byName[s.env()] = s
	}
	var problems Problems
	for _, entry := range env {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, envPrefix) || slices.Contains(others(), name) || serviceLink.MatchString(entry) {
			continue
		}
		s, ok := byName[name]
		if !ok {
			problems.add("", "", "unknown environment variable %s%s", name, didYouMean(name, envNames(c)))
			continue
		}
		sources[s.key] = name
		if err := s.set(value); err != nil {
			problems.add(name, s.key, "%s", err)
		}
	}
	return problems
}

// envNames lists every variable that may be set, sorted.
func envNames(c *Config) []string {
	names := others()
	for _, s := range settings(c) {
		names = append(names, s.env())
	}
	slices.Sort(names)
	return names
}
