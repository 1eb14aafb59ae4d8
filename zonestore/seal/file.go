package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"secondaryd/internal/durable"
)

// The file of a key is one line of text, so that it can be printed and typed in:
//
//	secondaryd-key-1:BASE64:CHECKSUM
//
// with the 32 octets of the key and, in 8 hexadecimal digits, the CRC-32C of the
// text before the second colon.
const (
	filePrefix = "secondaryd-key-"
	fileFormat = "1"
	fileMode   = 0o600
	maxFile    = 1 << 10

	damagedSuffix = ".damaged"
)

// Why there is no key.
var (
	ErrNoKey       = errors.New("there is no key file")
	ErrDamagedFile = errors.New("the key file is damaged")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CopyPath is where the second copy of the key in path lies: beside it, with
// -copy before the extension.
func CopyPath(path string) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + "-copy" + ext
}

// Load reads a key from path or its copy and mends the one from the other. It
// fails with ErrNoKey when there is neither, and with ErrDamagedFile when none
// is whole or they are of different keys.
func Load(path string, log *zap.Logger) (*Key, error) {
	main, mainErr := readFile(path)
	second, secondErr := readFile(CopyPath(path))
	switch {
	case mainErr == nil && secondErr == nil && main == second:
	case mainErr == nil && secondErr == nil:
		return nil, fmt.Errorf("%w: %s and %s hold different keys, both whole: put the right one in both places",
			ErrDamagedFile, path, CopyPath(path))
	case mainErr == nil && mendable(secondErr):
		mend(CopyPath(path), main, secondErr, log)
	case secondErr == nil && mendable(mainErr):
		mend(path, second, mainErr, log)
		main = second
	case errors.Is(mainErr, fs.ErrNotExist) && errors.Is(secondErr, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: neither %s nor %s", ErrNoKey, path, CopyPath(path))
	default:
		return nil, errors.Join(mainErr, secondErr)
	}
	warnIfOpen(path, log)
	return newKey(main[:])
}

// mendable tells a file that is gone or damaged from one that may be whole.
func mendable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamagedFile)
}

// mend writes one of the files anew. One that can't be written, as in a folder
// that only root may change, is no reason not to start.
func mend(path string, master [keySize]byte, cause error, log *zap.Logger) {
	if err := writeFile(path, master); err != nil {
		log.Warn("copy of the key of the secrets is missing, and can't be made: copy the other file there",
			zap.String("path", path), zap.NamedError("cause", cause), zap.Error(err))
		return
	}
	log.Warn("copy of the key of the secrets was missing or damaged, and is mended from the other", zap.String("path", path), zap.NamedError("cause", cause))
}

func warnIfOpen(path string, log *zap.Logger) {
	for _, name := range []string{path, CopyPath(path)} {
		if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o007 != 0 {
			log.Warn("everybody can read the key of the secrets: chmod 600 it", zap.String("path", name), zap.Stringer("mode", info.Mode().Perm()))
		}
	}
}

// Create makes a new key and both its files, and returns when they are on disk.
// Files that are there are kept under another name: a backup may need what is left
// of their key.
func Create(path string) (*Key, error) {
	var master [keySize]byte
	_, _ = rand.Read(master[:]) // never fails
	for _, name := range []string{path, CopyPath(path)} {
		err := os.Rename(name, name+damagedSuffix)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = writeFile(name, master)
		}
		if err != nil {
			return nil, fmt.Errorf("make the key of the secrets: %w", err)
		}
	}
	return newKey(master[:])
}

func readFile(path string) (master [keySize]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return master, err
	}
	defer file.Close()
	text := make([]byte, maxFile)
	n, err := file.Read(text)
	if err != nil && !errors.Is(err, io.EOF) {
		return master, err
	}
	master, err = parse(string(text[:n]))
	if err != nil {
		return master, fmt.Errorf("%s: %w", path, err)
	}
	return master, nil
}

// parse reads the line of a key file. What is wrong with it is not quoted: it
// may be most of a key.
func parse(text string) (master [keySize]byte, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), filePrefix)
	format, rest, _ := strings.Cut(rest, ":")
	encoded, sum, _ := strings.Cut(rest, ":")
	switch n, err := strconv.Atoi(format); {
	case !ok || err != nil:
		return master, fmt.Errorf("%w: it does not begin with %s and a number", ErrDamagedFile, filePrefix)
	case n > 1:
		return master, fmt.Errorf("the key file has format %d: %w", n, ErrNewer)
	case sum != checksum(format, encoded):
		return master, fmt.Errorf("%w: its checksum does not match", ErrDamagedFile)
	}
	octets, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(octets) != keySize {
		return master, fmt.Errorf("%w: it does not hold %d octets", ErrDamagedFile, keySize)
	}
	return [keySize]byte(octets), nil
}

func checksum(format, encoded string) string {
	return fmt.Sprintf("%08x", crc32.Checksum([]byte(filePrefix+format+":"+encoded), castagnoli))
}

// writeFile puts the file in place as a whole.
func writeFile(path string, master [keySize]byte) error {
	encoded := base64.StdEncoding.EncodeToString(master[:])
	text := filePrefix + fileFormat + ":" + encoded + ":" + checksum(fileFormat, encoded) + "\n"
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Chmod(fileMode), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path), (*os.File).Sync)
}
