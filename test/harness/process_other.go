//go:build !linux

package harness

import "os/exec"

// dieWithParent needs Linux; elsewhere a panic of the test can leave processes.
func dieWithParent(*exec.Cmd) {}

// ownGroup is for measuring, which needs Linux too.
func ownGroup(*exec.Cmd) {}
