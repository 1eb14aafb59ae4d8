package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneRelease() *cobra.Command {
	return r.heldVerb("release", "Serve the version of a zone that is held", "released")
}

func (r *remote) zoneDiscard() *cobra.Command {
	return r.heldVerb("discard", "Drop the version of a zone that is held", "discarded")
}

// heldVerb orders something about a held version. Its serial has to be said: it
// stands for that the version was looked at.
func (r *remote) heldVerb(verb, short, done string) *cobra.Command {
	var serial uint32
	cmd := r.zoneVerb(verb, short, func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
		if !cmd.Flags().Changed("serial") {
			return r.whichHeld(cmd, c, zone)
		}
		answer, err := c.Post(cmd.Context(), apiclient.IncomingPath(zone.ID)+"/"+verb, map[string]uint32{"soa_serial": serial})
		if err != nil {
			return err
		}
		return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s version %d\n", done, serial)
			return err
		})
	})
	cmd.Flags().Uint32Var(&serial, "serial", 0, "`SERIAL` of the version, as secondaryd zone status shows it")
	return cmd
}

func (r *remote) whichHeld(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
	s, _, err := c.Status(cmd.Context(), zone.ID)
	switch {
	case err != nil:
		return err
	case s.Held == nil || s.Held.Discarded:
		return misuse("no version of %s is held", s.Name)
	default:
		return misuse("say which version with --serial: %d is held (%s)", s.Held.Serial, s.Held.Detail)
	}
}
