package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"secondaryd/configs"
	"secondaryd/internal/primary"
)

const (
	demoZone   = "example.demo."
	demoClock  = "clock." + demoZone
	demoZoneID = "023e105f4ecef8ad9ca31a8372d0c353"
	demoEvery  = 4 * time.Second // between two changes at the primary
	demoWait   = 5 * time.Second // for each thing to happen
)

const demoRecords = `
@        60 SOA   ns1 hostmaster 1 3600 600 604800 60
@        60 NS    ns1
ns1      60 A     192.0.2.53
@        60 A     192.0.2.80
@        60 MX    10 mail
mail     60 A     192.0.2.25
www      60 CNAME @
*.wild   60 TXT   "any name below wild"
sub      60 NS    ns1.sub
ns1.sub  60 A     192.0.2.54
clock    60 TXT   "not changed yet"
`

// demoShow is the parts of the demo.
type demoShow struct {
	at      demoAddresses
	dir     string
	token   string
	primary *primary.Server
	client  *demoClient
	changes int // that arrived
}

func newDemoShow(at demoAddresses, dir string) (*demoShow, error) {
	if err := at.free(); err != nil {
		return nil, err
	}
	records, err := primary.Parse(demoZone, demoRecords)
	if err != nil {
		return nil, err
	}
	server, err := primary.New(primary.Options{
		Listen: at.primary,
		Zones:  []primary.Zone{{Name: demoZone, Records: records}},
	})
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	client, err := newDemoClient(at.api, token)
	if err != nil {
		return nil, err
	}
	return &demoShow{at: at, dir: dir, token: token, primary: server, client: client}, nil
}

// withDaemon runs the daemon as a child, shows the zone, and ends the child.
func (s *demoShow) withDaemon(ctx context.Context) (err error) {
	log, err := os.Create(filepath.Join(s.dir, "daemon.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	child, err := s.startDaemon(log)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() { // waited for below, through ended
		err := child.Wait()
		cancel(fmt.Errorf("the daemon ended by itself: %w", errors.Join(err, s.lastLog())))
		ended <- err
	}()
	err = s.tell(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	say("\nStopping the daemon.")
	_ = child.Process.Signal(syscall.SIGTERM) // it may have ended already
	return errors.Join(err, <-ended)
}

// startDaemon starts this very binary as serve, set up through the environment.
func (s *demoShow) startDaemon(log *os.File) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(self, "serve")
	child.Env = append(os.Environ(),
		"SECONDARYD_DATA_DIR="+filepath.Join(s.dir, "data"),
		"SECONDARYD_DNS_LISTEN="+s.at.dns,
		"SECONDARYD_API_LISTEN="+s.at.api,
		"SECONDARYD_LOG_FORMAT=json",
		configs.TokenEnv+"="+s.token,
	)
	child.Stderr = log
	// Ctrl-C reaches the whole group: the daemon is told to stop by us alone.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return child, child.Start()
}

// lastLog gives the end of the daemon's log as an error, for when it dies.
func (s *demoShow) lastLog() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "daemon.log"))
	if err != nil || len(text) == 0 {
		return err
	}
	return fmt.Errorf("its last words: %s", text[max(0, len(text)-500):])
}

// tell does what a user would do, and says so.
func (s *demoShow) tell(ctx context.Context) error {
	if err := s.client.waitReady(ctx); err != nil {
		return err
	}
	say("A sample primary serves %s on %s.", demoZone, s.at.primary)
	say("The daemon answers DNS on %s and REST on http://%s.\n", s.at.dns, s.at.api)
	peer, err := s.client.createPeer(ctx, s.primary.Addr())
	if err != nil {
		return err
	}
	if err := s.client.createZone(ctx, peer); err != nil {
		return err
	}
	if err := s.waitSerial(ctx, 1); err != nil {
		return err
	}
	say("The zone has been transferred and is served. Try, in another terminal:\n")
	host, port, err := net.SplitHostPort(s.at.dns)
	if err != nil {
		return err
	}
	for _, q := range []string{"SOA " + demoZone, "TXT " + demoClock, "A www." + demoZone, "TXT x.wild." + demoZone, "A host.sub." + demoZone} {
		say("  dig @%s -p %s %s", host, port, q)
	}
	s.client.sayCurl()
	say("\nEvery %s the primary changes a record and sends a NOTIFY:\n", demoEvery)
	return s.changeOnAndOn(ctx)
}

// changeOnAndOn changes the zone at the primary and waits for each change to
// be served, until ctx ends.
func (s *demoShow) changeOnAndOn(ctx context.Context) error {
	tick := time.NewTicker(demoEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := s.change(ctx); err != nil {
			return err
		}
	}
}

func (s *demoShow) change(ctx context.Context) error {
	start := time.Now()
	text := start.UTC().Format("15:04:05")
	serial, err := s.primary.Update(demoZone, func(records []dns.RR) []dns.RR {
		for i, rr := range records {
			if txt, ok := rr.(*dns.TXT); ok && txt.Hdr.Name == demoClock {
				records[i] = &dns.TXT{Hdr: txt.Hdr, Txt: []string{text}}
			}
		}
		return records
	})
	if err != nil {
		return err
	}
	if err := s.primary.Notify(ctx, demoZone, s.at.dns); err != nil {
		return err
	}
	if err := s.waitSerial(ctx, serial); err != nil {
		return err
	}
	took := time.Since(start)
	got, err := s.ask(ctx, demoClock, dns.TypeTXT)
	if err != nil {
		return err
	}
	if txt, ok := firstAnswer(got).(*dns.TXT); !ok || len(txt.Txt) != 1 || txt.Txt[0] != text {
		return fmt.Errorf("%s TXT: got %v, want %q", demoClock, got.Answer, text)
	}
	s.changes++
	say("  serial %d: %s TXT %q served %s after the change", serial, demoClock, text, took.Round(100*time.Microsecond))
	return nil
}

// waitSerial waits until the daemon answers with a serial.
func (s *demoShow) waitSerial(ctx context.Context, want uint32) error {
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	for {
		m, err := s.ask(ctx, demoZone, dns.TypeSOA)
		if err == nil {
			if soa, ok := firstAnswer(m).(*dns.SOA); ok && soa.Serial == want {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("serial %d is not served: %w", want, context.Cause(ctx))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (s *demoShow) ask(ctx context.Context, name string, qtype uint16) (*dns.Msg, error) {
	m, _, err := new(dns.Client).ExchangeContext(ctx, new(dns.Msg).SetQuestion(name, qtype), s.at.dns)
	return m, err
}

func firstAnswer(m *dns.Msg) dns.RR {
	if len(m.Answer) == 0 {
		return nil
	}
	return m.Answer[0]
}
