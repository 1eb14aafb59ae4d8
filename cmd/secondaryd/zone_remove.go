package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneRemove() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:               "rm NAME|ID...",
		Short:             "Delete zones with all their settings: they are no longer served",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: r.completeZones,
	}
	cmd.Flags().StringVar(&file, "file", "", "`FILE` with more names or ids, one a line; - is standard input")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		named, err := namedZones(args, file, cmd.InOrStdin())
		if err != nil {
			return err
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		defer c.Close()
		if len(args) == 1 && file == "" {
			return r.removeOne(cmd, c, args[0])
		}
		ctx, stop := interruptible(cmd)
		defer stop()
		if named, err = r.findZones(ctx, c, named); err != nil {
			return err
		}
		work := &bulkWork{client: c, show: newProgress(cmd.ErrOrStderr()), zones: named}
		return work.finish(ctx, r, cmd.OutOrStdout())
	}
	return cmd
}

func (r *remote) removeOne(cmd *cobra.Command, c *apiclient.Client, ref string) error {
	zone, err := c.FindZone(cmd.Context(), ref, r.wanted())
	if err != nil {
		return err
	}
	if zone, err = c.Zone(cmd.Context(), zone.ID); err != nil {
		return err
	}
	answer, err := c.Delete(cmd.Context(), apiclient.ZonePath(zone.ID))
	if err != nil {
		return err
	}
	return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "removed the zone %s (id %s)\n", harmless(zone.Name), zone.ID)
		return err
	})
}

// namedZones are the zones that arguments and a file name.
func namedZones(args []string, file string, in io.Reader) ([]*bulkZone, error) {
	var named []*bulkZone
	for _, ref := range args {
		named = append(named, &bulkZone{Name: ref})
	}
	if file != "" {
		err := eachLine(file, in, func(line int, text string) error {
			named = append(named, &bulkZone{Line: line, Name: text})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(named) == 0 {
		return nil, misuse("which zones? Name them, or give --file FILE with a name or id on each line")
	}
	return named, nil
}

// findZones looks for the zones by their ids or names, in one list, and gives each
// once, however often it is named. Nothing is done if a name may mean several.
func (r *remote) findZones(ctx context.Context, c *apiclient.Client, named []*bulkZone) ([]*bulkZone, error) {
	zones, err := c.ListZones(ctx, "", r.wanted())
	if err != nil {
		return nil, err
	}
	found := make(map[string][]apiclient.Zone, 2*len(zones)) // by id and by name
	for _, zone := range zones {
		name := apiclient.FoldName(zone.Name)
		found[name] = append(found[name], zone)
		if zone.ID != name {
			found[zone.ID] = append(found[zone.ID], zone)
		}
	}
	once, ids := named[:0], make(map[string]bool, len(named))
	for _, z := range named {
		candidates := found[z.Name]
		if name := apiclient.FoldName(z.Name); name != z.Name {
			candidates = slices.Concat(candidates, found[name])
		}
		switch len(candidates) {
		case 0:
			z.Result = outcomeMissing
			once = append(once, z)
		case 1:
			z.ID, z.account = candidates[0].ID, candidates[0].Account.ID
			if !ids[z.ID] {
				once, ids[z.ID] = append(once, z), true
			}
		default:
			return nil, apiclient.AmbiguousZone(z.Name, candidates)
		}
	}
	return once, nil
}

// eachLine gives the lines of a file, or of in for -, without spaces around them;
// empty ones and those that begin with # are left out.
func eachLine(file string, in io.Reader, do func(line int, text string) error) error {
	return withInput(file, in, func(in io.Reader) error {
		line := 0
		return scanLines(in, func(text string) error {
			line++
			if text = strings.TrimSpace(text); text == "" || strings.HasPrefix(text, "#") {
				return nil
			}
			return do(line, text)
		})
	})
}
