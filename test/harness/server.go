package harness

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Zone is a zone for a real server: the text of its file, and the key that a
// transfer must be signed with, by name; empty means that transfers are open. A
// secondary needs no text.
type Zone struct {
	Name string
	Text string
	Key  string
	// History has a primary keep the differences between the versions that it
	// loads, and hand them out by IXFR. An NSD that is a secondary asks for them,
	// and hands them on.
	History bool
	// Signing has the primary sign the zone, with serials of its own. Only Knot
	// does it.
	Signing Signing
}

// Signing is how a primary that signs a zone proves that something does not
// exist.
type Signing string

// The ways of signing; the zero value is none.
const (
	SigningNSEC  Signing = "nsec"
	SigningNSEC3 Signing = "nsec3"
)

// ServerOptions say what a real server serves.
type ServerOptions struct {
	Zones []Zone
	Keys  []Key
	// Primary, when set, makes the server a secondary of all its zones, which
	// it transfers from there.
	Primary netip.AddrPort
	// Notify lists whom changes are told to. It is signed with the zone's key.
	Notify []netip.AddrPort
	TLS    *ServerTLS // nil: none
	// NotifyFrom is the address of this machine that it is sent from, zero for
	// any.
	NotifyFrom netip.Addr
}

// Server is a real server on 127.0.0.1, the primary of its zones unless
// ServerOptions.Primary is set.
type Server struct {
	Name string
	Addr netip.AddrPort
	TLS  netip.AddrPort // with ServerOptions.TLS

	dir     string
	options ServerOptions
	product product
	process *process
	written time.Time // what the zone files' times are
}

// product is what differs between the servers.
type product struct {
	name    string
	program string
	args    []string // {conf} stands for the configuration file
	config  func(*Server) string
	signs   bool // knows Zone.Signing
}

// Primaries are the constructors of all real servers, for tests that want each.
var Primaries = []struct {
	Name  string
	Start func(testing.TB, ServerOptions) *Server
}{{"NSD", NSD}, {"Knot", Knot}, {"BIND", BIND}}

// startServer starts the product on a free port and waits until it answers for
// all its zones.
func startServer(t testing.TB, p product, o ServerOptions) *Server {
	t.Helper()
	p.program = installed(t, p.name, p.program)
	o.Zones = slices.Clone(o.Zones) // Reload changes them
	if !p.signs && slices.ContainsFunc(o.Zones, func(z Zone) bool { return z.Signing != "" }) {
		t.Fatalf("%s is not set up to sign zones", p.name)
	}
	for range startTries {
		s := &Server{Name: p.name, Addr: FreeAddr(t), dir: shortTempDir(t), options: o, product: p}
		s.withTLS(t)
		s.configure(t)
		s.launch(t)
		if s.answers() {
			return s
		}
		if s.process.running() {
			break
		}
	}
	t.Fatalf("%s did not come to answer for its zones", p.name)
	return nil
}

// configure writes the configuration and, at a primary, the zone files.
func (s *Server) configure(t testing.TB) {
	t.Helper()
	s.write(t, "server.conf", s.product.config(s))
	if s.secondary() {
		return
	}
	for _, z := range s.options.Zones {
		s.writeZone(t, z.Name, z.Text)
	}
}

func (s *Server) secondary() bool { return s.options.Primary.IsValid() }

// installed returns the path of a product's program. Where there is none the
// test is skipped, with CI=true it fails.
func installed(t testing.TB, product, program string) string {
	t.Helper()
	path := find(program)
	if path == "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed (no program %s), and in CI it must be", product, program)
	}
	if path == "" {
		t.Skipf("%s is not installed (no program %s): its tests are skipped", product, program)
	}
	return path
}

// find looks where daemons are when they are not on the path of a plain user.
func find(program string) string {
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// shortTempDir is a directory whose path leaves room for a Unix socket's name,
// which t.TempDir with its long test names does not.
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "primary-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	return dir
}

func (s *Server) launch(t testing.TB) {
	t.Helper()
	args := make([]string, len(s.product.args))
	for i, arg := range s.product.args {
		args[i] = strings.ReplaceAll(arg, "{conf}", s.path("server.conf"))
	}
	cmd := exec.Command(s.product.program, args...)
	cmd.Dir = s.dir
	s.process = start(t, s.Name, cmd, nil)
}

// answers waits until all zones are served or the process has ended.
func (s *Server) answers() bool {
	return poll(waitLimit, func() bool {
		if !s.process.running() {
			return true
		}
		for _, z := range s.options.Zones {
			if _, ok := Serial(s.Addr, z.Name); !ok {
				return false
			}
		}
		return true
	}) && s.process.running()
}

// Stop ends the server and waits for it.
func (s *Server) Stop() { s.process.end(syscall.SIGTERM) }

// Start starts it again on the same address after Stop.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.launch(t)
	if !s.answers() {
		t.Fatalf("%s did not come to answer again", s.Name)
	}
}

// Records are the zone's records as the server hands them out.
func (s *Server) Records(t testing.TB, zone string) []dns.RR {
	t.Helper()
	return Transfer(t, s.Addr, zone, s.key(s.keyOf(zone)))
}

func (s *Server) keyOf(zone string) string {
	for _, z := range s.options.Zones {
		if dns.CanonicalName(z.Name) == dns.CanonicalName(zone) {
			return z.Key
		}
	}
	return ""
}

// key is the key of this name, nil for none.
func (s *Server) key(name string) *Key {
	for _, k := range s.options.Keys {
		if name != "" && dns.CanonicalName(k.Name) == dns.CanonicalName(name) {
			return &k
		}
	}
	return nil
}

func (s *Server) path(file string) string { return filepath.Join(s.dir, file) }

func (s *Server) write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(s.path(file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func zoneFile(zone string) string {
	return strings.TrimSuffix(dns.CanonicalName(zone), ".") + ".zone"
}

// bare is a name or an algorithm without the last dot.
func bare(name string) string { return strings.TrimSuffix(name, ".") }

// lines joins what f makes of each element.
func lines[T any](list []T, f func(T) string) string {
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintln(&b, f(v))
	}
	return b.String()
}
