package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// tlsFlags is what can be said of how a peer is asked by TLS.
type tlsFlags struct {
	changed func(flag string) bool
	name    *string
	pins    *[]string
	files   []tlsFile
	off     *bool
}

// tlsFile is a flag for a file, and the member that has its content.
type tlsFile struct {
	flag, member string
	path         *string
}

func declareTLS(cmd *cobra.Command) *tlsFlags {
	flags := cmd.Flags()
	f := &tlsFlags{
		changed: flags.Changed,
		name:    flags.String("tls-name", "", "ask by TLS alone: the `NAME` that the peer's certificate is for"),
		pins:    flags.StringArray("tls-pin", nil, "ask by TLS alone: a public key of the peer, as base64 of its SHA-256 `DIGEST`; may be repeated"),
		off:     flags.Bool("no-tls", false, "ask in clear"),
	}
	for _, file := range []struct{ flag, member, usage string }{
		{"tls-ca-file", "ca_certificate", "`FILE` of certificates (PEM) that certify the name, in place of the system's"},
		{"tls-cert-file", "client_certificate", "`FILE` with the certificate (PEM) to show to the peer"},
		{"tls-key-file", "client_key", "`FILE` with its private key (PEM)"},
	} {
		f.files = append(f.files, tlsFile{file.flag, file.member, flags.String(file.flag, "", file.usage)})
	}
	return f
}

// given reports whether something was said of TLS, beside that it is off.
func (f *tlsFlags) given() bool {
	return f.changed("tls-name") || f.changed("tls-pin") ||
		slices.ContainsFunc(f.files, func(file tlsFile) bool { return f.changed(file.flag) })
}

// fill puts what was given into a peer.
func (f *tlsFlags) fill(peer apiclient.Object) error {
	if *f.off {
		if f.given() {
			return misuse("--no-tls goes with no other flag for TLS")
		}
		delete(peer, "tls")
		return nil
	}
	before, has := peer["tls"]
	if !has && !f.given() {
		return nil
	}
	tls := apiclient.Object{}
	if has {
		if err := json.Unmarshal(before, &tls); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	if err := f.fillTLS(tls); err != nil {
		return err
	}
	return peer.Set("tls", tls)
}

func (f *tlsFlags) fillTLS(tls apiclient.Object) error {
	set := members{object: tls, changed: f.changed}
	set.text("tls-name", "name", *f.name)
	set.value("tls-pin", "pins", slices.DeleteFunc(slices.Clone(*f.pins), func(pin string) bool { return pin == "" }))
	for _, file := range f.files {
		text, err := readOptional(*file.path)
		if err != nil {
			return fmt.Errorf("--%s: %w", file.flag, err)
		}
		set.text(file.flag, file.member, text)
	}
	if len(tls["client_certificate"]) > 0 && len(tls["client_key"]) == 0 {
		return misuse("the peer has a client certificate, and its key is never given back by the API: give it again with --tls-key-file")
	}
	return set.err
}

// readOptional reads a file; no path is an empty one.
func readOptional(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

func peerTLSRows(t *apiclient.PeerTLS) [][]string {
	if t == nil {
		return nil
	}
	rows := [][]string{{"TLS NAME", orDash(t.Name)}}
	for _, pin := range t.Pins {
		rows = append(rows, []string{"TLS PIN", pin})
	}
	return append(rows,
		[]string{"TLS CA", presence(t.CACertificate, "the system's")},
		[]string{"TLS CLIENT CERTIFICATE", presence(t.ClientCertificate, "none")})
}

// presence tells of a text too long to show whether it is there.
func presence(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return fmt.Sprintf("given (%d octets)", len(text))
}
