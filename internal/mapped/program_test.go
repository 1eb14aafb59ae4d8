package mapped

import (
	"slices"
	"strings"
	"testing"
)

func TestUnchanged(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00c00000 r-xp 00000000 fe:00 17                         /usr/sbin/second daemon
Size:               8192 kB
Rss:                6588 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
AnonHugePages:         4 kB
Swap:                  0 kB
SwapPss:               4 kB
VmFlags: rd ex mr mw me
00c00000-01400000 r--p 00800000 fe:00 17                         /usr/sbin/second daemon
Anonymous:             4 kB
Swap:                  0 kB
01200000-01400000 r--p 00c00000 fe:00 17                         /usr/sbin/second daemon
Anonymous:             0 kB
Swap:                  8 kB
01400000-01480000 rw-p 01000000 fe:00 17                         /usr/sbin/second daemon
Anonymous:             0 kB
01480000-01490000 r--p 01080000 fe:00 17                         /usr/sbin/second daemon
Anonymous:             0 kB
7f0000000000-7f0000100000 r--s 00000000 fe:00 18                 /var/lib/timers.db
Anonymous:             0 kB
c000000000-c004000000 rw-p 00000000 00:00 0
Anonymous:         50000 kB
`
	got, err := unchanged(strings.NewReader(smaps), "/usr/sbin/second daemon")
	if err != nil {
		t.Fatal(err)
	}
	if want := []span{{0x400000, 0xc00000}, {0x1480000, 0x1490000}}; !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
