package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneAdd() *cobra.Command {
	var id string
	cmd := &cobra.Command{Use: "add NAME --peer PEER", Short: "Become a secondary of a zone", Args: oneArg}
	given := r.zoneFlags(cmd)
	cmd.Flags().StringVar(&id, "id", "", "zone `ID`; a new one is made without")
	wait := waitFlags(cmd, "wait for the first transfer")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(given.peers) == 0 {
			return misuse("from which primary? Give --peer NAME (secondaryd peer list shows them)")
		}
		if id != "" && !apiclient.ValidID(id) {
			return misuse("--id %q is no id", id)
		}
		if id == "" {
			id = newZoneID()
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		defer c.Close()
		answer, err := r.createZone(cmd.Context(), c, args[0], id, given)
		if err != nil {
			return err
		}
		if !wait.wait {
			return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error { return tellZone(w, "added", answer.Result) })
		}
		return r.waitFor(cmd, c, wait, id, apiclient.Status{}, apiclient.Status.CheckedSince)
	}
	return cmd
}

func (r *remote) createZone(ctx context.Context, c *apiclient.Client, name, id string, given *zoneFlags) (apiclient.Answer, error) {
	peers, err := r.peerIDs(ctx, c, given.peers, "")
	if err != nil {
		return apiclient.Answer{}, err
	}
	object := apiclient.Object{}
	if err := errors.Join(object.Set("name", name), given.fill(object, peers)); err != nil {
		return apiclient.Answer{}, err
	}
	return c.Post(ctx, apiclient.IncomingPath(id), object)
}

// newZoneID makes an id as the server makes them.
func newZoneID() string {
	octets := make([]byte, 16)
	_, _ = rand.Read(octets) // never fails
	return hex.EncodeToString(octets)
}
