package harness

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// startTries is how often a server may find its ports taken.
const startTries = 3

// token is the administrator's token of all daemons that tests start.
const token = "test-token-of-the-harness-0123456789"

// DaemonOptions are what a test may choose of a daemon.
type DaemonOptions struct {
	// Config is more YAML, sections of the top level other than data_dir,
	// log, dns and api.
	Config string
	// LogLevel is debug unless set.
	LogLevel string
	// NoToken leaves the API token to the daemon.
	NoToken bool
	// Race runs a binary with the race detector: see BuildRace.
	Race bool
	// Env is more environment, as NAME=value.
	Env []string
}

// Daemon is a secondaryd with a configuration and a data directory of its own,
// that can be stopped, killed and started again.
type Daemon struct {
	DNS     netip.AddrPort
	API     netip.AddrPort
	DataDir string
	Config  string // path of the configuration file
	Client  *Client
	Log     *Log

	Options DaemonOptions // a change counts from the next WriteConfig on

	process *process
}

// StartDaemon builds the binary if need be, starts a daemon on free ports and
// waits until it is ready.
func StartDaemon(t testing.TB, o DaemonOptions) *Daemon {
	t.Helper()
	dir := t.TempDir()
	for range startTries {
		d := &Daemon{
			DNS:     FreeAddr(t),
			API:     FreeAddr(t),
			DataDir: filepath.Join(dir, "data"),
			Config:  filepath.Join(dir, "secondaryd.yaml"),
			Log:     new(Log),
			Options: o,
		}
		d.Client = &Client{Base: "http://" + d.API.String()}
		if !o.NoToken {
			d.Client.Token = token
		}
		d.WriteConfig(t)
		d.start(t)
		if d.becomesReady() {
			return d
		}
		if !strings.Contains(d.process.out.String(), "in use") {
			t.Fatal("the daemon did not become ready")
		}
	}
	t.Fatal("the daemon found its ports taken each time")
	return nil
}

// WriteConfig writes the configuration file.
func (d *Daemon) WriteConfig(t testing.TB) {
	t.Helper()
	level := cmp.Or(d.Options.LogLevel, "debug")
	text := fmt.Sprintf("data_dir: %q\nlog:\n  level: %s\n  format: json\ndns:\n  listen: [%q]\napi:\n  listen: %q\n%s\n",
		d.DataDir, level, d.DNS, d.API, d.Options.Config)
	if err := os.WriteFile(d.Config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Command is `secondaryd serve` with a configuration file and the environment of
// the daemon, not started.
func (d *Daemon) Command(t testing.TB, config string) *exec.Cmd {
	t.Helper()
	build := Build
	if Race || d.Options.Race {
		build = BuildRace
	}
	cmd := exec.Command(build(t), "serve", "--config", config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(d.Config)}
	if !d.Options.NoToken {
		cmd.Env = append(cmd.Env, "SECONDARYD_API_TOKEN="+token)
	}
	if Race {
		cmd.Env = append(cmd.Env, "GORACE=halt_on_error=1") // the test fails by what is missing then
	}
	cmd.Env = append(cmd.Env, d.Options.Env...)
	return cmd
}

func (d *Daemon) start(t testing.TB) {
	t.Helper()
	d.process = start(t, "secondaryd", d.Command(t, d.Config), d.Log.add)
}

// becomesReady waits until the daemon is ready or has ended.
func (d *Daemon) becomesReady() bool {
	poll(waitLimit, func() bool { return !d.process.running() || d.Client.Ready() })
	return d.process.running() && d.Client.Ready()
}

// Start starts a daemon that has ended, on the same ports and data, and waits
// until it is ready.
func (d *Daemon) Start(t testing.TB) {
	t.Helper()
	d.Launch(t)
	if !d.becomesReady() {
		t.Fatal("the daemon did not become ready again")
	}
}

// Launch is Start that does not wait.
func (d *Daemon) Launch(t testing.TB) {
	t.Helper()
	if d.process.running() {
		t.Fatal("the daemon is running")
	}
	d.start(t)
}

// Kill ends the daemon with SIGKILL.
func (d *Daemon) Kill() { d.process.end(syscall.SIGKILL) }

// Stop ends the daemon with SIGTERM and asserts exit code 0.
func (d *Daemon) Stop(t testing.TB) {
	t.Helper()
	if code := d.process.end(syscall.SIGTERM); code != 0 {
		t.Errorf("after SIGTERM the exit code is %d, want 0", code)
	}
}

// Restart is Stop and Start.
func (d *Daemon) Restart(t testing.TB) {
	t.Helper()
	d.Stop(t)
	d.Start(t)
}

// Signal sends a signal.
func (d *Daemon) Signal(sig os.Signal) { d.process.signal(sig) }

// Running says whether the daemon has not ended.
func (d *Daemon) Running() bool { return d.process.running() }

// WaitLog waits for a line of the log that matches, whenever it was written.
func (d *Daemon) WaitLog(t testing.TB, match func(Entry) bool, description string) Entry {
	t.Helper()
	return d.Log.WaitFrom(t, 0, match, description)
}

// Peer makes a peer for a primary, with its key when there is one.
func (d *Daemon) Peer(t testing.TB, name string, addr netip.AddrPort, key *Key) Peer {
	t.Helper()
	p := Peer{Name: name, IP: addr.Addr().String(), Port: int(addr.Port())}
	if key != nil {
		p.TSIGID = d.Client.CreateTSIG(t, *key).ID
	}
	return d.Client.CreatePeer(t, p)
}

// Zone configures a zone with these peers, checked once a day unless told.
func (d *Daemon) Zone(t testing.TB, name string, peers ...Peer) Incoming {
	t.Helper()
	in := Incoming{Name: name, AutoRefreshSeconds: 86400}
	for _, p := range peers {
		in.Peers = append(in.Peers, p.ID)
	}
	return d.Client.CreateIncoming(t, in)
}
