package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/configs"
	"secondaryd/metrics"
	"secondaryd/nameserver"
	"secondaryd/zonestore"
)

// The secrets in the file count at once; a file that can't be used changes nothing.
func TestReloadCookies(t *testing.T) {
	t.Parallel()
	const first, second = "e5e973e5a6b2a43f48e7dc849e37bfcf\n", "445536bcd2513298075a5d379663c962\n"
	path := filepath.Join(t.TempDir(), "secrets")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first)
	secrets, err := cookieSecrets(path, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	server := startDNS(t, nameserver.Options{Cookies: true, CookieSecrets: secrets})
	core, logs := observer.New(zap.ErrorLevel)
	r := &reloader{now: configs.Config{DNS: configs.DNS{CookieSecretFile: path}}, dns: server, log: zap.New(core)}
	old, _ := askCookie(t, server, "0102030405060708")
	for _, step := range []struct {
		name, text string
		rcode      int // of the question whether the first cookie is good
		errors     int
	}{
		{"the same", first, dns.RcodeSuccess, 0},
		{"a second one", first + second, dns.RcodeSuccess, 0},
		{"swapped", second + first, dns.RcodeSuccess, 0},
		{"the first is gone", second, dns.RcodeBadCookie, 0},
		{"damaged", first + "?", dns.RcodeBadCookie, 1},
	} {
		write(step.text)
		r.reloadCookies(path)
		if _, rcode := askCookie(t, server, old); rcode != step.rcode || len(logs.TakeAll()) != step.errors {
			t.Errorf("%s: got %s, want %s and %d errors", step.name, dns.RcodeToString[rcode], dns.RcodeToString[step.rcode], step.errors)
		}
	}
}

// startDNS runs a server without zones until the test ends.
func startDNS(t *testing.T, o nameserver.Options) *nameserver.Server {
	t.Helper()
	store, err := zonestore.Open(zonestore.Options{Dir: t.TempDir(), Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	o.Listen, o.Zones, o.Metrics, o.Log = []string{"127.0.0.1:0"}, store, metrics.NewDNS(prometheus.NewRegistry()), zap.NewNop()
	server, err := nameserver.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// askCookie sends a cookie, in hexadecimal digits, without a question, and
// returns the cookie of the answer and its response code.
func askCookie(t *testing.T, server *nameserver.Server, cookie string) (string, int) {
	t.Helper()
	query := &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id()}}
	query.SetEdns0(1232, false)
	query.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookie}}
	client := &dns.Client{Net: "tcp", Timeout: 10 * time.Second}
	answer, _, err := client.Exchange(query, server.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range answer.IsEdns0().Option {
		if c, ok := option.(*dns.EDNS0_COOKIE); ok {
			return c.Cookie, answer.Rcode
		}
	}
	t.Fatalf("no cookie in %v", answer)
	return "", 0
}
