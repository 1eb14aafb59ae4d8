package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// zoneTransfer orders a full transfer.
func (r *remote) zoneTransfer() *cobra.Command {
	var wait *waitOptions
	cmd := r.zoneVerb("transfer", "Transfer a zone as a whole (AXFR) now, an older serial too",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			before, _, err := c.Status(cmd.Context(), zone.ID)
			if err != nil {
				return err
			}
			answer, err := c.Post(cmd.Context(), apiclient.ForcePath(zone.ID), nil)
			if err != nil {
				return err
			}
			if !wait.wait {
				return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "ordered a transfer of %s; secondaryd zone status %s shows what comes of it\n", harmless(before.Name), before.ID)
					return err
				})
			}
			return r.waitFor(cmd, c, wait, zone.ID, before, apiclient.Status.TransferredSince)
		})
	wait = waitFlags(cmd, "wait until the zone is transferred")
	return cmd
}
