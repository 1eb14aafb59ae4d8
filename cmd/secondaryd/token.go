package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"secondaryd/configs"
)

const (
	tokenFile = "api-token"
	// shortToken is below what can't be guessed; it is taken, but warned of.
	shortToken = 16
)

// adminToken returns the first administrator's token: from the environment, or
// from the file under data_dir, which is made when there is neither. The API is
// never open, and the token is never logged.
func adminToken(dir string, log *zap.Logger) (string, error) {
	if token := os.Getenv(configs.TokenEnv); token != "" {
		if len(token) < shortToken {
			log.Warn("the token in the environment is short enough to be guessed", zap.String("variable", configs.TokenEnv))
		}
		return token, nil
	}
	path := filepath.Join(dir, tokenFile)
	text, err := os.ReadFile(path)
	if token := strings.TrimSpace(string(text)); err == nil && token != "" {
		return token, os.Chmod(path, 0o600)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("api token: %w", err)
	}
	token := rand.Text()
	if err := writeToken(path, token); err != nil {
		return "", fmt.Errorf("api token: %w", err)
	}
	log.Info("made an administrator's API token: it is in the file, send it as Authorization: Bearer", zap.String("file", path))
	return token, nil
}

// writeToken puts the token in place as a whole: a crash leaves no empty file
// behind that would count as one.
func writeToken(path, token string) error {
	if err := os.WriteFile(path+".new", []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
