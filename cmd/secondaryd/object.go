package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

// objects is the commands that peers, keys and ACLs have alike.
type objects[T any] struct {
	kind   apiclient.Kind
	remote *remote
	head   []string
	row    func(T) []string // of the table of all
	// more is what show tells beside the table's columns, as names and values.
	more func(T) [][]string
	// learn asks for what the rows need beside the objects; nil: nothing.
	learn func(ctx context.Context, c *apiclient.Client) error
}

func (o *objects[T]) list() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the " + o.whole(),
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, account, err := o.open()
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.Get(cmd.Context(), o.kind.All(account))
			if err != nil {
				return err
			}
			return o.remote.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
				return o.tellAll(cmd.Context(), c, w, answer.Result)
			})
		},
	}
}

// whole says which objects there may be.
func (o *objects[T]) whole() string {
	if o.kind.Root != "" {
		return o.kind.Path
	}
	return o.kind.Path + " of the account"
}

func (o *objects[T]) show() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME|ID",
		Short:             "Show one " + o.kind.Word,
		Args:              oneArg,
		ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, path, err := o.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.Get(cmd.Context(), path)
			if err != nil {
				return err
			}
			return o.print(cmd, c, answer)
		},
	}
}

func (o *objects[T]) remove() *cobra.Command {
	return &cobra.Command{
		Use:               "rm NAME|ID",
		Short:             fmt.Sprintf("Delete a %s that is not in use", o.kind.Word),
		Args:              oneArg,
		ValidArgsFunction: o.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, path, err := o.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer c.Close()
			answer, err := c.Delete(cmd.Context(), path)
			if err != nil {
				return err
			}
			return o.remote.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "deleted the %s %s\n", o.kind.Word, harmless(args[0]))
				return err
			})
		},
	}
}

// add and set take their flags from declare, which returns what puts those that
// were given into an object.
func (o *objects[T]) add(declare func(*cobra.Command) fill) *cobra.Command {
	cmd := &cobra.Command{Use: "add NAME", Short: fmt.Sprintf("Create a %s", o.kind.Word), Args: oneArg}
	fill := declare(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, account, err := o.open()
		if err != nil {
			return err
		}
		defer c.Close()
		object := apiclient.Object{}
		if err := object.Set("name", args[0]); err != nil {
			return err
		}
		if err := fill(cmd.Context(), c, account, object); err != nil {
			return err
		}
		answer, err := c.Post(cmd.Context(), o.kind.All(account), object)
		if err != nil {
			return err
		}
		return o.print(cmd, c, answer)
	}
	return cmd
}

func (o *objects[T]) set(declare func(*cobra.Command) fill) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "set NAME|ID",
		Short:             fmt.Sprintf("Change a %s: what is not given stays as it is", o.kind.Word),
		Args:              oneArg,
		ValidArgsFunction: o.complete,
	}
	name := cmd.Flags().String("name", "", "new `NAME`")
	fill := declare(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !anyChanged(cmd) {
			return misuse("nothing to change: say what, with the flags of %s --help", cmd.CommandPath())
		}
		c, path, err := o.find(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer c.Close()
		answer, err := c.Change(cmd.Context(), path, func(object apiclient.Object) error {
			if cmd.Flags().Changed("name") {
				if err := object.Set("name", *name); err != nil {
					return err
				}
			}
			return fill(cmd.Context(), c, o.remote.wanted(), object)
		})
		if err != nil {
			return err
		}
		return o.print(cmd, c, answer)
	}
	return cmd
}

// fill puts what the flags say into an object of the account.
type fill func(ctx context.Context, c *apiclient.Client, account string, object apiclient.Object) error

// anyChanged reports whether a flag of the command itself was given.
func anyChanged(cmd *cobra.Command) bool {
	own := cmd.Flags().NFlag()
	for _, name := range sharedFlags {
		if cmd.Flags().Changed(name) {
			own--
		}
	}
	return own > 0
}

// open makes a client and says which account is meant, if the objects belong to
// one.
func (o *objects[T]) open() (_ *apiclient.Client, account string, err error) {
	if o.kind.Root == "" {
		account, err = o.remote.needAccount()
	}
	if err != nil {
		return nil, "", err
	}
	c, err := o.remote.client()
	return c, account, err
}

// find gives the path of the object with the id or the name.
func (o *objects[T]) find(ctx context.Context, ref string) (*apiclient.Client, string, error) {
	c, account, err := o.open()
	if err != nil {
		return nil, "", err
	}
	id, err := c.Find(ctx, o.kind, account, ref)
	return c, o.kind.One(account, id), err
}

func (o *objects[T]) tellAll(ctx context.Context, c *apiclient.Client, w io.Writer, result json.RawMessage) error {
	var all []T
	if err := json.Unmarshal(result, &all); err != nil {
		return err
	}
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "there are no %s\n", o.whole())
		return err
	}
	if err := o.prepare(ctx, c); err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, object := range all {
		rows[i] = o.row(object)
	}
	return printTable(w, o.head, rows)
}

func (o *objects[T]) prepare(ctx context.Context, c *apiclient.Client) error {
	if o.learn == nil {
		return nil
	}
	return o.learn(ctx, c)
}

// print shows one object, its table turned on its side.
func (o *objects[T]) print(cmd *cobra.Command, c *apiclient.Client, answer apiclient.Answer) error {
	return o.remote.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
		var object T
		if err := json.Unmarshal(answer.Result, &object); err != nil {
			return err
		}
		if err := o.prepare(cmd.Context(), c); err != nil {
			return err
		}
		var rows [][]string
		for i, cell := range o.row(object) {
			rows = append(rows, []string{o.head[i], cell})
		}
		if o.more != nil {
			rows = append(rows, o.more(object)...)
		}
		return printTable(w, nil, rows)
	})
}

// complete offers the names of the account's objects to the shell.
func (o *objects[T]) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.remote.names(cmd.Context(), o.kind), cobra.ShellCompDirectiveNoFileComp
}
