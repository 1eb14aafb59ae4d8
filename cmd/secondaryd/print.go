package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// print writes an outcome: the API's result as it is, or what tell writes for
// people.
func (r *remote) print(w io.Writer, result json.RawMessage, tell func(io.Writer) error) error {
	if r.output != outputJSON {
		return tell(w)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, result, "", "  "); err != nil {
		return err
	}
	indented.WriteByte('\n')
	_, err := w.Write(indented.Bytes())
	return err
}

// printTable writes rows with their columns aligned. head may be nil.
func printTable(w io.Writer, head []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if head != nil {
		fmt.Fprintln(t, strings.Join(head, "\t"))
	}
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, harmless(cell))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// harmless keeps what others named from steering the terminal, or from breaking
// a line.
func harmless(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, text)
}

// harmlessLines is harmless for a text that has lines of its own.
func harmlessLines(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) || c == '\n' || c == '\t' {
			return c
		}
		return '?'
	}, text)
}

// span says how long something is, to the largest unit that tells enough.
func span(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		word string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= 2*u.unit {
			return fmt.Sprintf("%d %s", d/u.unit, u.word)
		}
	}
	return fmt.Sprintf("%d s", max(0, d/time.Second))
}

// ago and in say when something was, and when it will be.
func ago(now time.Time, t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	return span(now.Sub(*t)) + " ago"
}

func in(now time.Time, t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	if t.Before(now) {
		return "now"
	}
	return "in " + span(t.Sub(now))
}

// at is a time in full, with how far away it is.
func at(t time.Time, distance string) string {
	return t.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + distance + ")"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// number writes a number that may not be known.
func number[T int | uint32](n *T) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}
