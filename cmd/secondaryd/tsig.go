package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

const (
	defaultAlgorithm = "hmac-sha256."
	// maxKeyFile is more than a secret can have, in octets.
	maxKeyFile = 64 << 10
)

func tsigCommand() *cobra.Command {
	r := new(remote)
	var showSecret bool
	keys := &objects[apiclient.TSIG]{
		kind: apiclient.TSIGs, remote: r,
		head: []string{"NAME", "ALGORITHM", "SECRET", "ID"},
		row: func(k apiclient.TSIG) []string {
			if !showSecret {
				k.Secret = "***"
			}
			return []string{k.Name, k.Algorithm, k.Secret, k.ID}
		},
	}
	cmd := managed("tsig", "Manage the TSIG keys that peers sign with", r,
		keys.list(), keys.show(), keys.add(tsigAddFlags), keys.set(tsigFlags), keys.remove())
	cmd.PersistentFlags().BoolVar(&showSecret, "show-secret", false, "show secrets in tables too")
	return cmd
}

// tsigAddFlags are those of set, with what a new key must have.
func tsigAddFlags(cmd *cobra.Command) fill {
	fillGiven := tsigFlags(cmd)
	return func(ctx context.Context, c *apiclient.Client, account string, object apiclient.Object) error {
		if err := object.Set("algo", defaultAlgorithm); err != nil {
			return err
		}
		if err := fillGiven(ctx, c, account, object); err != nil {
			return err
		}
		if len(object["secret"]) == 0 {
			return misuse("a key needs a secret: give --secret-file FILE (- is standard input) or --generate")
		}
		return nil
	}
}

// tsigFlags declares what can be said of a key. A secret is no argument: whoever
// lists the processes would see it.
func tsigFlags(cmd *cobra.Command) fill {
	flags := cmd.Flags()
	algorithm := flags.String("algo", defaultAlgorithm, "`ALGORITHM`: hmac-sha1, -sha224, -sha256, -sha384 or -sha512")
	file := flags.String("secret-file", "", "`FILE` with the secret in base64; - is standard input")
	generate := flags.Bool("generate", false, "make a random secret; --show-secret shows it")
	var secret string // the same one if the change is made again
	return func(_ context.Context, _ *apiclient.Client, _ string, object apiclient.Object) (err error) {
		switch {
		case *generate && *file != "":
			return misuse("--secret-file and --generate are both given")
		case secret != "":
		case *generate:
			secret = newSecret()
		case *file != "":
			if secret, err = readSecret(cmd.InOrStdin(), *file); err != nil {
				return err
			}
		}
		set := members{object: object, changed: flags.Changed}
		set.value("algo", "algo", *algorithm)
		if set.err == nil && secret != "" {
			set.err = object.Set("secret", secret)
		}
		return set.err
	}
}

// newSecret is as long as the longest digest, since a key should not be shorter
// than that of its algorithm (RFC 2104 section 3).
func newSecret() string {
	octets := make([]byte, 64)
	_, _ = rand.Read(octets) // never fails
	return base64.StdEncoding.EncodeToString(octets)
}

// readSecret reads a file, or in for -.
func readSecret(in io.Reader, path string) (string, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // nothing was written
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxKeyFile))
	if err != nil {
		return "", err
	}
	if secret := strings.TrimSpace(string(text)); secret != "" {
		return secret, nil
	}
	return "", misuse("--secret-file %s is empty", path)
}
