package bench

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secondaryd/test/harness"
)

// A secondary is one server with a folder of its own, started and stopped at will.
type secondary struct {
	product
	primary *primary
	addr    netip.AddrPort
	api     netip.AddrPort // ours only
	dir     string
	env     []string // beside what every server gets
	cpus    string   // the CPUs it may use, as taskset has it; empty for all
	threads int      // that answer; 0 for the product's default

	// Of ours only:
	settings string // more sections of the configuration
	refresh  int    // seconds between polls of each zone; 0 for a day

	program *harness.Program
}

// newSecondary prepares a secondary of all the primary's zones. Nothing runs yet.
func newSecondary(t *testing.T, p product, from *primary) *secondary {
	t.Helper()
	s := &secondary{product: p, primary: from, addr: harness.FreeAddr(t), api: harness.FreeAddr(t), dir: t.TempDir()}
	s.empty(t)
	t.Cleanup(func() {
		if log, err := os.ReadFile(s.logFile()); t.Failed() && err == nil {
			t.Logf("end of the log of %s:\n%s", s.name, log[max(0, len(log)-4096):])
		}
	})
	return s
}

// confine has the secondary, which doesn't run yet, answer with so many threads,
// on some CPUs only unless cpus is empty.
func (s *secondary) confine(t *testing.T, cpus string, threads int) {
	t.Helper()
	s.cpus, s.threads = cpus, threads
	s.empty(t)
}

// configure gives ours, which doesn't run yet, more settings than it needs to run.
func (s *secondary) configure(t *testing.T, settings string, refresh int) {
	t.Helper()
	s.settings, s.refresh = settings, refresh
	s.empty(t)
}

func (s *secondary) configFile() string { return filepath.Join(s.dir, "server.conf") }

func (s *secondary) logFile() string { return filepath.Join(s.dir, "log") }

// empty takes the secondary back to the state before its first transfer.
func (s *secondary) empty(t *testing.T) {
	t.Helper()
	s.remove(t)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, more := s.threading()
	put(t, s.configFile(), more+s.config(s))
}

// threading is what tells the program its number of threads.
func (s *secondary) threading() (args []string, config string) {
	if s.threads == 0 || s.workers == nil {
		return nil, ""
	}
	return s.workers(s.threads)
}

func (s *secondary) remove(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
}

// launch starts the program and does not wait for anything.
func (s *secondary) launch(t *testing.T) {
	t.Helper()
	path := harness.Find(s.product.program)
	if s.product.program == "" {
		path = harness.Build(t)
	}
	more, _ := s.threading()
	args := append(pinned(s.cpus, path), more...)
	for _, arg := range s.args {
		args = append(args, strings.ReplaceAll(arg, "{conf}", s.configFile()))
	}
	log, err := os.OpenFile(s.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "SECONDARYD_API_TOKEN=" + token}, s.env...)
	s.program = harness.Run(t, s.name, cmd)
}

// pinned is the command that runs program on some CPUs; empty means all.
func pinned(cpus, program string) []string {
	if cpus == "" {
		return []string{program}
	}
	return []string{"taskset", "-c", cpus, program}
}

func (s *secondary) group() group { return group(s.program.Group()) }

// A fetch is what the zones cost from the order to fetch them until served.
type fetch struct {
	wall time.Duration
	cpu  time.Duration
	peak int // of memory, in octets; 0 if not watched
}

// fetchLimit bounds a fetch of all zones.
const fetchLimit = 5 * time.Minute

// fetchFirst starts the secondary without any copy. A server that is configured by
// file begins with its start, one that is told by API when it is told.
func (s *secondary) fetchFirst(t *testing.T, watched bool) fetch {
	t.Helper()
	if s.order == nil {
		return s.fetch(t, watched, func() { s.launch(t) })
	}
	s.launch(t)
	client := s.client()
	harness.Wait(t, client.Ready, s.name+" to be ready")
	return s.fetch(t, watched, func() { s.order(t, s) })
}

// fetchConfigured starts a secondary that knows its zones and has no copy of any.
// Ours, which is told of zones by API, is told in a run before.
func (s *secondary) fetchConfigured(t *testing.T) fetch {
	t.Helper()
	if s.order != nil {
		s.fetchFirst(t, false)
		s.program.Stop()
		for _, name := range []string{"copies", "timers.db"} { // see docs/format.md
			if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s.fetch(t, false, func() { s.launch(t) })
}

// fetchNext tells the secondary of a change of the primary's zone.
func (s *secondary) fetchNext(t *testing.T, watched bool) fetch {
	t.Helper()
	s.primary.change(t)
	return s.fetch(t, watched, func() { s.notify(t) })
}

// notify tells the secondary that the first zone has changed.
func (s *secondary) notify(t *testing.T) {
	t.Helper()
	harness.Notify(t, s.addr.Addr(), s.addr, s.primary.zones[0], nil)
}

func (s *secondary) fetch(t *testing.T, watched bool, begin func()) fetch {
	t.Helper()
	return s.fetchAt(t, probeStep, watched, begin)
}

// fetchAt is fetch that looks every step whether all is served.
func (s *secondary) fetchAt(t *testing.T, step time.Duration, watched bool, begin func()) fetch {
	t.Helper()
	p := newProbes(t, s.addr, s.primary.zones, step)
	defer p.close()
	var f fetch
	if s.program != nil && s.program.Running() {
		f.cpu = -s.group().cpu()
	}
	start := time.Now()
	begin()
	var w *watcher
	if watched {
		w = watch(s.group())
	}
	p.wait(t, s.primary.serial, fetchLimit)
	f.wall = time.Since(start)
	f.cpu += s.group().cpu()
	if watched {
		f.peak = w.end()
	}
	return f
}

// restart stops the secondary, starts it and returns after what time it serves
// everything; fromDisk is false if it transferred anything for that.
func (s *secondary) restart(t *testing.T) (took time.Duration, fromDisk bool) {
	t.Helper()
	if s.persist != nil {
		s.persist(t, s)
		settle()
	}
	s.program.Stop()
	p := newProbes(t, s.addr, s.primary.zones, probeStep)
	defer p.close()
	before := s.primary.transfers(t)
	start := time.Now()
	s.launch(t)
	p.wait(t, s.primary.serial, fetchLimit)
	took = time.Since(start)
	lines := s.primary.transfers(t) - before
	if lines > 0 {
		say("%s transferred zones again after its restart, which doesn't count (%d lines in the primary's log)", s.name, lines)
	}
	return took, lines == 0
}

// end stops the secondary and removes its files.
func (s *secondary) end(t *testing.T) {
	t.Helper()
	s.program.Stop()
	s.remove(t)
}

// settle lets a server finish what it does after it has begun to serve, and give
// back memory; the time is part of what is measured.
func settle() { time.Sleep(*settleTime) }
