package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func tokenCommand() *cobra.Command {
	r := new(remote)
	tokens := &objects[apiclient.Token]{
		kind: apiclient.Tokens, remote: r,
		head: []string{"NAME", "SCOPE", "ACCOUNT", "ACCESS", "STATUS", "EXPIRES", "ID"},
		row: func(t apiclient.Token) []string {
			return []string{t.Name, t.Scope, orDash(t.Account), orDash(t.Access), t.Status, lasts(t), t.ID}
		},
		more: func(t apiclient.Token) [][]string {
			rows := [][]string{{"ISSUED", at(t.Issued, ago(time.Now(), &t.Issued))}}
			if t.Value != "" {
				rows = append(rows, []string{"TOKEN", t.Value})
			}
			return rows
		},
	}
	return managed("token", "Manage the tokens of the API, as an administrator", r,
		tokens.list(), tokens.show(), tokenAdd(tokens), tokens.remove())
}

func lasts(t apiclient.Token) string {
	if t.Expires == nil {
		return "never"
	}
	return t.Expires.UTC().Format("2006-01-02 15:04:05 UTC")
}

// tokenFlags is what can be said of a new token.
type tokenFlags struct{ scope, access, expires, file string }

func tokenAdd(tokens *objects[apiclient.Token]) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{Use: "add NAME --scope SCOPE", Short: "Create a token, which is shown this once", Args: oneArg}
	flags := cmd.Flags()
	flags.StringVar(&f.scope, "scope", "", "`SCOPE`: admin, account (the one of --account) or metrics")
	flags.StringVar(&f.access, "access", "", "`ACCESS` to the account: read or edit")
	flags.StringVar(&f.expires, "expires", "", "`TIME` from when on it is not valid: in a while, as 90d or 12h, or at a time, as 2027-01-02T03:04:05Z; never without")
	flags.StringVar(&f.file, "value-file", "", "`FILE` that the token goes into, for its owner alone, in place of being shown")
	for flag, words := range map[string][]string{"scope": {"admin", "account", "metrics"}, "access": {"read", "edit"}} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		object, err := f.object(tokens.remote, args[0])
		if err != nil {
			return err
		}
		c, _, err := tokens.open()
		if err != nil {
			return err
		}
		defer c.Close()
		answer, err := f.create(cmd, c, object)
		if err != nil {
			return err
		}
		return tokens.print(cmd, c, answer)
	}
	return cmd
}

// object is the token that the flags describe. What goes together is left to the
// API, but for the account, which may be in the environment for other commands.
func (f *tokenFlags) object(r *remote, name string) (apiclient.Object, error) {
	if f.scope == "" {
		return nil, misuse("for what? Give --scope admin, account or metrics")
	}
	set := allMembers(apiclient.Object{})
	set.value("", "name", name)
	set.value("scope", "scope", f.scope)
	if f.scope == "account" {
		account, err := r.needAccount()
		if err != nil {
			return nil, err
		}
		set.value("account", "account_id", account)
	}
	if f.access != "" {
		set.value("access", "access", f.access)
	}
	if f.expires != "" {
		when, err := expiryOf(f.expires, time.Now())
		if err != nil {
			return nil, err
		}
		set.value("expires", "expires_on", when)
	}
	return set.object, set.err
}

// expiryOf reads a time, or a while from now on.
func expiryOf(text string, now time.Time) (time.Time, error) {
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		return when, nil
	}
	const maxDays = 100 * 365
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") && days > 0 && days <= maxDays {
		return now.UTC().AddDate(0, 0, days), nil
	}
	if while, err := time.ParseDuration(text); err == nil && while > 0 {
		return now.UTC().Add(while), nil
	}
	return time.Time{}, misuse("--expires %q is neither a while, as 90d or 12h, nor a time, as 2027-01-02T03:04:05Z", text)
}

// create makes the token. The file for it is made first, so that a token is not
// made in vain; what is returned does not hold it then.
func (f *tokenFlags) create(cmd *cobra.Command, c *apiclient.Client, object apiclient.Object) (answer apiclient.Answer, err error) {
	post := func() (err error) {
		answer, err = c.Post(cmd.Context(), apiclient.Tokens.Root, object)
		return err
	}
	if f.file == "" {
		err = post()
		return answer, err
	}
	const mode = 0o600 // whoever has the token may use it
	err = writeWhole(f.file, mode, func(w io.Writer) error {
		if err := post(); err != nil {
			return err
		}
		var made apiclient.Object
		if err := json.Unmarshal(answer.Result, &made); err != nil {
			return err
		}
		var value string
		if err := json.Unmarshal(made["value"], &value); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, value); err != nil {
			return err
		}
		delete(made, "value")
		answer.Result, err = json.Marshal(made)
		return err
	})
	if err != nil && answer.Result != nil {
		return answer, fmt.Errorf("%w\nthe token was made, and nobody has it now: revoke it, secondaryd token rm finds it by its name", err)
	}
	return answer, err
}
