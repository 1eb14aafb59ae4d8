package main

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"secondaryd/api"
	"secondaryd/configs"
	"secondaryd/nameserver"
)

// reloader applies what can change while the daemon runs: the log level, the
// tokens, the TLS files and the cookie secrets. A configuration that is not valid changes nothing.
type reloader struct {
	file   string
	dir    string
	now    configs.Config
	level  zap.AtomicLevel
	tokens *api.Tokens
	api    *api.Server
	dns    *nameserver.Server
	log    *zap.Logger
}

func (r *reloader) reload() {
	next, err := configs.Load(r.file, os.Environ())
	if err != nil {
		r.log.Error("reload: the configuration is not valid, nothing is changed", zap.Error(err))
		return
	}
	changes := configs.Diff(r.now, next)
	if level, err := zapcore.ParseLevel(next.Log.Level); err == nil {
		r.level.SetLevel(level)
	}
	if token, err := adminToken(r.dir, r.log); err != nil {
		r.log.Error("reload: the token can't be read, the old one stays", zap.Error(err))
	} else {
		r.tokens.Replace(token)
	}
	if err := r.api.ReloadTLS(); err != nil {
		r.log.Error("reload: the TLS files can't be used, the old certificate stays", zap.Error(err))
	}
	r.reloadCookies(next.DNS.CookieSecretFile)
	r.now.Log.Level = next.Log.Level
	if len(changes.Restart) > 0 {
		r.log.Warn("reload: some settings have changed that need a restart", zap.Strings("keys", changes.Restart))
	}
	r.log.Info("reloaded", zap.Strings("changed", changes.Live))
}

// reloadCookies reads the cookie secrets again. Random ones, made at start, stay
// until the next start.
func (r *reloader) reloadCookies(path string) {
	if path == "" || r.now.DNS.CookieSecretFile == "" {
		return
	}
	secrets, err := cookieSecrets(path, r.log)
	if err != nil {
		r.log.Error("reload: the cookie secrets can't be used, the old ones stay", zap.Error(err))
		return
	}
	r.dns.SetCookieSecrets(secrets)
	r.now.DNS.CookieSecretFile = path
}
