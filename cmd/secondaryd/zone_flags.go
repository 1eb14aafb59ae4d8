package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// zoneFlags is what can be said of a zone's configuration.
type zoneFlags struct {
	changed func(flag string) bool
	peers   []string
	refresh time.Duration
}

func (r *remote) zoneFlags(cmd *cobra.Command) *zoneFlags {
	f := &zoneFlags{changed: cmd.Flags().Changed}
	cmd.Flags().StringArrayVar(&f.peers, "peer", nil, "`NAME|ID` of a peer to fetch from; repeat it for more, in the order to try")
	cmd.Flags().DurationVar(&f.refresh, "refresh", 24*time.Hour, "`TIME` between two checks, as in 15m or 3600s; at least 5m")
	_ = cmd.RegisterFlagCompletionFunc("peer", r.completeNames(apiclient.Peers)) // the flag is there
	return f
}

// fill puts what was given into a zone's configuration.
func (f *zoneFlags) fill(object apiclient.Object, peers []string) error {
	if f.refresh%time.Second != 0 {
		return misuse("--refresh %s is not a whole number of seconds", f.refresh)
	}
	set := members{object: object, changed: f.changed}
	set.value("refresh", "auto_refresh_seconds", int64(f.refresh/time.Second))
	set.value("peer", "peers", peers)
	return set.err
}

// peerIDs finds the peers that were named, in the account that is told or known.
func (r *remote) peerIDs(ctx context.Context, c *apiclient.Client, refs []string, known string) ([]string, error) {
	ids := make([]string, len(refs))
	account := cmp.Or(known, r.wanted())
	for i, ref := range refs {
		ids[i] = ref
		if apiclient.MadeID(ref) {
			continue // the API checks that it is there
		}
		if account == "" {
			_, err := r.needAccount()
			return nil, err
		}
		var err error
		if ids[i], err = c.Find(ctx, apiclient.Peers, account, ref); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
