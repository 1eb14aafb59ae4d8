package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

const (
	// waitEvery is the time between two looks at a transfer that is waited for.
	waitEvery = 200 * time.Millisecond
	// waitLimit is longer than a transfer may take by the daemon's defaults.
	waitLimit = 16 * time.Minute
)

type waitOptions struct {
	wait    bool
	timeout time.Duration
}

func waitFlags(cmd *cobra.Command, usage string) *waitOptions {
	o := new(waitOptions)
	cmd.Flags().BoolVar(&o.wait, "wait", false, usage+", and fail if it does")
	cmd.Flags().DurationVar(&o.timeout, "timeout", waitLimit, "give up waiting after this `TIME`")
	return o
}

// ended reports whether what is waited for is over; err says that it failed.
type ended func(now, before apiclient.Status) (bool, error)

// waitFor shows the zone's progress until it has ended, and then its status.
func (r *remote) waitFor(cmd *cobra.Command, c *apiclient.Client, o *waitOptions, id string, before apiclient.Status, over ended) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("it has not ended after %s", o.timeout))
	defer cancel()
	f := &follower{client: c, zone: id, every: waitEvery, show: showProgress(cmd.ErrOrStderr())}
	s, raw, err := f.until(ctx, func(s apiclient.Status) (bool, error) { return over(s, before) })
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("gave up waiting for the transfer, which the daemon goes on with: %w", context.Cause(ctx))
	case err != nil && s.Next != nil:
		return fmt.Errorf("the transfer of %s failed: %w (the daemon tries again %s)", s.Name, err, in(time.Now(), s.Next))
	case err != nil:
		return err
	}
	return r.print(cmd.OutOrStdout(), raw, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s (id %s)\n", harmless(s.Name), inShort(s), s.ID)
		return err
	})
}
