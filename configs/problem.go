package configs

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with the settings.
type Problem struct {
	Source string // "secondaryd.yaml:3:5" or "SECONDARYD_LOG_LEVEL"; empty when unknown
	Key    string // the key at fault, as in log.level; empty when it has none
	Text   string // what is wrong, in words
}

// String prints the problem on one line: source, key, text.
func (p Problem) String() string {
	var b strings.Builder
	for _, part := range []string{p.Source, p.Key} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	return b.String() + p.Text
}

// Problems is the error of Load and Validate: everything that is wrong, in
// the order of file, environment, checks.
type Problems []Problem

// Error prints one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// orNil keeps an empty list from becoming an error that is not nil.
func (p Problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p *Problems) add(source, key, format string, args ...any) {
	*p = append(*p, Problem{source, key, fmt.Sprintf(format, args...)})
}
