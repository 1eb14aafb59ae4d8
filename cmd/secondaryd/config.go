package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"secondaryd/configs"
)

func configCommand() *cobra.Command {
	config := group("config", "Work with configuration files")
	var file string
	check := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration file and the environment as serve would",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := configs.Load(file, os.Environ()); err != nil {
				return fmt.Errorf("configuration is not valid:\n%w", err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "configuration is valid")
			return nil
		},
	}
	configFlag(check, &file)
	config.AddCommand(check)
	return config
}

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "configuration `FILE` (YAML); without one, defaults and environment count")
}
