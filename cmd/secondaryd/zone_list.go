package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"secondaryd/internal/apiclient"
)

// statusRequests is how many zones are asked about at once.
const statusRequests = 8

func (r *remote) zoneList() *cobra.Command {
	var brief bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the zones, with the state of each",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			defer c.Close()
			raw, err := c.Zones(cmd.Context(), "", r.wanted())
			if err != nil {
				return err
			}
			result, err := json.Marshal(raw)
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), result, func(w io.Writer) error {
				return tellZones(cmd.Context(), c, w, result, brief)
			})
		},
	}
	cmd.Flags().BoolVar(&brief, "brief", false, "names and ids alone, which takes far fewer requests")
	return cmd
}

func tellZones(ctx context.Context, c *apiclient.Client, w io.Writer, result json.RawMessage, brief bool) error {
	var zones []apiclient.Zone
	if err := json.Unmarshal(result, &zones); err != nil {
		return err
	}
	if len(zones) == 0 {
		_, err := fmt.Fprintln(w, "there are no zones")
		return err
	}
	if brief {
		return printTable(w, []string{"NAME", "ID"}, rowsOf(zones, func(_ int, z apiclient.Zone) []string { return []string{z.Name, z.ID} }))
	}
	statuses, err := statusesOf(ctx, c, zones)
	if err != nil {
		return err
	}
	return printZones(w, zones, statuses, time.Now())
}

// statusesOf asks for the status of each zone; nil for one that is no secondary.
func statusesOf(ctx context.Context, c *apiclient.Client, zones []apiclient.Zone) ([]*apiclient.Status, error) {
	statuses := make([]*apiclient.Status, len(zones))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(statusRequests)
	for i, zone := range zones {
		g.Go(func() error {
			s, _, err := c.Status(ctx, zone.ID)
			if e, ok := errors.AsType[*apiclient.Error](err); ok && e.Status == http.StatusNotFound {
				return nil // it may have been removed meanwhile, too
			}
			statuses[i] = &s
			return err
		})
	}
	return statuses, g.Wait()
}

func printZones(w io.Writer, zones []apiclient.Zone, statuses []*apiclient.Status, now time.Time) error {
	head := []string{"NAME", "STATE", "SERIAL", "CONFIRMED", "NEXT CHECK", "PEERS", "ID"}
	return printTable(w, head, rowsOf(zones, func(i int, z apiclient.Zone) []string {
		s := statuses[i]
		if s == nil {
			return []string{z.Name, "not a secondary", "-", "-", "-", "-", z.ID}
		}
		return []string{z.Name, stateOf(*s), number(s.Serial), ago(now, s.Confirmed), in(now, s.Next), peersInShort(s.Peers), z.ID}
	}))
}

// stateOf is the state, with what an operator has to see to.
func stateOf(s apiclient.Status) string {
	state := s.State
	if s.Held != nil && !s.Held.Discarded {
		state += ", version held"
	}
	if s.Unsaved {
		state += ", not on disk"
	}
	return state
}

// peersInShort counts how the last check went.
func peersInShort(peers []apiclient.PeerStatus) string {
	ok, failed := 0, 0
	for _, p := range peers {
		switch {
		case p.Earlier:
		case p.Result == "ok":
			ok++
		default:
			failed++
		}
	}
	switch {
	case failed == 0 && ok == 0:
		return "-"
	case failed == 0:
		return fmt.Sprintf("%d ok", ok)
	case ok == 0:
		return fmt.Sprintf("%d failed", failed)
	default:
		return fmt.Sprintf("%d ok, %d failed", ok, failed)
	}
}

func rowsOf[T any](all []T, row func(int, T) []string) [][]string {
	rows := make([][]string, len(all))
	for i, one := range all {
		rows[i] = row(i, one)
	}
	return rows
}
