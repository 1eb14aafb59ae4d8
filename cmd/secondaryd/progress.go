package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows what is going on: a line for each change, and on a terminal
// the last of them with the seconds counting.
type progress struct {
	w     io.Writer
	live  bool // w is a terminal
	begin time.Time
	last  string
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, live: terminal(w), begin: time.Now()}
}

// terminal reports whether somebody looks on.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Escape sequences of terminals (ECMA-48): to the start of the line, and erase
// what follows.
const rewrite = "\r\x1b[K"

func (p *progress) show(text string) {
	line := fmt.Sprintf("%4d s  %s", time.Since(p.begin)/time.Second, text)
	changed := text != p.last
	switch {
	case p.live && changed && p.last != "":
		fmt.Fprint(p.w, "\n", line)
	case p.live:
		fmt.Fprint(p.w, rewrite, line)
	case changed:
		fmt.Fprintln(p.w, line)
	}
	p.last = text
}

// during shows a text, on a terminal with the seconds counting, while do runs, and
// the texts that do shows.
func (p *progress) during(text string, do func(show func(string)) error) error {
	done, texts := make(chan error, 1), make(chan string)
	go func() { done <- do(func(text string) { texts <- text }) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer p.end()
	for {
		p.show(text)
		select {
		case text = <-texts:
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}

// end leaves the last line as it is.
func (p *progress) end() {
	if p.live && p.last != "" {
		fmt.Fprintln(p.w)
	}
}
