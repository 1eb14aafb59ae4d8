package bench

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// startLimit is how long a server may take for what every server does soon.
const startLimit = time.Minute

// primary is the Knot that all secondaries transfer from.
type primary struct {
	addr        netip.AddrPort
	dir         string
	zones       []string
	serial      uint32
	incremental bool // it keeps a journal, and its secondaries ask for differences
}

// startPrimary serves all zones from one master file, which write makes. It keeps
// no journal, so every transfer is a full one.
func startPrimary(t *testing.T, zones []string, write func(*os.File) error) *primary {
	t.Helper()
	p := &primary{addr: harness.FreeAddr(t), dir: t.TempDir(), zones: zones, serial: serial}
	p.start(t, write)
	return p
}

// startIncremental is startPrimary with a journal. A change of the file becomes
// a difference when the zone is reloaded.
func startIncremental(t *testing.T, zones []string, write func(*os.File) error) *primary {
	t.Helper()
	p := &primary{addr: harness.FreeAddr(t), dir: t.TempDir(), zones: zones, serial: serial, incremental: true}
	p.start(t, write)
	return p
}

func (p *primary) start(t *testing.T, write func(*os.File) error) {
	t.Helper()
	p.write(t, write)
	journal := "none\n    zonefile-load: whole"
	if p.incremental {
		journal = "changes\n    zonefile-load: difference"
	}
	config := fmt.Sprintf(primaryConfig, p.dir, listenKnot(p.addr), p.dir, p.dir, journal) + knotZones(p.zones)
	put(t, filepath.Join(p.dir, "knot.conf"), config)
	cmd := exec.Command(harness.Find("knotd"), "-c", filepath.Join(p.dir, "knot.conf"))
	log := create(t, filepath.Join(p.dir, "log"))
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	harness.Run(t, "primary", cmd)
	awaitServed(t, newProbe(t, p.addr, p.zones), p.serial)
}

const primaryConfig = `
server:
    rundir: %q
    listen: %q
    tcp-io-timeout: 30000
control:
    listen: knot.sock
database:
    storage: %q
log:
  - target: stderr
    any: info
acl:
  - id: open
    action: transfer
    address: 127.0.0.0/8
template:
  - id: default
    storage: %q
    file: zone
    zonefile-sync: -1
    acl: open
    journal-content: %s
`

func listenKnot(a netip.AddrPort) string { return fmt.Sprintf("%s@%d", a.Addr(), a.Port()) }

func knotZones(zones []string) string {
	var b strings.Builder
	b.WriteString("zone:\n")
	for _, zone := range zones {
		fmt.Fprintf(&b, "  - domain: %s\n", zone)
	}
	return b.String()
}

// change gives the zone, the only one, its next serial, and adds records: owner,
// TTL, type and data of each.
func (p *primary) change(t *testing.T, records ...[]string) {
	t.Helper()
	p.serial++
	zone := p.zones[0]
	p.control(t, "zone-begin", zone)
	for _, record := range records {
		p.control(t, append([]string{"zone-set", zone}, record...)...)
	}
	p.control(t, "zone-set", zone, "@", "86400", "SOA", "ns1.nic", "hostmaster.nic", fmt.Sprint(p.serial), "7200", "600", "2419200", "300")
	p.control(t, "zone-commit", zone)
	awaitServed(t, newProbe(t, p.addr, p.zones), p.serial)
}

// write makes the master file.
func (p *primary) write(t *testing.T, write func(*os.File) error) {
	t.Helper()
	f := create(t, filepath.Join(p.dir, "zone"))
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// reload has the zone, the only one, be what is in a new master file, which has
// the serial that p.serial was set to.
func (p *primary) reload(t *testing.T, write func(*os.File) error) {
	t.Helper()
	p.write(t, write)
	p.control(t, "zone-reload", p.zones[0])
	awaitServed(t, newProbe(t, p.addr, p.zones), p.serial)
}

func (p *primary) control(t *testing.T, args ...string) {
	t.Helper()
	run(t, "knotc", append([]string{"-s", filepath.Join(p.dir, "knot.sock")}, args...)...)
}

// transfers counts the lines of the log that tell of a transfer so far.
func (p *primary) transfers(t *testing.T) int {
	t.Helper()
	return p.logged(t, outgoing)
}

var (
	outgoing            = regexp.MustCompile(`XFR, outgoing, remote`)
	outgoingIncremental = regexp.MustCompile(`IXFR, outgoing, remote .* finished`)
)

// logged counts the matches in the log so far.
func (p *primary) logged(t *testing.T, what *regexp.Regexp) int {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return len(what.FindAllIndex(log, -1))
}

// awaitServed closes the probe when all its zones are served.
func awaitServed(t *testing.T, p *probe, serial uint32) {
	t.Helper()
	defer p.close()
	p.wait(t, serial, startLimit)
}

// run runs a command of a server to its end.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), harness.Find(program), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}

func create(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
