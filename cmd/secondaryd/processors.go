package main

import (
	"os"
	"runtime"
)

// addProcessors gives the runtime more processors than there are CPUs, so many
// for transfers. The runtime takes a processor from a goroutine after 10 ms only;
// with one to spare, a query that arrives need not wait for that: it is the
// kernel that shares out the CPUs, and it knows who must step back.
func addProcessors(transfers int) {
	if os.Getenv("GOMAXPROCS") == "" { // else whoever set it has a reason
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + transfers)
	}
}
