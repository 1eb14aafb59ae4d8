package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"go.uber.org/zap"

	"secondaryd/nameserver"
)

// maxSecretFile is far above what the secrets that are taken can need.
const maxSecretFile = 16 << 10

// cookieSecrets reads the file of cookie secrets; none without a path.
func cookieSecrets(path string, log *zap.Logger) (_ []nameserver.CookieSecret, err error) {
	if path == "" {
		return nil, nil
	}
	text, mode, err := readSecretFile(path)
	if err != nil {
		return nil, fmt.Errorf("dns.cookie_secret_file: %w", err)
	}
	secrets, err := nameserver.ParseCookieSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("dns.cookie_secret_file %s: %w", path, err)
	}
	// Its owner may be another user, so its mode is not ours to change.
	if mode&0o007 != 0 {
		log.Warn("everybody can use the cookie secrets: the file should be mode 0600, or 0640 with the daemon's group", zap.String("file", path))
	}
	return secrets, nil
}

func readSecretFile(path string) (text []byte, mode fs.FileMode, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	text, err = io.ReadAll(io.LimitReader(file, maxSecretFile))
	return text, info.Mode().Perm(), err
}
