package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// The exit codes, which scripts rely on (docs/cli.md).
const (
	exitError    = 1 // it did not work, and may work later
	exitUsage    = 2 // the command line is wrong
	exitNotFound = 3 // there is no such object
	exitRefused  = 4 // the API refused: the request or the token has to change
)

// usageError is a command line that can't be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func misuse(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// refusedError is work of which the API has refused a part.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// exitCode chooses the exit code for an error.
func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*apiclient.AmbiguousError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*apiclient.NotFoundError](err); ok {
		return exitNotFound
	}
	if _, ok := errors.AsType[refusedError](err); ok {
		return exitRefused
	}
	if e, ok := errors.AsType[*apiclient.Error](err); ok {
		return exitCodeOf(e)
	}
	return exitError
}

func exitCodeOf(e *apiclient.Error) int {
	switch {
	case e.NoSuchPath(), e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests:
		return exitError
	case e.Status == http.StatusNotFound:
		return exitNotFound
	case e.Status >= 400 && e.Status < 500:
		return exitRefused
	default:
		return exitError
	}
}

// group is a command that does nothing but hold others. Unlike cobra's own it
// does not take a misspelt subcommand for a wish to read the help.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			err := misuse("unknown command %q for %q (see %s --help)", args[0], cmd.CommandPath(), cmd.CommandPath())
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				err = misuse("unknown command %q for %q, did you mean %q?", args[0], cmd.CommandPath(), near[0])
			}
			return err
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}

// noArgs and oneArg check the arguments of commands, as misuse.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("unexpected argument %q (see %s --help)", args[0], cmd.CommandPath())
	}
	return nil
}

func oneArg(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misuse("%s takes one argument and got %d: %s", cmd.CommandPath(), len(args), cmd.UseLine())
	}
	return nil
}
