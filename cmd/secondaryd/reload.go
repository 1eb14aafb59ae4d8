package main

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"secondaryd/api"
	"secondaryd/configs"
)

// reloader applies what can change while the daemon runs: the log level, the
// tokens and the TLS files. A configuration that is not valid changes nothing.
type reloader struct {
	file   string
	dir    string
	now    configs.Config
	level  zap.AtomicLevel
	tokens *api.Tokens
	api    *api.Server
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
	r.now.Log.Level = next.Log.Level
	if len(changes.Restart) > 0 {
		r.log.Warn("reload: some settings have changed that need a restart", zap.Strings("keys", changes.Restart))
	}
	r.log.Info("reloaded", zap.Strings("changed", changes.Live))
}
