package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// serialsRun is what a command does with versions of a zone.
type serialsRun func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone, serials []uint32) error

// serialsVerb makes a command for a zone and up to so many of its versions.
func (r *remote) serialsVerb(verb, use, short string, most int, run serialsRun) *cobra.Command {
	var serials []uint32
	cmd := r.zoneVerb(verb, short, func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
		return run(cmd, c, zone, serials)
	})
	cmd.Use = verb + " NAME|ID " + use
	cmd.Args = func(cmd *cobra.Command, args []string) (err error) {
		if len(args) == 0 || len(args) > 1+most {
			return misuse("%s got %d arguments: %s", cmd.CommandPath(), len(args), cmd.UseLine())
		}
		serials, err = parseSerials(args[1:])
		return err
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 || len(args) > most {
			return r.completeZone(cmd, args, part)
		}
		return r.serialsOf(cmd.Context(), args[0]), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func parseSerials(args []string) (serials []uint32, err error) {
	for _, text := range args {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, misuse("%q is no serial, a number from 0 to 4294967295", text)
		}
		serials = append(serials, uint32(n))
	}
	return serials, nil
}

// serialsOf lists the versions of a zone for the shell, none if they can't be had.
func (r *remote) serialsOf(ctx context.Context, ref string) (texts []string) {
	c, err := r.client()
	if err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	zone, err := c.FindZone(ctx, ref, r.wanted())
	if err != nil {
		return nil
	}
	list, _, err := c.Versions(ctx, zone.ID)
	if err != nil {
		return nil
	}
	for _, v := range list {
		texts = append(texts, fmt.Sprint(v.Serial))
	}
	return texts
}

func (r *remote) zoneVersions() *cobra.Command {
	return r.zoneVerb("versions", "List the versions of a zone that are kept, the newest first",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			list, raw, err := c.Versions(cmd.Context(), zone.ID)
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), raw, func(w io.Writer) error { return printVersions(w, list, time.Now()) })
		})
}

func printVersions(w io.Writer, list []apiclient.Version, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no versions: the zone has not been transferred yet")
		return err
	}
	return printTable(w, []string{"SERIAL", "STATE", "RECEIVED", "RECORDS"}, rowsOf(list, func(_ int, v apiclient.Version) []string {
		received := "-"
		if v.Received != nil {
			received = at(*v.Received, ago(now, v.Received))
		}
		return []string{fmt.Sprint(v.Serial), v.State, received, number(v.Records)}
	}))
}

func (r *remote) zoneDiff() *cobra.Command {
	return r.serialsVerb("diff", "[FROM [TO]]", "Show in which records two versions of a zone differ", 2,
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone, serials []uint32) error {
			from, to, err := compared(cmd.Context(), c, zone, serials)
			if err != nil {
				return err
			}
			d, raw, err := c.Diff(cmd.Context(), zone.ID, from, to)
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), raw, func(w io.Writer) error { return printDiff(w, d) })
		})
}

// compared chooses the versions that are compared where they are not said: from
// that which is served to one that is held, or else from the one before to that
// which is served.
func compared(ctx context.Context, c *apiclient.Client, zone apiclient.Zone, serials []uint32) (from, to uint32, err error) {
	if len(serials) == 2 {
		return serials[0], serials[1], nil
	}
	list, _, err := c.Versions(ctx, zone.ID)
	if err != nil {
		return 0, 0, err
	}
	present := slices.IndexFunc(list, func(v apiclient.Version) bool { return v.State == "served" || v.State == "expired" })
	held := slices.IndexFunc(list, func(v apiclient.Version) bool { return v.State == "held" })
	switch {
	case present < 0 && len(serials) == 1:
		return 0, 0, misuse("no copy of the zone is served: say both versions")
	case len(serials) == 1:
		return serials[0], list[present].Serial, nil
	case present >= 0 && held >= 0:
		return list[present].Serial, list[held].Serial, nil
	case present < 0 || present+1 == len(list):
		return 0, 0, &apiclient.NotFoundError{Kind: "earlier version of the zone", Name: zone.ID}
	}
	return list[present+1].Serial, list[present].Serial, nil
}

// printDiff writes differences in the manner of a unified listing.
func printDiff(w io.Writer, d apiclient.Diff) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "--- %d\n+++ %d\n", d.From, d.To)
	for _, change := range d.Changes {
		sign := "-"
		if change.Change == "added" {
			sign = "+"
		}
		fmt.Fprintf(out, "%s%s\t%d\tIN\t%s\t%s\n", sign, harmless(change.Name), change.TTL, harmless(change.Type), harmless(change.Data))
	}
	if d.Truncated {
		fmt.Fprintf(out, "... and %d more: the API gives all of them with format=text\n", d.Removed+d.Added-len(d.Changes))
	}
	fmt.Fprintf(out, "%d removed, %d added\n", d.Removed, d.Added)
	return out.Flush()
}

func (r *remote) zoneRollback() *cobra.Command {
	return r.serialsVerb("rollback", "[SERIAL]", "Serve an earlier version of a zone again, and hold the one that is served", 1,
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone, serials []uint32) error {
			var body any
			if len(serials) == 1 {
				body = map[string]uint32{"soa_serial": serials[0]}
			}
			answer, err := c.Post(cmd.Context(), apiclient.IncomingPath(zone.ID)+"/rollback", body)
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
				var to struct {
					Serial uint32 `json:"soa_serial"`
				}
				if err := json.Unmarshal(answer.Result, &to); err != nil {
					return err
				}
				_, err := fmt.Fprintf(w, "version %d is served again; secondaryd zone status %s shows what is held\n", to.Serial, zone.ID)
				return err
			})
		})
}
