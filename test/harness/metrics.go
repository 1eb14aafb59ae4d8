package harness

import (
	"fmt"
	"strconv"
	"strings"
)

// Sample is one line of the text format of Prometheus.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

// Metrics are the samples of one scrape.
type Metrics []Sample

// Find returns the samples of a name whose labels include the given pairs of
// label and value.
func (m Metrics) Find(name string, pairs ...string) []Sample {
	var found []Sample
	for _, s := range m {
		if s.Name == name && s.has(pairs) {
			found = append(found, s)
		}
	}
	return found
}

// Value is the value of the one sample that Find finds, and whether it is one.
func (m Metrics) Value(name string, pairs ...string) (float64, bool) {
	found := m.Find(name, pairs...)
	if len(found) != 1 {
		return 0, false
	}
	return found[0].Value, true
}

func (s Sample) has(pairs []string) bool {
	for i := 0; i+1 < len(pairs); i += 2 {
		if s.Labels[pairs[i]] != pairs[i+1] {
			return false
		}
	}
	return true
}

// ParseMetrics reads the text format; comments and types are passed over.
func ParseMetrics(text string) (Metrics, error) {
	var m Metrics
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseSample(line)
		if err != nil {
			return nil, fmt.Errorf("metrics: %w in %q", err, line)
		}
		m = append(m, s)
	}
	return m, nil
}

func parseSample(line string) (Sample, error) {
	s := Sample{Labels: make(map[string]string)}
	end := strings.IndexAny(line, "{ ")
	if end < 0 {
		return s, fmt.Errorf("no value")
	}
	s.Name = line[:end]
	rest := line[end:]
	if strings.HasPrefix(rest, "{") {
		var err error
		if rest, err = s.parseLabels(rest[1:]); err != nil {
			return s, err
		}
	}
	value, _, _ := strings.Cut(strings.TrimSpace(rest), " ") // a time may follow
	var err error
	s.Value, err = strconv.ParseFloat(value, 64)
	return s, err
}

// parseLabels reads up to the closing brace and returns what is behind it. The
// values are quoted as in Go, for the three escapes that the format has.
func (s Sample) parseLabels(rest string) (string, error) {
	for {
		rest = strings.TrimLeft(rest, ", ")
		if after, ok := strings.CutPrefix(rest, "}"); ok {
			return after, nil
		}
		name, quoted, ok := strings.Cut(rest, "=")
		if !ok {
			return "", fmt.Errorf("unfinished labels")
		}
		prefix, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return "", fmt.Errorf("label %s: %w", name, err)
		}
		if s.Labels[name], err = strconv.Unquote(prefix); err != nil {
			return "", fmt.Errorf("label %s: %w", name, err)
		}
		rest = quoted[len(prefix):]
	}
}
