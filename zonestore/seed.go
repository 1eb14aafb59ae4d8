package zonestore

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// loadSeed returns the seed of name hashes, made at the first start. It is kept
// because the indexes of copies on disk are laid out by it; with another seed
// they are only laid out anew, so a lost or damaged file does no harm.
func loadSeed(dir string) (uint64, error) {
	path := filepath.Join(dir, "seed")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if b, err := hex.DecodeString(strings.TrimSpace(string(text))); err == nil && len(b) == 8 {
		return binary.BigEndian.Uint64(b), nil
	}
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	if err := os.WriteFile(path, []byte(hex.EncodeToString(b[:])+"\n"), 0o600); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b[:]), nil
}
