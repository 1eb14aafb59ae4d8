package bench

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// floorName is the column of what no server can do better: of the responder that only
// flips one bit, or of a primary's stream that nobody looks at.
const floorName = "floor"

// A responder is whatever a load can be put on.
type responder struct {
	name  string
	addr  netip.AddrPort
	group group
}

// need fails where a program is missing, and says which Debian package has it.
func need(t *testing.T) {
	t.Helper()
	var missing []string
	for _, p := range []struct{ program, debian string }{
		{"dnsperf", "dnsperf"},
		{"gcc", "gcc libc6-dev"},
		{"dnssec-signzone", "bind9-utils"},
		{"dnssec-keygen", "bind9-utils"},
		{"delv", "bind9-dnsutils"},
		{"taskset", "util-linux"},
	} {
		if harness.Find(p.program) == "" {
			missing = append(missing, p.program+" (Debian: "+p.debian+")")
		}
	}
	if len(missing) > 0 {
		t.Fatalf("not installed: %s", strings.Join(missing, ", "))
	}
}

// compile builds a program of one C file in a folder of its own name.
func compile(t *testing.T, name string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, filepath.Join(name, name+".c"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gcc %s: %v: %s", name, err, out)
	}
	return path
}

func startFloor(t *testing.T, program, cpus string) responder {
	t.Helper()
	addr := harness.FreeAddr(t)
	command := append(pinned(cpus, program), strconv.Itoa(int(addr.Port())))
	running := harness.Run(t, floorName, exec.Command(command[0], command[1:]...))
	asker := newAsker(t, addr)
	query, err := question{"@", 1}.query("example.", false)
	if err != nil {
		t.Fatal(err)
	}
	harness.Wait(t, func() bool {
		_, err := asker.UDP(query, probeStep)
		return err == nil
	}, "the floor to answer")
	return responder{floorName, addr, group(running.Group())}
}

func newAsker(t *testing.T, addr netip.AddrPort) *harness.Asker {
	t.Helper()
	asker, err := harness.NewAsker(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(asker.Close)
	return asker
}
