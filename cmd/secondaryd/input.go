package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxLine is the longest line of a file that is read, in octets.
const maxLine = 64 << 10

// withInput opens a file, or takes in for -.
func withInput(file string, in io.Reader, do func(io.Reader) error) error {
	if file == "-" {
		return do(in)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return do(f)
}

// scanLines gives the lines of a text.
func scanLines(in io.Reader, do func(text string) error) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		if err := do(scanner.Text()); err != nil {
			return err
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return usageError{fmt.Errorf("a line is longer than %d octets", maxLine)}
	}
	return scanner.Err()
}
