package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneSet() *cobra.Command {
	var given *zoneFlags
	var name *string
	cmd := r.zoneVerb("set", "Change the configuration of a zone: what is not given stays as it is",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			if !anyChanged(cmd) {
				return misuse("nothing to change: say what, with the flags of %s --help", cmd.CommandPath())
			}
			peers, err := r.peerIDs(cmd.Context(), c, given.peers, zone.Account.ID)
			if err != nil {
				return err
			}
			answer, err := c.Change(cmd.Context(), apiclient.IncomingPath(zone.ID), func(object apiclient.Object) error {
				set := members{object: object, changed: cmd.Flags().Changed}
				set.value("name", "name", *name)
				return errors.Join(set.err, given.fill(object, peers))
			})
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error { return tellZone(w, "changed", answer.Result) })
		})
	given = r.zoneFlags(cmd)
	name = cmd.Flags().String("name", "", "new `NAME`: another zone is served, from its first transfer on")
	return cmd
}
