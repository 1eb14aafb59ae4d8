// Command secondaryd is an authoritative secondary DNS server: it learns zones
// from their primaries, keeps them safe, and answers for them.
//
// Each subcommand has a file of its own and does nothing but wiring: settings
// go in, the packages that do the work come out joined. The commands that
// manage a running daemon are clients of its API and know nothing else of it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	if err := rootCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "secondaryd:", harmlessLines(err.Error()))
		os.Exit(exitCode(err))
	}
}

func rootCommand() *cobra.Command {
	root := group("secondaryd", "An authoritative secondary DNS server, driven by an HTTP API",
		serveCommand(), configCommand(), demoCommand(), healthCommand(), versionCommand(),
		zoneCommand(), peerCommand(), tsigCommand(), aclCommand(), tokenCommand(), auditCommand())
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misuse("%w (see %s --help)", err, cmd.CommandPath()) })
	return root
}
