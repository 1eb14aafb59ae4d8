package configs

import (
	"fmt"
	"os"
)

// Load reads the file at path over the defaults and env (as of os.Environ)
// over both, and checks the result. An empty path means no file. The error is
// a Problems that names everything wrong, or tells why the file can't be read.
func Load(path string, env []string) (Config, error) {
	c := Default()
	sources := map[string]string{} // key → where its value was given
	var problems Problems
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
		problems = applyFile(&c, path, text, sources)
	}
	problems = append(problems, applyEnv(&c, env, sources)...)
	problems = append(problems, unreported(check(c), problems, sources)...)
	if err := problems.orNil(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// unreported gives each found problem its source and leaves out those of keys
// that have one already: a value that did not parse was never put to the test.
func unreported(found, before Problems, sources map[string]string) Problems {
	reported := map[string]bool{}
	for _, problem := range before {
		reported[problem.Key] = true
	}
	var rest Problems
	for _, problem := range found {
		if !reported[problem.Key] {
			problem.Source = sources[problem.Key]
			rest = append(rest, problem)
		}
	}
	return rest
}
