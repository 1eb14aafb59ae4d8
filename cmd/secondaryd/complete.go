package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// completeTimeout is how long a shell waits for names.
const completeTimeout = 2 * time.Second

// names lists the names of an account's objects for the shell, none if they
// can't be had: a completion has nowhere to say why.
func (r *remote) names(ctx context.Context, kind apiclient.Kind) []string {
	account := r.wanted()
	if account == "" {
		return nil
	}
	c, err := r.client()
	if err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	names, err := c.Names(ctx, kind, account)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Values(names))
}

// completeZone offers the names of the zones.
func (r *remote) completeZone(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	c, err := r.client()
	if err != nil || len(args) > 0 {
		return nil, directive
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	all, err := c.Zones(ctx, "", r.wanted())
	if err != nil {
		return nil, directive
	}
	var names []string
	for _, text := range all {
		var zone apiclient.Zone
		if json.Unmarshal(text, &zone) == nil {
			names = append(names, zone.Name)
		}
	}
	return names, directive
}

// completeNames offers the names of objects of a kind to a flag.
func (r *remote) completeNames(kind apiclient.Kind) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return r.names(cmd.Context(), kind), cobra.ShellCompDirectiveNoFileComp
	}
}
