package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"secondaryd/configs"
	"secondaryd/internal/apiclient"
)

// remote is the daemon that a command manages: the flags that say which it is,
// who asks, and in which form the outcome is wanted.
type remote struct {
	url, token, tokenFile, caFile, account, config, output string
}

// sharedFlags are those that every command of a group has; the last is of tsig.
var sharedFlags = []string{"url", "token", "token-file", "ca-file", "account", "config", "output", "show-secret"}

const (
	outputTable = "table"
	outputJSON  = "json"
)

// managed is a group of commands for a running daemon.
func managed(use, short string, r *remote, commands ...*cobra.Command) *cobra.Command {
	cmd := group(use, short, commands...)
	flags := cmd.PersistentFlags()
	flags.StringVar(&r.url, "url", "", "`URL` of the API (or "+configs.ClientURLEnv+"; else the daemon's of --config, else of this machine)")
	flags.StringVar(&r.tokenFile, "token-file", "", "`FILE` with the API token (or "+configs.ClientTokenEnv+"; else the daemon's own, on its machine)")
	flags.StringVar(&r.token, "token", "", "the API `TOKEN`; whoever lists the processes sees it, so prefer --token-file")
	flags.StringVar(&r.caFile, "ca-file", "", "`FILE` of certificates (PEM) that certify the API, in place of the system's")
	flags.StringVar(&r.account, "account", "", "`ID` of the account whose objects are meant (or "+configs.ClientAccountEnv+")")
	flags.StringVar(&r.config, "config", "", "configuration `FILE` of a daemon on this machine, to find its API and its token")
	flags.StringVarP(&r.output, "output", "o", outputTable, "`FORM` of what is printed: table or json")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return r.check() }
	return cmd
}

func (r *remote) check() error {
	if r.output != outputTable && r.output != outputJSON {
		return misuse("--output %q is neither %s nor %s", r.output, outputTable, outputJSON)
	}
	if r.token != "" && r.tokenFile != "" {
		return misuse("--token and --token-file are both given")
	}
	return nil
}

// client makes the client that the flags, the environment and the configuration
// of a daemon on this machine ask for.
func (r *remote) client() (*apiclient.Client, error) {
	config, err := configs.Load(r.config, os.Environ())
	if err != nil && (r.config != "" || r.given() == "") {
		return nil, usageError{fmt.Errorf("the daemon's configuration: %w", err)}
	}
	if err != nil {
		config = configs.Default()
	}
	o := apiclient.Options{URL: r.given()}
	if o.URL == "" {
		o.URL = localURL(config.API)
	}
	if o.Token, err = r.findToken(o.URL, config.DataDir); err != nil {
		return nil, err
	}
	if o.RootCAs, err = r.roots(); err != nil {
		return nil, err
	}
	c, err := apiclient.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// given is the URL that was said, empty for none.
func (r *remote) given() string {
	return cmp.Or(r.url, os.Getenv(configs.ClientURLEnv))
}

// localURL is where a daemon with these settings is reached from its machine.
func localURL(c configs.API) string {
	scheme := "http"
	if c.TLS.CertFile != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return scheme + "://" + c.Listen
	}
	switch addr, err := netip.ParseAddr(host); {
	case host == "" || err == nil && addr == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && addr == netip.IPv6Unspecified():
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// findToken looks for the token. That of the daemon on this machine is for
// nobody else.
func (r *remote) findToken(to, dataDir string) (string, error) {
	if r.token != "" {
		return r.token, nil
	}
	if r.tokenFile != "" {
		text, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	if token := os.Getenv(configs.ClientTokenEnv); token != "" {
		return token, nil
	}
	if !local(to) {
		return "", misuse("no token: give --token-file, or %s in the environment", configs.ClientTokenEnv)
	}
	if token := os.Getenv(configs.TokenEnv); token != "" {
		return token, nil
	}
	path := filepath.Join(dataDir, tokenFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", misuse("no token: give --token-file, or %s in the environment (the daemon's own can't be read: %w)", configs.ClientTokenEnv, err)
	}
	return strings.TrimSpace(string(text)), err
}

// local reports whether a URL leads to this machine, by its loopback interface.
func local(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

func (r *remote) roots() (*x509.CertPool, error) {
	if r.caFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(r.caFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca-file %s has no certificate in PEM", r.caFile)
	}
	return pool, nil
}

// wanted is the account that was said, empty for none.
func (r *remote) wanted() string { return cmp.Or(r.account, os.Getenv(configs.ClientAccountEnv)) }

// needAccount is the account for what can't be done without one.
func (r *remote) needAccount() (string, error) {
	id := r.wanted()
	if id == "" {
		return "", misuse("which account? Say it with --account, or %s in the environment: any id, such as 32 hexadecimal digits, for a new one",
			configs.ClientAccountEnv)
	}
	if !apiclient.ValidID(id) {
		return "", misuse("the account %q is no id", id)
	}
	return id, nil
}
