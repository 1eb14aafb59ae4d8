package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A load is queries to one server. Our own loader saturates it by UDP; dnsperf,
// which makes system calls for each message, can't do so from one core, but knows
// TCP.
type load struct {
	saturating bool // by our own loader
	tcp        bool // dnsperf only

	program string // our loader, if it is that
	file    string // of queries, as dnsperf -B reads it
	cpus    string // that send them; empty for all

	sockets int
	window  int           // queries outstanding at most
	rate    int           // queries a second; 0 for as many as are answered
	length  time.Duration // unless it is stopped before
}

const (
	outstandingQueries = 256
	fewConnections     = 8
	senders            = 4  // sockets
	manySenders        = 32 // sockets, so that the kernel deals them out to all workers
	maxOutstanding     = 60_000
)

// An outcome is what became of the queries. Latency is in microseconds.
type outcome struct {
	sent, answered, lost int
	dropped              int // answers that the loader itself had no room for
	noError, nxDomain    int
	took                 time.Duration
	p50, p99, p999       float64 // our loader only
}

func (o outcome) rate() float64 { return float64(o.answered) / o.took.Seconds() }

// command is what puts the load on a server.
func (l load) command(addr netip.AddrPort) []string {
	seconds := strconv.FormatFloat(l.length.Seconds(), 'f', -1, 64)
	port := strconv.Itoa(int(addr.Port()))
	if l.saturating {
		return append(pinned(l.cpus, l.program), port, l.file, strconv.Itoa(l.sockets), strconv.Itoa(l.window), strconv.Itoa(l.rate), seconds)
	}
	mode := "udp"
	if l.tcp {
		mode = "tcp"
	}
	return append(pinned(l.cpus, "dnsperf"), "-m", mode, "-s", addr.Addr().String(), "-p", port, "-B", "-d", l.file,
		"-c", strconv.Itoa(l.sockets), "-q", strconv.Itoa(l.window), "-l", seconds, "-t", "1", "-b", "4096", "-O", "suppress=timeout")
}

// A running load. End it with wait or stop.
type running struct {
	load load
	cmd  *exec.Cmd
	out  bytes.Buffer
}

func (l load) start(t *testing.T, addr netip.AddrPort) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), l.length+time.Minute)
	t.Cleanup(cancel)
	command := l.command(addr)
	r := &running{load: l, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *running) stop(t *testing.T) outcome {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return r.wait(t)
}

func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	if err := r.cmd.Wait(); err != nil {
		t.Fatalf("%q: %v: %s", r.cmd.Args, err, r.out.Bytes())
	}
	parse := parseDnsperf
	if r.load.saturating {
		parse = parseLoader
	}
	o, err := parse(r.out.String())
	if err != nil {
		t.Fatalf("%q: %v: %s", r.cmd.Args, err, r.out.Bytes())
	}
	if o.dropped > 0 {
		say("the loader itself had no room for %d answers, which count as lost", o.dropped)
	}
	return o
}

// on puts the load on a server until its time is over.
func (l load) on(t *testing.T, addr netip.AddrPort) outcome {
	t.Helper()
	return l.start(t, addr).wait(t)
}

// parseLoader reads lines of a key and a number.
func parseLoader(text string) (outcome, error) {
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return outcome{}, fmt.Errorf("can't read %q", line)
		}
		values[key] = number
	}
	o := outcome{
		sent: int(values["sent"]), answered: int(values["answered"]), lost: int(values["lost"]), dropped: int(values["dropped"]),
		noError: int(values["noerror"]), nxDomain: int(values["nxdomain"]),
		took: time.Duration(values["seconds"] * float64(time.Second)),
		p50:  values["p50"], p99: values["p99"], p999: values["p99.9"],
	}
	return o, o.check()
}

// parseDnsperf reads the statistics that dnsperf ends with.
func parseDnsperf(text string) (outcome, error) {
	var o outcome
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		var err error
		switch name {
		case "Queries sent":
			o.sent, err = firstNumber(value)
		case "Queries completed":
			o.answered, err = firstNumber(value)
		case "Queries lost":
			o.lost, err = firstNumber(value)
		case "Run time (s)":
			var seconds float64
			seconds, err = strconv.ParseFloat(strings.TrimSpace(value), 64)
			o.took = time.Duration(seconds * float64(time.Second))
		case "Response codes":
			o.noError, o.nxDomain, err = responseCodes(value)
		}
		if err != nil {
			return o, fmt.Errorf("can't read %q: %w", lines.Text(), err)
		}
	}
	return o, o.check()
}

func firstNumber(text string) (int, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0, errors.New("no number")
	}
	return strconv.Atoi(fields[0])
}

// responseCodes reads a list like "NOERROR 7 (70.00%), NXDOMAIN 3 (30.00%)".
func responseCodes(text string) (noError, nxDomain int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		var n int
		name, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
		if n, err = firstNumber(rest); err != nil {
			return 0, 0, err
		}
		switch name {
		case "NOERROR":
			noError = n
		case "NXDOMAIN":
			nxDomain = n
		}
	}
	return noError, nxDomain, nil
}

// check says whether a server has answered, and only as it should.
func (o outcome) check() error {
	if o.answered == 0 || o.took <= 0 {
		return errors.New("nothing was answered")
	}
	if other := o.answered - o.noError - o.nxDomain; other != 0 {
		return fmt.Errorf("%d of %d answers have an RCODE other than NOERROR and NXDOMAIN", other, o.answered)
	}
	return nil
}
