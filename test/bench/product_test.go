package bench

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// A product is one of the servers that are compared.
type product struct {
	name    string
	program string   // empty for ours, which is built
	args    []string // {conf} stands for the configuration file
	config  func(*secondary) string
	// order has a running server fetch its zones, where the configuration does
	// not.
	order func(*testing.T, *secondary)
	// workers has the server answer with n threads or processes: more arguments
	// and more configuration. Ours takes one for each CPU that it may use.
	workers func(n int) (args []string, config string)
	// persist has a running server write its zones to disk, or waits for that,
	// where it takes longer than a settling.
	persist func(*testing.T, *secondary)
}

// products are the peers and, last, ours. All run with their defaults, except for
// limits that would have them wait instead of work.
var products = []product{
	{name: "NSD", program: "nsd", args: []string{"-d", "-c", "{conf}"}, config: nsdConfig, workers: nsdWorkers, persist: nsdPersist},
	{name: "Knot", program: "knotd", args: []string{"-c", "{conf}"}, config: knotConfig, workers: knotWorkers},
	{name: "BIND", program: "named", args: []string{"-g", "-c", "{conf}"}, config: bindConfig, workers: bindWorkers, persist: bindPersist},
	ours,
}

func nsdConfig(s *secondary) string {
	kind := "AXFR "
	if s.primary.incremental {
		kind = "" // IXFR, and AXFR where that won't do
	}
	return fmt.Sprintf(`
server:
    ip-address: %s@%d
    username: ""
    chroot: ""
    zonesdir: %q
    database: ""
    pidfile: nsd.pid
    xfrdfile: xfrd.state
    xfrdir: %q
    zonelistfile: zone.list
    rrl-ratelimit: 0
    xfrd-reload-timeout: 0
remote-control:
    control-enable: yes
    control-interface: %q
pattern:
    name: secondary
    zonefile: "%%s.zone"
    allow-notify: 127.0.0.1 NOKEY
    request-xfr: %s%s@%d NOKEY
`, s.addr.Addr(), s.addr.Port(), s.dir, s.dir, filepath.Join(s.dir, "nsd.sock"), kind, s.primary.addr.Addr(), s.primary.addr.Port()) +
		s.eachZone("zone:\n    name: %q\n    include-pattern: secondary\n")
}

func nsdWorkers(n int) ([]string, string) {
	return nil, fmt.Sprintf("server:\n    server-count: %d\n    reuseport: yes\n", n)
}

// By default NSD writes what it has transferred once an hour.
func nsdPersist(t *testing.T, s *secondary) {
	run(t, "nsd-control", "-c", s.configFile(), "write")
}

func knotConfig(s *secondary) string {
	sync := 0 // the default: the zone's file is written after each change
	if s.primary.incremental {
		sync = -1 // the journal is enough, as it is for the others
	}
	return fmt.Sprintf(`
server:
    rundir: %q
    listen: %q
control:
    listen: knot.sock
database:
    storage: %q
log:
  - target: stderr
    any: info
remote:
  - id: primary
    address: %q
acl:
  - id: primary
    action: notify
    address: 127.0.0.1
template:
  - id: default
    storage: %q
    master: primary
    acl: primary
    zonefile-sync: %d
`, s.dir, listenKnot(s.addr), s.dir, listenKnot(s.primary.addr), s.dir, sync) + knotZones(s.primary.zones)
}

func knotWorkers(n int) ([]string, string) {
	return nil, fmt.Sprintf("server:\n    udp-workers: %d\n    tcp-workers: %d\n    background-workers: %d\n", n, n, n)
}

func bindConfig(s *secondary) string {
	zone := fmt.Sprintf("zone %%q {\n    type secondary;\n    file \"%%[1]szone\";\n    primaries { %s port %d; };\n};\n",
		s.primary.addr.Addr(), s.primary.addr.Port())
	return fmt.Sprintf(`
options {
    directory %q;
    pid-file "named.pid";
    session-keyfile "session.key";
    managed-keys-directory ".";
    listen-on port %d { %s; };
    listen-on-v6 { none; };
    recursion no;
    empty-zones-enable no;
    dnssec-validation no;
    notify no;
    request-ixfr %s;
    serial-query-rate 10000;
    transfers-in 100;
    transfers-per-ns 100;
};
controls { };
`, s.dir, s.addr.Port(), s.addr.Addr(), yesNo[s.primary.incremental]) + s.eachZone(zone)
}

var yesNo = map[bool]string{true: "yes", false: "no"}

func bindWorkers(n int) ([]string, string) { return []string{"-n", strconv.Itoa(n)}, "" }

// BIND writes its zones one after the other, and forgets the rest when it stops.
func bindPersist(t *testing.T, s *secondary) {
	t.Helper()
	harness.WaitFor(t, fetchLimit, func() bool {
		files, err := filepath.Glob(filepath.Join(s.dir, "*.zone"))
		return err == nil && len(files) >= len(s.primary.zones)
	}, "BIND to write its zones")
}

// eachZone joins the stanzas of all zones.
func (s *secondary) eachZone(format string) string {
	var b strings.Builder
	for _, zone := range s.primary.zones {
		fmt.Fprintf(&b, format, zone)
	}
	return b.String()
}
