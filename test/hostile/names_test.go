package hostile

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// oddNames are labels that other software chokes on, as the library writes them.
var oddNames = []string{
	`$\(planted\)`, "`planted`", `\;planted`, `\"planted\"`, `\.\./planted`, `/planted`, `\000planted`, `\010planted`, `\255planted`,
	`%s%n`, `<planted>`, `\ planted`, `\\planted`, `*planted`,
}

// names are taken as they are, octet for octet.
var names = []class{
	{
		name: "names that other software chokes on", script: honest, change: many(len(oddNames), oddName), records: plainRecords + len(oddNames),
		also: func(t *testing.T, d *harness.Daemon, zone string) {
			for i := range oddNames {
				want := oddName(zone, i)
				if m := harness.Ask(t, d.DNS, want.Header().Name, dns.TypeA); len(m.Answer) != 1 || !dns.IsDuplicate(m.Answer[0], want) {
					t.Errorf("asked for %s, got\n%v", want, m)
				}
			}
		},
	},
}

func oddName(zone string, i int) dns.RR { return address(oddNames[i]+".odd."+zone, i) }

// TestZoneNames: the name of a zone is no file name and no part of one, before
// and after a restart.
func TestZoneNames(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	var all []*upstream
	for _, label := range []string{`\.\./planted`, `/planted`, `\(planted\)`, `\;planted`, `\"planted\"`, `\000planted`, `\010planted`, `\\planted`} {
		u := startPrimary(t, "", label+".test.", "", lazy)
		d.Zone(t, u.zone, d.Peer(t, "p", u.Addr(), nil))
		all = append(all, u)
	}
	for range 2 {
		for _, u := range all {
			harness.WaitSerial(t, d.DNS, u.zone, 1)
			u.wantVersion(t, d, 1)
		}
		d.Restart(t)
	}
	err := filepath.WalkDir(filepath.Dir(d.DataDir), func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, "planted") {
			t.Errorf("there is a file %q", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
