package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// demoForEnv ends the demo by itself, for scripts and CI.
const demoForEnv = "DEMO_FOR"

// demoAddresses are where the demo listens. None needs a privilege.
type demoAddresses struct {
	dns, api, primary string
}

// free reports the first address that something else listens on. The daemon
// would say so too, but whatever is there might answer in its place before.
func (a demoAddresses) free() error {
	for _, use := range []struct{ flag, network, address string }{
		{"primary", "udp", a.primary},
		{"primary", "tcp", a.primary},
		{"dns", "udp", a.dns},
		{"dns", "tcp", a.dns},
		{"api", "tcp", a.api},
	} {
		if err := listens(use.network, use.address); err != nil {
			return fmt.Errorf("%s %s is taken, perhaps by another demo: stop what uses it, or choose another address with --%s (%w)",
				use.network, use.address, use.flag, err)
		}
	}
	return nil
}

// listens reports whether the address can be listened on, by doing it.
func listens(network, address string) error {
	var l io.Closer
	var err error
	if network == "udp" {
		l, err = net.ListenPacket(network, address)
	} else {
		l, err = net.Listen(network, address)
	}
	if err != nil {
		return err
	}
	return l.Close()
}

func demoCommand() *cobra.Command {
	var at demoAddresses
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole thing at work on this machine: a primary, the daemon, REST and DNS",
		Long: "Starts a small primary with a sample zone and the daemon beside it, configures the zone through\n" +
			"the REST API, changes a record every few seconds, and prints what happens and what to try.\n" +
			"Ctrl-C ends it; with " + demoForEnv + "=30s it ends by itself, with exit code 0 if all it showed worked.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := demoDuration(os.Getenv(demoForEnv))
			if err != nil {
				return err
			}
			return demo(cmd.Context(), at, d)
		},
	}
	cmd.Flags().StringVar(&at.dns, "dns", "127.0.0.1:5300", "`ADDRESS` the daemon answers DNS on")
	cmd.Flags().StringVar(&at.api, "api", "127.0.0.1:8080", "`ADDRESS` of the daemon's REST API")
	cmd.Flags().StringVar(&at.primary, "primary", "127.0.0.1:5310", "`ADDRESS` of the sample primary")
	return cmd
}

func demoDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < demoLeast {
		return 0, fmt.Errorf("%s=%s: want a duration of at least %s, such as 30s", demoForEnv, text, demoLeast)
	}
	return d, nil
}

// demoLeast is what it takes to show one change arriving.
const demoLeast = 10 * time.Second

var errDemoOver = errors.New("the demo's time is up")

// demo runs until ctx, a signal or the time given ends it.
func demo(ctx context.Context, at demoAddresses, d time.Duration) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, errDemoOver)
		defer cancel()
	}
	dir, err := os.MkdirTemp("", "secondaryd-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	show, err := newDemoShow(at, dir)
	if err != nil {
		return err
	}
	if err := show.run(ctx); err != nil && !demoEnded(err) {
		return err
	}
	if d > 0 && show.changes == 0 {
		return errors.New("demo: no change arrived in the time given")
	}
	say("Done: %d changes went from the primary to the answers.", show.changes)
	return nil
}

// demoEnded tells whether err is the ordinary end: the time is up, or Ctrl-C.
func demoEnded(err error) bool {
	return errors.Is(err, errDemoOver) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// run starts the primary and the daemon, shows the zone, and ends both.
func (s *demoShow) run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	// The primary outlives the daemon's last questions.
	primaryCtx, stopPrimary := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPrimary()
	g.Go(func() error { return s.primary.Run(primaryCtx) })
	g.Go(func() error {
		defer stopPrimary()
		return s.withDaemon(running)
	})
	return g.Wait()
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
