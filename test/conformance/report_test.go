package conformance

import (
	"maps"
	"slices"
	"testing"
)

// maxShown is how many kinds of differences of a world are shown in full.
const maxShown = 12

// result is what came of many questions.
type result struct {
	questions int
	failures  map[string][]string // reports by kind
	applied   map[string]int      // questions by the name of a rule
	classes   map[string]int      // disagreements of the peers
	examples  map[string]string
}

func newResult() *result {
	return &result{failures: make(map[string][]string), applied: make(map[string]int), classes: make(map[string]int), examples: make(map[string]string)}
}

func (r *result) note(v *verdict) {
	r.questions++
	if v.failure != "" {
		r.failures[v.kind] = append(r.failures[v.kind], v.failure)
	}
	for _, name := range v.applied {
		r.applied[name]++
	}
	if v.class != "" {
		r.classes[v.class]++
		r.examples[v.class] = v.example
	}
}

func (r *result) add(other *result) {
	r.questions += other.questions
	for kind, reports := range other.failures {
		r.failures[kind] = append(r.failures[kind], reports...)
	}
	for name, n := range other.applied {
		r.applied[name] += n
	}
	for class, n := range other.classes {
		r.classes[class] += n
		r.examples[class] = other.examples[class]
	}
}

// differences counts the questions that we answered otherwise than we must.
func (r *result) differences() int {
	count := 0
	for _, reports := range r.failures {
		count += len(reports)
	}
	return count
}

// report fails the test, and shows one difference of each kind.
func (r *result) report(t *testing.T) {
	t.Helper()
	t.Logf("questions: %d, differences: %d", r.questions, r.differences())
	kinds := slices.Sorted(maps.Keys(r.failures))
	for _, kind := range kinds[:min(maxShown, len(kinds))] {
		t.Errorf("%s, questions: %d, the first:\n%s", kind, len(r.failures[kind]), slices.Min(r.failures[kind]))
	}
	if more := len(kinds) - maxShown; more > 0 {
		t.Errorf("and %d kinds more", more)
	}
}

// summary prints the figures of a run. Of a whole run every rule must have been
// of use.
func (r *result) summary(t *testing.T, whole bool) {
	t.Helper()
	t.Logf("questions in all: %d, differences: %d", r.questions, r.differences())
	for _, rule := range slices.Concat(rules, choices) {
		t.Logf("rule %-24s %7d", rule.name, r.applied[rule.name])
		if whole && r.applied[rule.name] == 0 {
			t.Errorf("rule %q never applied: it is of no use", rule.name)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(r.classes)) {
		t.Logf("the peers disagree %7d times: %s", r.classes[class], class)
		if whole {
			t.Logf("the last of them:\n%s", r.examples[class])
		}
	}
}
