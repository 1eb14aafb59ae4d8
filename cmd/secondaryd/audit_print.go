package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"secondaryd/zonestore/registry"
)

// auditPrinter writes what is wanted of the audit log.
type auditPrinter interface {
	transaction(registry.Transaction) error
	missing(registry.Missing) error
	snapshot(registry.Snapshot) error
	end() error
}

// auditTable writes a line for each object that was changed, for people.
type auditTable struct {
	w    *tabwriter.Writer
	rows int
}

const (
	auditTableRows = 1000 // after which columns may change their width
	auditValue     = 80   // characters shown of a value
	auditTime      = "2006-01-02 15:04:05"
)

func newAuditTable(w io.Writer) *auditTable {
	t := &auditTable{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	fmt.Fprintln(t.w, strings.Join([]string{"TIME (UTC)", "REVISION", "WHO", "FROM", "REQUEST", "OBJECT", "CHANGE"}, "\t"))
	return t
}

func (t *auditTable) row(cells ...string) error {
	for i := range cells {
		cells[i] = harmless(orDash(cells[i]))
	}
	if _, err := fmt.Fprintln(t.w, strings.Join(cells, "\t")); err != nil {
		return err
	}
	if t.rows++; t.rows%auditTableRows == 0 {
		return t.w.Flush()
	}
	return nil
}

func (t *auditTable) transaction(tx registry.Transaction) error {
	for _, r := range tx.Changes {
		change, err := changeText(r)
		if err != nil {
			return err
		}
		a := tx.Actor
		err = t.row(tx.Time.UTC().Format(auditTime), fmt.Sprint(tx.Revision), who(a), a.Client, strings.TrimSpace(a.Method+" "+a.Route), objectText(r), change)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *auditTable) missing(m registry.Missing) error {
	for _, r := range m.Changes {
		change, err := changeText(r)
		if err != nil {
			return err
		}
		if err := t.row("", fmt.Sprintf("%d-%d", m.First, m.Last), "unknown", "", "", objectText(r), change); err != nil {
			return err
		}
	}
	return nil
}

func (t *auditTable) snapshot(s registry.Snapshot) error {
	return t.row(s.Time.UTC().Format(auditTime), fmt.Sprint(s.Revision), "secondaryd", "", "", "log", fmt.Sprintf("begun with %d objects: %s", s.Objects, s.Why))
}

func (t *auditTable) end() error { return t.w.Flush() }

// who names whoever made a change.
func who(a registry.Actor) string {
	switch {
	case a.Token == "":
		return "secondaryd"
	case a.TokenName == "" || a.TokenName == a.Token:
		return a.Token
	default:
		return a.TokenName + " (" + a.Token + ")"
	}
}

func objectText(r registry.Replacement) string {
	text := r.Kind.String()
	if names := r.Names(); len(names) > 0 {
		text += " " + names[len(names)-1]
	}
	return text + " (" + r.ID + ")"
}

// changeText tells what became of each member.
func changeText(r registry.Replacement) (string, error) {
	if r.Value == nil {
		return "deleted", nil
	}
	members, err := r.Members()
	if err != nil {
		return "", err
	}
	var parts []string
	for _, m := range members {
		switch {
		case m.Name == "created" || m.Name == "modified":
		case r.Before == nil:
			parts = append(parts, m.Name+": "+valueText(m.After))
		default:
			parts = append(parts, m.Name+": "+valueText(m.Before)+" → "+valueText(m.After))
		}
	}
	text := strings.Join(parts, "; ")
	switch {
	case r.Before == nil:
		return "created; " + text, nil
	case text == "":
		return "put again as it was", nil
	default:
		return text, nil
	}
}

func valueText(value any) string {
	text, ok := value.(string)
	if value == nil {
		return "-"
	}
	if !ok {
		octets, err := json.Marshal(value)
		if err != nil {
			return "?"
		}
		text = string(octets)
	}
	if runes := []rune(text); len(runes) > auditValue {
		text = string(runes[:auditValue]) + "…"
	}
	return text
}

// auditJSON writes an object a line: for each transaction, and for each file that
// was begun.
type auditJSON struct{ encoder *json.Encoder }

type (
	auditLine struct {
		Revision uint64          `json:"revision"` // the last one, where some are missing
		Time     time.Time       `json:"time,omitzero"`
		Missing  uint64          `json:"missing,omitempty"` // the first one that is
		Actor    *registry.Actor `json:"actor,omitempty"`
		Changes  []auditChange   `json:"changes,omitempty"`
		Begun    *auditBegun     `json:"begun,omitempty"`
	}
	auditChange struct {
		Kind   string         `json:"kind"`
		ID     string         `json:"id"`
		Action string         `json:"action"`
		Before map[string]any `json:"before,omitempty"`
		After  map[string]any `json:"after,omitempty"`
	}
	auditBegun struct {
		Objects uint64 `json:"objects"`
		Why     string `json:"why"`
	}
)

func (j auditJSON) transaction(tx registry.Transaction) error {
	return j.changes(auditLine{Revision: tx.Revision, Time: tx.Time, Actor: &tx.Actor}, tx.Changes)
}

func (j auditJSON) missing(m registry.Missing) error {
	return j.changes(auditLine{Revision: m.Last, Missing: m.First}, m.Changes)
}

// changes completes a line, and writes it.
func (j auditJSON) changes(line auditLine, changes []registry.Replacement) error {
	for _, r := range changes {
		members, err := r.Members()
		if err != nil {
			return err
		}
		line.Changes = append(line.Changes, jsonChange(r, members))
	}
	return j.encoder.Encode(line)
}

// jsonChange has the members that changed, as they were and as they are.
func jsonChange(r registry.Replacement, members []registry.Member) auditChange {
	c := auditChange{Kind: r.Kind.String(), ID: r.ID, Action: "changed", Before: map[string]any{}, After: map[string]any{}}
	switch {
	case r.Before == nil:
		c.Action = "created"
	case r.Value == nil:
		c.Action = "deleted"
	}
	for _, m := range members {
		if m.Before != nil {
			c.Before[m.Name] = m.Before
		}
		if m.After != nil {
			c.After[m.Name] = m.After
		}
	}
	return c
}

func (j auditJSON) snapshot(s registry.Snapshot) error {
	return j.encoder.Encode(auditLine{Revision: s.Revision, Time: s.Time, Begun: &auditBegun{s.Objects, s.Why}})
}

func (auditJSON) end() error { return nil }
