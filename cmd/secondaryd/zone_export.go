package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneExport() *cobra.Command {
	var file string
	cmd := r.zoneVerb("export", "Write the copy of a zone that is served, as a zone file",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			if r.output == outputJSON {
				return misuse("a zone file has no form in JSON: leave --output out")
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			return export(ctx, c, zone.ID, file, cmd.OutOrStdout())
		})
	cmd.Flags().StringVar(&file, "file", "", "`FILE` to write; it is replaced once the zone is there as a whole. Standard output without")
	return cmd
}

// export writes a zone to a file, or to out.
func export(ctx context.Context, c *apiclient.Client, id, file string, out io.Writer) error {
	download := func(w io.Writer) error { return c.Download(ctx, apiclient.ExportPath(id), w) }
	if file == "" {
		return download(out)
	}
	const mode = 0o644 // the zone is served to everybody
	return writeWhole(file, mode, download)
}
