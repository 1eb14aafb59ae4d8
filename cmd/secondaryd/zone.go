package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func zoneCommand() *cobra.Command {
	r := new(remote)
	return managed("zone", "Manage the zones of a running daemon", r,
		r.zoneList(), r.zoneShow(), r.zoneStatus(), r.zoneAdd(), r.zoneSet(), r.zoneRemove(),
		r.zoneTransfer(), r.zoneWatch(), r.zoneVersions(), r.zoneDiff(), r.zoneRollback(), r.zoneRelease(), r.zoneDiscard(),
		r.zoneSettings(), r.zoneDiagnose(), r.zoneExport(), r.zoneImport())
}

// zoneRun is what a command does with one zone.
type zoneRun func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error

// zoneVerb makes a command for one zone, named by its name or its id.
func (r *remote) zoneVerb(verb, short string, run zoneRun) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NAME|ID",
		Short:             short,
		Args:              oneArg,
		ValidArgsFunction: r.completeZone,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			defer c.Close()
			zone, err := c.FindZone(cmd.Context(), args[0], r.wanted())
			if err != nil {
				return err
			}
			return run(cmd, c, zone)
		},
	}
}

// tellZone says in a line what was done with a zone, given its configuration.
func tellZone(w io.Writer, done string, result json.RawMessage) error {
	var in apiclient.Incoming
	if err := json.Unmarshal(result, &in); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s the zone %s (id %s)\n", done, harmless(in.Name), in.ID)
	return err
}

// peerNames maps the ids of a zone's peers to their names. They are a nicety of
// tables: where they can't be had, the ids are shown.
func (r *remote) peerNames(ctx context.Context, c *apiclient.Client, zone apiclient.Zone) map[string]string {
	if zone.Account.ID == "" {
		if known, err := c.Zone(ctx, zone.ID); err == nil {
			zone = known
		}
	}
	account := cmp.Or(zone.Account.ID, r.wanted())
	if account == "" {
		return nil
	}
	names, err := c.Names(ctx, apiclient.Peers, account)
	if err != nil {
		return nil
	}
	return names
}
