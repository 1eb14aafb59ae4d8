package bench

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"secondaryd/test/harness"
)

var (
	seconds = flag.Float64("seconds", 5, "how long each server is asked in each round")
	setList = flag.String("sets", "mid,tld,nsec,nsec3,collection,tcp,"+transferSet, "the sets of zones and queries, with commas")
)

// A bench is a run of the benchmark of answers.
type bench struct {
	results
	chosen []product
	loader string // the programs
	floor  string
	cpus   struct{ server, loader string }
}

func TestDNS(t *testing.T) {
	if os.Getenv("BENCH_DNS") != "1" {
		t.Skip("a benchmark of many minutes: make bench-dns")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the load and the CPU of other processes are those of Linux")
	}
	need(t)
	harness.Build(t)
	b := &bench{results: results{}, chosen: present(t), loader: compile(t, "loader"), floor: compile(t, floorName)}
	b.cpus.server, b.cpus.loader = twoCPUs(t)
	of := table{columns: append(slices.Clone(peers), ours.name, floorName), ratios: peers}
	defer func() { b.print(os.Stdout, of) }()
	for name := range strings.SplitSeq(*setList, ",") {
		if name == transferSet {
			of.metrics = append(of.metrics, whileLoaded...)
			t.Run(name, b.measureTransfers)
			continue
		}
		i := slices.IndexFunc(querySets, func(s *set) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("no set %q", name)
		}
		loads := loadsOf(querySets[i])
		for _, m := range loads {
			of.metrics = append(of.metrics, m.metrics()...)
		}
		t.Run(name, func(t *testing.T) { b.measureSet(t, querySets[i], loads) })
	}
}

// length is how long a server is asked.
func length() time.Duration { return time.Duration(*seconds * float64(time.Second)) }

// measureSet asks all servers in turn. They run side by side, since those that
// are not asked do nothing.
func (b *bench) measureSet(t *testing.T, s *set, loads []measuredLoad) {
	from, queries := s.start(t)
	file := filepath.Join(t.TempDir(), "queries")
	put(t, file, string(stream(queries)))
	servers := b.startAll(t, from, b.cpus.server, 1)
	askAlike(t, servers, queries)
	responders := respondersOf(servers)
	if s.floor {
		responders = append(responders, startFloor(t, b.floor, b.cpus.server))
	}
	for round := range *rounds + 1 {
		for _, at := range responders {
			for _, m := range loads {
				l := b.prepare(m.load, file)
				if round == 0 { // to warm up
					l.length = min(l.length, time.Second)
					l.on(t, at.addr)
					continue
				}
				say("%s, round %d of %d: %s, %s", s.name, round, *rounds, at.name, m.by)
				b.measure(t, m, l, at)
			}
		}
	}
	for _, s := range servers {
		s.end(t)
	}
}

// startAll starts the chosen servers as secondaries, confined to CPUs and to a
// number of threads, and has them fetch their zones.
func (b *bench) startAll(t *testing.T, from *primary, cpus string, threads int) []*secondary {
	t.Helper()
	var servers []*secondary
	for _, p := range b.chosen {
		s := newSecondary(t, p, from)
		s.confine(t, cpus, threads)
		took := s.fetchFirst(t, false).wall
		say("%s serves after %v", s.name, took.Round(time.Millisecond))
		servers = append(servers, s)
	}
	return servers
}

func respondersOf(servers []*secondary) []responder {
	var all []responder
	for _, s := range servers {
		all = append(all, responder{s.name, s.addr, s.group()})
	}
	return all
}

// prepare fills in what loads have in common.
func (b *bench) prepare(l load, file string) load {
	l.file, l.cpus, l.length = file, b.cpus.loader, length()
	if l.saturating {
		l.program = b.loader
	}
	return l
}

const (
	// saturated is the share of time from which on a core counts as fully used.
	saturated = 0.9
	// tries is how often a server may be found not saturated, for instance
	// because something else runs on the machine.
	tries = 3
)

// measure puts the load on one server and keeps what it costs.
func (b *bench) measure(t *testing.T, m measuredLoad, l load, at responder) {
	t.Helper()
	o, cpu := l.cost(t, at)
	b.add(m.lost, at.name, float64(o.lost))
	for try := 1; l.saturating && cpu.Seconds() < saturated*o.took.Seconds(); try++ {
		say("%s was busy for %.0f %% of the time only: the machine is not quiet", at.name, percent(cpu, o.took))
		if try == tries {
			break
		}
		o, cpu = l.cost(t, at)
		b.add(m.lost, at.name, float64(o.lost))
	}
	each := float64(cpu.Nanoseconds()) / 1000 / float64(o.answered)
	b.add(m.cpu, at.name, each)
	b.add(m.rate, at.name, o.rate())
	b.add(m.busy, at.name, percent(cpu, o.took))
	if m.aboveFloor != nil {
		b.add(m.aboveFloor, at.name, each)
	}
	if l.saturating {
		b.add(m.p50, at.name, o.p50)
		b.add(m.p99, at.name, o.p99)
	}
}

// cost returns also the CPU time that the server needs for the load.
func (l load) cost(t *testing.T, at responder) (outcome, time.Duration) {
	t.Helper()
	before := at.group.cpu()
	o := l.on(t, at.addr)
	return o, at.group.cpu() - before
}

func percent(part, whole time.Duration) float64 { return 100 * part.Seconds() / whole.Seconds() }

// twoCPUs returns the first and the last CPU that this process may use, so that
// they are seldom two threads of one core.
func twoCPUs(t *testing.T) (server, loader string) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	first, last, ok := ends(list)
	if !ok {
		t.Fatalf("two CPUs are needed, one for the server and one for the load; this process may use %s", list)
	}
	return first, last
}

// ends returns the first and the last number of a list like "0-3,6".
func ends(list string) (first, last string, ok bool) {
	numbers := strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) < 2 {
		return "", "", false
	}
	return numbers[0], numbers[len(numbers)-1], true
}
