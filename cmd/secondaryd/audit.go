package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/configs"
	"secondaryd/internal/apiclient"
	"secondaryd/zonestore/registry"
)

// auditQuery is what is wanted of the audit log.
type auditQuery struct {
	config, zone, id, since, output string

	after time.Time
	out   auditPrinter
	notes io.Writer
	found bool
	holes bool // some of it can't be read
}

func auditCommand() *cobra.Command {
	q := new(auditQuery)
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what in the configuration, from the files of a daemon on this machine",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return q.run(cmd.OutOrStdout(), cmd.ErrOrStderr(), time.Now())
		},
	}
	flags := cmd.Flags()
	configFlag(cmd, &q.config)
	flags.StringVar(&q.zone, "zone", "", "`ZONE` alone, by its name or id")
	flags.StringVar(&q.id, "id", "", "`ID` of one object: a zone, peer, key, ACL or token")
	flags.StringVar(&q.since, "since", "", "`TIME` of the oldest change: 24h, 2026-11-28 or 2026-11-28T15:04:05Z")
	flags.StringVarP(&q.output, "output", "o", outputTable, "`FORMAT`: table or json")
	return cmd
}

// run reads the log and prints what is wanted of it.
func (q *auditQuery) run(out, notes io.Writer, now time.Time) (err error) {
	c, err := configs.Load(q.config, os.Environ())
	if err != nil {
		return usageError{fmt.Errorf("the daemon's configuration: %w", err)}
	}
	if q.after, err = sinceTime(q.since, now); err != nil {
		return err
	}
	switch q.output {
	case outputTable:
		q.out = newAuditTable(out)
	case outputJSON:
		q.out = auditJSON{json.NewEncoder(out)}
	default:
		return misuse("--output %q is neither table nor json", q.output)
	}
	q.notes = notes
	empty := true
	for item, err := range registry.History(c.DataDir) {
		if err == nil {
			err = q.take(item)
		}
		if err != nil {
			return fmt.Errorf("the audit log: %w", errors.Join(err, q.out.end()))
		}
		empty = false
	}
	if err := q.out.end(); err != nil {
		return err
	}
	return q.outcome(empty, c.DataDir)
}

func (q *auditQuery) outcome(empty bool, dir string) error {
	switch {
	case q.holes:
		return errors.New("some of the audit log can't be read, see above")
	case empty:
		return fmt.Errorf("there is no audit log in %s: is this the data_dir of the daemon?", dir)
	case !q.found && (q.zone != "" || q.id != ""):
		return &apiclient.NotFoundError{Kind: "change in the audit log of", Name: cmp.Or(q.zone, q.id)}
	}
	return nil
}

// sinceTime reads a point in time, or how long ago it was; the zero time for all.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, misuse("--since %q is no time, as in 24h, 2026-11-28 or 2026-11-28T15:04:05Z (without a zone it is UTC)", text)
}

// take prints an item if it is wanted, and says what is missing.
func (q *auditQuery) take(item registry.HistoryItem) error {
	switch {
	case item.Transaction != nil:
		t := *item.Transaction
		t.Changes = q.wanted(t.Changes)
		if len(t.Changes) == 0 || t.Time.Before(q.after) {
			return nil
		}
		return q.out.transaction(t)
	case item.Snapshot != nil:
		if q.zone != "" || q.id != "" || item.Snapshot.Time.Before(q.after) {
			return nil
		}
		return q.out.snapshot(*item.Snapshot)
	case item.Missing != nil:
		return q.missing(*item.Missing)
	case item.Damage.AtEnd:
		return q.note("%s: the last %d octets are no whole record: it is being written, or was when the daemon ended", item.Damage.Path, item.Damage.Octets)
	default:
		q.holes = true
		return q.note("%s", item.Damage)
	}
}

// missing says which revisions are not in the log, and prints what they changed.
func (q *auditQuery) missing(m registry.Missing) error {
	known := "; nor is what they changed"
	if m.Changes != nil {
		known = ": what they changed is known from the snapshot after them, and not who made them"
	}
	if err := q.note("revisions %d to %d are not in the log: the daemon ended, or could not write, before their records were on disk%s", m.First, m.Last, known); err != nil {
		return err
	}
	if m.Changes = q.wanted(m.Changes); len(m.Changes) == 0 {
		return nil
	}
	return q.out.missing(m)
}

// wanted keeps the changes of what was asked for.
func (q *auditQuery) wanted(changes []registry.Replacement) []registry.Replacement {
	changes = slices.DeleteFunc(changes, func(r registry.Replacement) bool { return !q.wants(r) })
	q.found = q.found || len(changes) > 0
	return changes
}

func (q *auditQuery) note(format string, args ...any) error {
	_, err := fmt.Fprintln(q.notes, "secondaryd:", harmlessLines(fmt.Sprintf(format, args...)))
	return err
}

// wants reports whether a change is of an object that was asked for.
func (q *auditQuery) wants(r registry.Replacement) bool {
	if q.id != "" && r.ID != q.id {
		return false
	}
	if q.zone == "" || r.ID == q.zone && isZone(r.Kind) {
		return true
	}
	return isZone(r.Kind) && slices.ContainsFunc(r.Names(), func(name string) bool { return apiclient.FoldName(name) == apiclient.FoldName(q.zone) })
}

func isZone(kind registry.Kind) bool {
	return kind == registry.KindZone || kind == registry.KindOutgoing || kind == registry.KindRegistration
}
