package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var flagName = regexp.MustCompile(`--[a-z-]+`)

// The manual has every command that manages a daemon, and every flag of it.
func TestManual(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(data)
	for _, flag := range flagName.FindAllString(auditCommand().LocalFlags().FlagUsages(), -1) {
		if !strings.Contains(manual, flag) {
			t.Errorf("the manual lacks %s of audit", flag)
		}
	}
	seen := 0
	for _, group := range rootCommand().Commands() {
		if !slices.Contains([]string{"zone", "peer", "tsig", "acl", "token"}, group.Name()) {
			continue
		}
		for _, cmd := range group.Commands() {
			seen++
			if !strings.Contains(manual, "`"+cmd.CommandPath()) {
				t.Errorf("the manual lacks %s", cmd.CommandPath())
			}
			flags := flagName.FindAllString(cmd.InheritedFlags().FlagUsages()+cmd.LocalFlags().FlagUsages(), -1)
			for _, flag := range flags {
				if !strings.Contains(manual, flag) {
					t.Errorf("the manual lacks %s of %s", flag, cmd.CommandPath())
				}
			}
			if len(flags) < len(sharedFlags)-1 {
				t.Errorf("of %s only the flags %q were looked at", cmd.CommandPath(), flags)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d commands were looked at", seen)
	}
}
