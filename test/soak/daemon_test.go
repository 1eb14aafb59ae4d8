package soak

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// start starts everything and waits until the stable zones are served.
func (s *soak) start(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	s.zones = makeZones(s.scale.zones)
	s.bigQuery = makeBigQuery(t, s.zones[2])
	s.closed = harness.FreeAddr(t)
	s.raceLog, s.cookies = filepath.Join(dir, "race"), filepath.Join(dir, "cookies")
	s.turnCookies(t, 0)
	s.startPrimaries(t)
	s.daemon = harness.StartDaemon(t, harness.DaemonOptions{
		Race:     true,
		LogLevel: "error",
		Config: "shutdown_timeout: " + shutdownTimeout.String() +
			"\ntransfer:\n  message_timeout: 1s\n  first_message_timeout: 1s\n  soa_queries_per_second_per_peer: 1000",
		Env: []string{
			"GORACE=exitcode=66 log_path=" + s.raceLog,
			"SECONDARYD_DNS_ANY=full",
			"SECONDARYD_DNS_IDENTITY=soak",
			"SECONDARYD_DNS_NSID=soak",
			"SECONDARYD_DNS_RATE_LIMIT_RESPONSES_PER_SECOND=100",
			"SECONDARYD_DNS_RATE_LIMIT_LOG_ONLY=true",
			"SECONDARYD_DNS_COOKIE_SECRET_FILE=" + s.cookies,
			"SECONDARYD_DNS_TCP_IDLE_TIMEOUT=3s",
			"SECONDARYD_DNS_TCP_READ_TIMEOUT=2s",
			"SECONDARYD_DNS_TCP_WRITE_TIMEOUT=" + writeTimeout.String(),
			"SECONDARYD_DNS_TCP_MAX_CONNECTIONS_PER_ADDRESS=60",
			"SECONDARYD_NOTIFY_MAX_PER_SECOND_PER_SOURCE=100",
		},
	})
	s.createPeers(t)
	for _, z := range s.zones {
		s.daemon.Zone(t, z.name, s.plain, s.keyed)
	}
	for _, z := range s.zones {
		harness.WaitSerial(t, s.daemon.DNS, z.name, z.latest.Load())
	}
	s.primary.Script(unsteady)
}

// reload has the daemon take over another log level and other cookie secrets.
func (s *soak) reload(t testing.TB, number int) {
	t.Helper()
	s.daemon.Options.LogLevel = "error"
	if number%2 == 0 {
		s.daemon.Options.LogLevel = "warn"
	}
	s.daemon.WriteConfig(t)
	s.turnCookies(t, number)
	s.daemon.Signal(syscall.SIGHUP)
}

// turnCookies writes the daemon's cookie secrets: the number's own and that of
// the one before.
func (s *soak) turnCookies(t testing.TB, number int) {
	t.Helper()
	digit := func(n int) string { return strings.Repeat(string("0123456789abcdef"[n%16]), 32) }
	if err := os.WriteFile(s.cookies, []byte(digit(number+1)+"\n"+digit(number)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// stop has the daemon stop in time.
func (s *soak) stop(t testing.TB) {
	t.Helper()
	s.stopping.Store(true)
	begin := time.Now()
	s.daemon.Stop(t)
	took := time.Since(begin)
	t.Logf("stopped in %v", took)
	if took > shutdownTimeout+2*time.Second {
		t.Errorf("the daemon took %v to stop, and shutdown_timeout is %v", took, shutdownTimeout)
	}
}

// restart finds each zone on disk as it was, since no primary gives it.
func (s *soak) restart(t testing.TB) {
	t.Helper()
	s.primary.Script(primary.Rcode(dns.RcodeRefused))
	s.daemon.Start(t)
	for _, z := range s.zones {
		if got, ok := harness.Serial(s.daemon.DNS, z.name); !ok || got != z.latest.Load() {
			t.Errorf("after a restart %s has serial %d (served: %t), want %d", z.name, got, ok, z.latest.Load())
		}
	}
	s.daemon.Stop(t)
}
