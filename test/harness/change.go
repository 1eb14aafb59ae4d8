package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Reload gives a zone a new text and waits until the server has taken it over,
// which shows in the serial.
func (s *Server) Reload(t testing.TB, zone, text string, serial uint32) {
	t.Helper()
	s.rewrite(t, zone, text)
	s.WaitSettled(t, zone, serial)
}

// WaitSettled waits until the zone has this serial in each of many answers: while
// an NSD reloads, processes with the old and the new version answer in turn.
func (s *Server) WaitSettled(t testing.TB, zone string, serial uint32) {
	t.Helper()
	const many = 10
	Wait(t, func() bool {
		for range many {
			if got, ok := Serial(s.Addr, zone); !ok || got != serial {
				return false
			}
		}
		return true
	}, fmt.Sprintf("%s at %s to have serial %d for good", zone, s.Addr, serial))
}

// Resign gives a zone that the server signs a new text, waits for the version
// that it makes of it, and returns the serial. That of the text means nothing.
func (s *Server) Resign(t testing.TB, zone, text string) uint32 {
	t.Helper()
	before, _ := Serial(s.Addr, zone)
	s.rewrite(t, zone, text)
	return WaitOtherSerial(t, s.Addr, zone, before)
}

func (s *Server) rewrite(t testing.TB, zone, text string) {
	t.Helper()
	for i, z := range s.options.Zones {
		if z.Name == zone {
			s.options.Zones[i].Text = text
		}
	}
	s.writeZone(t, zone, text)
	s.process.signal(syscall.SIGHUP)
}

// writeZone writes a zone's file. The servers compare its time with that of the
// last load, some by whole seconds.
func (s *Server) writeZone(t testing.TB, zone, text string) {
	t.Helper()
	file := zoneFile(zone)
	s.write(t, file, text)
	s.written = s.written.Add(time.Second)
	if soon := time.Now().Add(2 * time.Second); s.written.Before(soon) {
		s.written = soon
	}
	if err := os.Chtimes(s.path(file), s.written, s.written); err != nil {
		t.Fatal(err)
	}
}

// Change ends the server if it runs, and starts it with other options.
func (s *Server) Change(t testing.TB, edit func(*ServerOptions)) {
	t.Helper()
	s.Stop()
	edit(&s.options)
	s.configure(t)
	s.Start(t)
}

// Forget ends the server and deletes what it has kept of its zones' history.
func (s *Server) Forget(t testing.TB) {
	t.Helper()
	s.Stop()
	found := 0
	for _, pattern := range []string{"*.jnl", "*.ixfr*", "journal"} {
		files, err := filepath.Glob(s.path(pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.RemoveAll(file); err != nil {
				t.Fatal(err)
			}
		}
		found += len(files)
	}
	if found == 0 {
		t.Fatalf("%s has kept no history", s.Name)
	}
}
