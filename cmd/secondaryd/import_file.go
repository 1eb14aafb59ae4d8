package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"secondaryd/internal/apiclient"
)

// An importRow is what a file says of a zone.
type importRow struct {
	line    int
	name    string
	id      string
	peers   []string // names or ids; nil: those of the command line
	refresh int64    // seconds; 0: that of the command line
}

// maxProblems is how many wrong lines of a file are told of.
const maxProblems = 20

// readImport reads a file of zones, which is JSON lines if it begins with a brace,
// and else CSV. All that is wrong with it is told at once.
func readImport(in io.Reader) ([]importRow, error) {
	buffered := bufio.NewReader(in)
	rows := readCSV
	if first, _ := buffered.Peek(1); bytes.Equal(first, []byte("{")) {
		rows = readJSONLines
	}
	var read []importRow
	var problems []error
	lines := map[string]int{} // by name
	err := rows(buffered, func(row importRow, err error) {
		name := apiclient.FoldName(row.name)
		switch {
		case err != nil:
		case name == "":
			err = errors.New("the zone has no name")
		case row.id != "" && !apiclient.ValidID(row.id):
			err = fmt.Errorf("%q can't be an id", row.id)
		case lines[name] > 0:
			err = fmt.Errorf("%s is in line %d already", row.name, lines[name])
		default:
			lines[name] = row.line
			read = append(read, row)
			return
		}
		problems = append(problems, fmt.Errorf("line %d: %w", row.line, err))
	})
	if err != nil {
		return nil, usageError{err}
	}
	if n := len(problems); n > maxProblems {
		problems = append(problems[:maxProblems], fmt.Errorf("and %d lines more", n-maxProblems))
	}
	if problems != nil {
		return nil, usageError{errors.Join(problems...)}
	}
	return read, nil
}

// importColumns are those of CSV, of which the first has to be there.
var importColumns = []string{"name", "peers", "refresh", "id"}

// readCSV reads rows below a line with the names of the columns.
func readCSV(in io.Reader, do func(importRow, error)) error {
	reader := csv.NewReader(in)
	reader.Comment, reader.TrimLeadingSpace, reader.ReuseRecord = '#', true, true
	head, err := reader.Read()
	if err != nil {
		return fmt.Errorf("the first line has to name the columns, as in %s: %w", strings.Join(importColumns, ","), err)
	}
	columns := slices.Clone(head)
	for _, column := range columns {
		if !slices.Contains(importColumns, column) {
			return fmt.Errorf("the first line has to name the columns, of %s, and has %q", strings.Join(importColumns, ","), column)
		}
	}
	if !slices.Contains(columns, "name") {
		return errors.New("there is no column name")
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err // it says in which line
		}
		line, _ := reader.FieldPos(0)
		row, err := rowOf(columns, record)
		row.line = line
		do(row, err)
	}
}

func rowOf(columns, record []string) (row importRow, err error) {
	for i, cell := range record {
		cell = strings.TrimSpace(cell)
		switch columns[i] {
		case "name":
			row.name = cell
		case "id":
			row.id = cell
		case "peers":
			row.peers = strings.Split(cell, ";")
			if cell == "" {
				row.peers = nil
			}
		case "refresh":
			row.refresh, err = secondsOf(cell)
		}
	}
	for i, peer := range row.peers {
		row.peers[i] = strings.TrimSpace(peer)
	}
	return row, err
}

// secondsOf reads seconds, or a time with a unit.
func secondsOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return n, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d%time.Second != 0 {
		return 0, fmt.Errorf("refresh %q is no whole number of seconds, as in 3600 or 15m", text)
	}
	return int64(d / time.Second), nil
}

// readJSONLines reads an object a line, with the members of the API.
func readJSONLines(in io.Reader, do func(importRow, error)) error {
	line := 0
	return scanLines(in, func(text string) error {
		line++
		if strings.TrimSpace(text) == "" {
			return nil
		}
		var object struct {
			Name    string   `json:"name"`
			ID      string   `json:"id"`
			Peers   []string `json:"peers"`
			Refresh int64    `json:"auto_refresh_seconds"`
		}
		err := json.Unmarshal([]byte(text), &object)
		do(importRow{line, object.Name, object.ID, object.Peers, object.Refresh}, err)
		return nil
	})
}
