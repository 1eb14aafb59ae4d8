package bench

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// A teller tells a running peer of many zones, with the tool that comes with it.
type teller struct {
	product product
	// prepare is done before the start of the server.
	prepare func(*testing.T, *secondary)
	ready   func(*secondary) *exec.Cmd
	// create and delete tell of zones.
	create, delete func(*testing.T, *secondary, []string)
}

// measure has a server create and delete all zones.
func (p teller) measure(t *testing.T, r results, from *primary) {
	t.Helper()
	s := newSecondary(t, p.product, from)
	if p.prepare != nil {
		p.prepare(t, s)
	}
	s.launch(t)
	harness.WaitFor(t, startLimit, func() bool { return p.ready(s).Run() == nil }, s.name+" to be ready")
	m := &manager{secondary: s}
	names := smallNames(*smallZones)
	for _, part := range []struct {
		step step
		tell func(*testing.T, *secondary, []string)
	}{{bulkCreate, p.create}, {bulkDelete, p.delete}} {
		m.timed(t, r, part.step, 1, func() error {
			part.tell(t, s, names)
			return nil
		})
	}
	s.end(t)
}

// nsdTeller tells NSD, of a few hundred zones at a time: nsd-control does not read
// the answers before it has sent everything, and with thousands neither goes on.
var nsdTeller = teller{
	product: products[0],
	ready:   func(s *secondary) *exec.Cmd { return nsdControl(s, "status") },
	create: func(t *testing.T, s *secondary, names []string) {
		nsdTell(t, s, "addzones", names, " secondary")
	},
	delete: func(t *testing.T, s *secondary, names []string) { nsdTell(t, s, "delzones", names, "") },
}

const nsdAtOnce = 200

func nsdControl(s *secondary, args ...string) *exec.Cmd {
	return exec.Command(harness.Find("nsd-control"), append([]string{"-c", s.configFile()}, args...)...)
}

func nsdTell(t *testing.T, s *secondary, verb string, names []string, more string) {
	t.Helper()
	for chunk := range slices.Chunk(names, nsdAtOnce) {
		var text strings.Builder
		for _, name := range chunk {
			text.WriteString(strings.TrimSuffix(name, ".") + more + "\n")
		}
		tell(t, nsdControl(s, verb), text.String())
	}
}

// knotTeller tells Knot, whose configuration is in a database then, so that it
// keeps the zones.
var knotTeller = teller{
	product: knotWithDatabase(),
	prepare: func(t *testing.T, s *secondary) {
		run(t, "knotc", "-C", filepath.Join(s.dir, "confdb"), "conf-import", s.configFile())
	},
	ready:  func(s *secondary) *exec.Cmd { return knotControl(s, "status") },
	create: func(t *testing.T, s *secondary, names []string) { knotTell(t, s, "conf-set", names) },
	delete: func(t *testing.T, s *secondary, names []string) { knotTell(t, s, "conf-unset", names) },
}

func knotWithDatabase() product {
	p := products[1]
	p.args = []string{"-C", "confdb"}
	p.config = func(s *secondary) string { return strings.TrimSuffix(knotConfig(s), knotZones(nil)) }
	return p
}

func knotControl(s *secondary, args ...string) *exec.Cmd {
	return exec.Command(harness.Find("knotc"), append([]string{"-t", "600", "-s", filepath.Join(s.dir, "knot.sock")}, args...)...)
}

func knotTell(t *testing.T, s *secondary, verb string, names []string) {
	t.Helper()
	var text strings.Builder
	text.WriteString("conf-begin\n")
	for _, name := range names {
		fmt.Fprintf(&text, "%s zone[%s]\n", verb, name)
	}
	text.WriteString("conf-commit\n")
	tell(t, knotControl(s), text.String())
}

// tell gives a tool its orders on standard input.
func tell(t *testing.T, cmd *exec.Cmd, orders string) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(orders), &out, &out
	ended := time.AfterFunc(fetchLimit, func() { _ = cmd.Process.Kill() }) // Run says so
	defer ended.Stop()
	if err := cmd.Run(); err != nil || strings.Contains(strings.ToLower(out.String()), "error") {
		t.Fatalf("%s: %v: %.500s", cmd.Path, err, out.String())
	}
}
