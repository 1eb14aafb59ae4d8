package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// watchEvery is the time between two looks at a zone that is watched.
const watchEvery = time.Second

// watchFlags say when watching ends.
type watchFlags struct {
	follow  bool
	serial  uint32
	timeout time.Duration // 0: none
}

func (r *remote) zoneWatch() *cobra.Command {
	var f watchFlags
	cmd := r.zoneVerb("watch", "Show each change of a zone until a check fails, or Ctrl-C",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			return r.watchZone(cmd, c, zone, f)
		})
	cmd.Flags().BoolVar(&f.follow, "follow", false, "go on when a check fails")
	cmd.Flags().Uint32Var(&f.serial, "serial", 0, "end when this `SERIAL`, or a later one, is served")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end after this `TIME`")
	return cmd
}

func (r *remote) watchZone(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone, flags watchFlags) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	if flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, flags.timeout, errWatchOver)
		defer cancel()
	}
	w := &watch{follow: flags.follow}
	if cmd.Flags().Changed("serial") {
		w.serial = &flags.serial
	}
	f := &follower{client: c, zone: zone.ID, every: watchEvery, show: showProgress(cmd.OutOrStdout())}
	if r.output == outputJSON {
		f.show = showJSON(cmd.OutOrStdout())
	}
	_, _, err := f.until(ctx, w.over)
	switch {
	case ctx.Err() == nil:
		return err
	case w.serial != nil:
		return fmt.Errorf("serial %d was not reached: %w", *w.serial, context.Cause(ctx))
	default:
		return nil // what was to be seen was seen
	}
}

var errWatchOver = errors.New("the time is over")

// watch judges the statuses of a zone that is watched.
type watch struct {
	follow bool
	serial *uint32 // nil: none ends it
	before *apiclient.Status
}

func (w *watch) over(s apiclient.Status) (bool, error) {
	if w.serial != nil && s.State == "serving" && s.Serial != nil && int32(*s.Serial-*w.serial) >= 0 { // RFC 1982 section 3.2
		return true, nil
	}
	if w.before == nil {
		w.before = &s
	}
	_, err := s.CheckedSince(*w.before)
	w.before = &s
	if err != nil && !w.follow {
		return true, fmt.Errorf("a check of %s failed: %w", s.Name, err)
	}
	return false, nil
}
