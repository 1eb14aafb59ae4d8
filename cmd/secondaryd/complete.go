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

// names lists the names of objects for the shell, none if they can't be had: a
// completion has nowhere to say why.
func (r *remote) names(ctx context.Context, kind apiclient.Kind) []string {
	account := r.wanted()
	if account == "" && kind.Root == "" {
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

// completeZone offers the names of the zones for the one argument.
func (r *remote) completeZone(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return r.completeZones(cmd, args, toComplete)
}

// completeZones offers the names of the zones that are no argument yet.
func (r *remote) completeZones(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	c, err := r.client()
	if err != nil {
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
		if json.Unmarshal(text, &zone) == nil && !slices.Contains(args, zone.Name) {
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
