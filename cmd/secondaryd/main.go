// Command secondaryd is an authoritative secondary DNS server: it learns zones
// from their primaries, keeps them safe, and answers for them.
//
// Each subcommand has a file of its own and does nothing but wiring: settings
// go in, the packages that do the work come out joined.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{
		Use:           "secondaryd",
		Short:         "An authoritative secondary DNS server, driven by an HTTP API",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), configCommand(), demoCommand(), healthCommand(), versionCommand())
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "secondaryd:", err)
		os.Exit(1)
	}
}
